"""The clock was set back: what is kept until a time of day is kept until as much earlier, and so no longer than before.

Not here: what ends altogether (`services/clock_watch.py`); used assertions, which must be known as long as their own
`exp` lets them count; look-ups, which are records of what was done; and ends that somebody chose by the clock on the
wall (`fallback_openings`, the last day of a client's key).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Table, Text, Update, func, literal, type_coerce, update

from kiosk_web.adapters.store.api_schema import api_tokens, kept_replies, remote_challenges
from kiosk_web.adapters.store.kazashi_schema import leases, staff_attempts
from kiosk_web.adapters.store.link_schema import recent_visits
from kiosk_web.adapters.store.reading_schema import reading_redirects, readings
from kiosk_web.adapters.store.schema import challenges, enrolments, hello_tickets, sealed_readings, sessions
from kiosk_web.adapters.store.statements import Statements

ENDS: tuple[tuple[Table, tuple[str, ...]], ...] = (
    (api_tokens, ("expires_at",)),
    (kept_replies, ("until",)),
    (readings, ("expires_at", "ended_at", "taken_at")),
    (reading_redirects, ("code_expires_at",)),
    (sealed_readings, ("expires_at", "taken_at", "next_attempt_at")),
    (recent_visits, ("expires_at",)),
    (enrolments, ("expires_at",)),
    (hello_tickets, ("expires_at",)),
    (staff_attempts, ("failed_at",)),
)
"""Columns from which an end is judged: the end itself, or the moment from which it is counted."""


BEGINNINGS: tuple[tuple[Table, str], ...] = (
    (sessions, "since"),
    (challenges, "issued_at"),
    (leases, "opened_at"),
    (remote_challenges, "issued_at"),
)
"""What the clock showed, at the latest, while the server ran: each start is judged by them."""


async def set_back_ends(connection: Statements, jump: timedelta, now: datetime) -> None:
    """`now`: by the clock as it is now. No beginning is later, or the next start would find the same jump again."""
    for table, columns in ENDS:
        await connection.execute(_build(table, columns, jump))
    for table, name in BEGINNINGS:
        await connection.execute(update(table).where(table.c[name] > now).values({name: now}))


def _build(table: Table, columns: tuple[str, ...], jump: timedelta) -> Update:
    """The text of `utc_time.py`, moved by SQLite, to the millisecond. What is NULL stays NULL."""
    modifier = f"-{jump.total_seconds():.3f} seconds"
    return update(table).values(
        {
            name: type_coerce(
                func.strftime("%Y-%m-%d %H:%M:%f", type_coerce(table.c[name], Text), modifier), Text
            ).concat(literal("000", Text))
            for name in columns
        }
    )
