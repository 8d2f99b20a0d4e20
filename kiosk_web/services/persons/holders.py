"""Who staff mean, where they name nobody but by what a system has: its identifier of that person."""

from __future__ import annotations

from kiosk_web.identity.alphabet import read_copied
from kiosk_web.identity.systems import CooperatingSystem
from kiosk_web.services.ports import Transaction


async def find_by_identifier(transaction: Transaction, system: CooperatingSystem, identifier: str) -> str | None:
    """The person of this very PPID, of a municipal library of this MyKey ID.

    Stopped and superseded MyKey IDs lead to their holder too: it is the one that somebody without a card remembers.
    """
    written = read_copied(identifier)
    if not system.municipal_library:
        return await transaction.persons.find_by_ppid(written, system.id)
    record = await transaction.persons.load_mykey_id(written)
    return None if record is None else record.person
