"""What staff asked for and did not get is in the staff audit like what was done: without a person and a number."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kiosk_web.errors import IdentityError
from kiosk_web.services.ports import Clock, Store
from kiosk_web.services.ports.links import StaffAction

MOST_WORDS = 200


@asynccontextmanager
async def recording_refusals(
    store: Store, clock: Clock, action: str, system: str, by: str, reason: str
) -> AsyncIterator[None]:
    """A refusal of the work inside is recorded in a transaction of its own, and raised on."""
    try:
        yield
    except IdentityError as refused:
        named = "" if refused.name == "system_unknown" else system  # it may be any text
        words = by.strip()[:MOST_WORDS], reason.strip()[:MOST_WORDS]
        async with store.write() as transaction:
            await transaction.staff_audit.add(StaffAction(clock(), words[0], action, named, refused.name, 0, words[1]))
        raise
