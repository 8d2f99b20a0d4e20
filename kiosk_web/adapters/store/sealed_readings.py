"""Sealed readings in the database. Deleted pages are overwritten (`secure_delete`), and there is ciphertext only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, delete, insert, or_, select, update

from kiosk_web.adapters.store import schema
from kiosk_web.adapters.store.statements import Statements
from kiosk_web.services.ports.sealed_readings import SealedReading

_r = schema.sealed_readings.c
AT_ONCE = 16


class SqlSealedReadingRows:
    """Implements `services.ports.sealed_readings.SealedReadingRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def add(self, record: SealedReading) -> None:
        await self._connection.execute(
            insert(schema.sealed_readings).values(
                id=record.id,
                reference=record.reference,
                system=record.system,
                jwe=record.jwe,
                created_at=record.created_at,
                expires_at=record.expires_at,
                delivered_at=record.delivered_at,
                attempts=record.attempts,
                next_attempt_at=record.next_attempt_at,
            )
        )

    async def find(self, reading: str) -> SealedReading | None:
        rows = await self._connection.execute(select(schema.sealed_readings).where(_r.id == reading))
        row = rows.one_or_none()
        return None if row is None else _build(row)

    async def find_waiting(self, system: str, reference: str, now: datetime) -> SealedReading | None:
        rows = await self._connection.execute(
            select(schema.sealed_readings).where(
                _r.system == system, _r.reference == reference, _r.jwe != "", _r.expires_at > now
            )
        )
        row = rows.one_or_none()
        return None if row is None else _build(row)

    async def note_taken(self, reading: str, client: str, receipt: str, now: datetime, until: datetime) -> None:
        await self._connection.execute(
            update(schema.sealed_readings)
            .where(_r.id == reading, _r.taken_at.is_(None))
            .values(taken_by=client, taken_at=now, receipt=receipt, next_attempt_at=_delay(until))
        )

    async def find_by_receipt(self, receipt: str, client: str) -> SealedReading | None:
        rows = await self._connection.execute(
            select(schema.sealed_readings).where(_r.receipt == receipt, _r.taken_by == client)
        )
        row = rows.one_or_none()
        return None if row is None else _build(row)

    async def forget(self, system: str, reference: str, client: str) -> None:
        theirs = or_(_r.taken_by.is_(None), _r.taken_by == client)
        await self._connection.execute(
            update(schema.sealed_readings)
            .where(_r.system == system, _r.reference == reference, _r.jwe != "", theirs)
            .values(jwe="", next_attempt_at=None)
        )

    async def list_due(self, system: str, now: datetime) -> tuple[SealedReading, ...]:
        rows = await self._connection.execute(
            select(schema.sealed_readings)
            .where(_r.system == system, _r.next_attempt_at <= now, _r.jwe != "", _r.expires_at > now)
            .order_by(_r.next_attempt_at)
            .limit(AT_ONCE)
        )
        return tuple(_build(row) for row in rows)

    async def finish(self, reading: str, now: datetime, attempts: int) -> None:
        await self._connection.execute(
            update(schema.sealed_readings)
            .where(_r.id == reading, _r.delivered_at.is_(None))
            .values(jwe="", delivered_at=now, attempts=attempts, next_attempt_at=None)
        )

    async def retry(self, reading: str, attempts: int, next_attempt_at: datetime) -> None:
        await self._connection.execute(
            update(schema.sealed_readings)
            .where(_r.id == reading, _r.jwe != "")
            .values(attempts=attempts, next_attempt_at=_delay(next_attempt_at))
        )

    async def has_expired(self, now: datetime, keep_after: datetime, taken_before: datetime) -> bool:
        over = or_(_is_over(now, taken_before), _r.expires_at <= keep_after)
        return (await self._connection.execute(select(_r.id).where(over).limit(1))).first() is not None

    async def forget_expired(self, now: datetime, keep_after: datetime, taken_before: datetime) -> None:
        await self._connection.execute(
            update(schema.sealed_readings).where(_is_over(now, taken_before)).values(jwe="", next_attempt_at=None)
        )
        await self._connection.execute(delete(schema.sealed_readings).where(_r.expires_at <= keep_after))


def _delay(until: datetime) -> ColumnElement[datetime | None]:
    """The next attempt, if there is to be one, not before this."""
    return case((_r.next_attempt_at < until, until), else_=_r.next_attempt_at)


def _is_over(now: datetime, taken_before: datetime) -> ColumnElement[bool]:
    """A ciphertext whose life has ended, or that was picked up so long ago; a webhook that is to come goes on."""
    taken = and_(_r.taken_at <= taken_before, _r.next_attempt_at.is_(None))
    return and_(_r.jwe != "", or_(_r.expires_at <= now, taken))


def _build(row: Row[Any]) -> SealedReading:
    return SealedReading(
        row.id,
        row.reference,
        row.system,
        row.jwe,
        row.created_at,
        row.expires_at,
        row.delivered_at,
        row.attempts,
        row.next_attempt_at,
        row.taken_by,
        row.taken_at,
        row.receipt,
    )
