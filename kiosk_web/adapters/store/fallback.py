"""The openings of the fallback in the database: who opened it, why, since when and until when. None is ever deleted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Row, bindparam, insert, or_, select, update

from kiosk_web.adapters.store import schema
from kiosk_web.adapters.store.statements import Statements
from kiosk_web.pki.fallback import OpeningRecord, RecordedCause

_f = schema.fallback_openings.c

_LIST_OPEN_SINCE = (
    select(schema.fallback_openings)
    .where(_f.until > bindparam("moment"), or_(_f.closed_at.is_(None), _f.closed_at > bindparam("moment")))
    .order_by(_f.id)
)


class SqlFallbackRows:
    """Implements `services.ports.FallbackRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def add(self, record: OpeningRecord) -> None:
        await self._connection.execute(
            insert(schema.fallback_openings).values(
                cause=record.cause,
                opened_at=record.opened_at,
                until=record.until,
                closed_at=record.closed_at,
                reason=record.reason,
                opened_by=record.opened_by,
            )
        )

    async def close(self, cause: RecordedCause, now: datetime) -> bool:
        closed = await self._connection.execute(
            update(schema.fallback_openings).where(_f.cause == cause, _f.closed_at.is_(None)).values(closed_at=now)
        )
        return closed.rowcount > 0

    async def list_open_since(self, moment: datetime) -> tuple[OpeningRecord, ...]:
        rows = await self._connection.execute(_LIST_OPEN_SINCE, {"moment": moment})
        return tuple(_build_record(row) for row in rows)

    async def list_latest(self, limit: int, cause: RecordedCause | None = None) -> tuple[OpeningRecord, ...]:
        query = select(schema.fallback_openings).order_by(_f.id.desc()).limit(limit)
        rows = await self._connection.execute(query if cause is None else query.where(_f.cause == cause))
        return tuple(_build_record(row) for row in rows)


def _build_record(row: Row[tuple[object, ...]]) -> OpeningRecord:
    return OpeningRecord(row.cause, row.opened_at, row.until, row.closed_at, row.reason, row.opened_by)
