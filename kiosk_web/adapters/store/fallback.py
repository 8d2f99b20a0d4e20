"""The openings of the fallback in the database: who opened it, why, since when and until when. None is ever deleted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, insert, or_, select, update

from kiosk_web.adapters.store import schema
from kiosk_web.adapters.store.prepared import Prepared
from kiosk_web.adapters.store.statements import Statements
from kiosk_web.pki.fallback import OpeningRecord, RecordedCause

_f = schema.fallback_openings.c

_COLUMNS = (_f.cause, _f.opened_at, _f.until, _f.closed_at, _f.reason, _f.opened_by)
_LIST_OPEN_SINCE = Prepared(
    select(*_COLUMNS)
    .where(_f.until > bindparam("moment"), or_(_f.closed_at.is_(None), _f.closed_at > bindparam("moment")))
    .order_by(_f.id)
)


class SqlFallbackRows:
    """Implements `services.ports.fallback.FallbackRows`."""

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
        rows = await self._connection.fetch(_LIST_OPEN_SINCE, moment=moment)
        return tuple(OpeningRecord(*row) for row in rows)

    async def list_latest(self, limit: int, cause: RecordedCause | None = None) -> tuple[OpeningRecord, ...]:
        query = select(*_COLUMNS).order_by(_f.id.desc()).limit(limit)
        rows = await self._connection.execute(query if cause is None else query.where(_f.cause == cause))
        return tuple(OpeningRecord(*tuple(row)) for row in rows)
