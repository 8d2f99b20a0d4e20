"""What staff asked for and did not get is in the staff audit like what was done: without a person and a number. It also
says how often somebody has asked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from kiosk_web.errors import IdentityError
from kiosk_web.identity.links import LOOK_UP_WINDOW, LinkRefusal, judge_look_ups
from kiosk_web.services.ports import Clock, Store, Transaction
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


async def find_look_up_limit(transaction: Transaction, by: str, now: datetime) -> LinkRefusal | None:
    """May `by` ask about one more number or visit? By what the staff audit has of them, which a new start does not
    forget.
    """
    return judge_look_ups(await transaction.staff_audit.list_look_ups(now - LOOK_UP_WINDOW, now), by)
