"""The nightly sweeps in the database: how far the last one came, and what it counted. No person is named in them."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from kiosk_web.adapters.store import schema
from kiosk_web.adapters.store.statements import Statements
from kiosk_web.services.ports.sweeps import SweepRecord

_s = schema.sweeps.c


class SqlSweepRows:
    """Implements `services.ports.sweeps.SweepRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def find_latest(self) -> SweepRecord | None:
        query = select(schema.sweeps).order_by(_s.id.desc()).limit(1)
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            return None
        return SweepRecord(row.began_at, row.ended_at, row.reached, row.persons, row.marked, row.unconfirmed, row.id)

    async def add(self, record: SweepRecord) -> int:
        added = await self._connection.execute(insert(schema.sweeps).values(**_write(record)).returning(_s.id))
        return int(added.scalar_one())

    async def save(self, record: SweepRecord) -> None:
        await self._connection.execute(
            update(schema.sweeps).where(_s.id == record.id).values(**_write(record)),
        )


def _write(record: SweepRecord) -> dict[str, object]:
    return {
        "began_at": record.began_at,
        "ended_at": record.ended_at,
        "reached": record.reached,
        "persons": record.persons,
        "marked": record.marked,
        "unconfirmed": record.unconfirmed,
    }
