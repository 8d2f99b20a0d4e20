"""High-water marks of certificates in the database (`services/validation.py` explains them)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.sqlite import insert

from kiosk_web.adapters.store import schema
from kiosk_web.adapters.store.database import SqlStore, SqlTransaction
from kiosk_web.pki.status import HighWaterMark, merge_marks

_m = schema.high_water_marks.c


class SqlHighWaterMarks:
    """Implements `services.validation.HighWaterMarks`."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def load(self, key: bytes) -> HighWaterMark | None:
        async with self._store.read() as transaction:
            return await _load(transaction, key)

    async def record(self, key: bytes, mark: HighWaterMark) -> HighWaterMark:
        async with self._store.write() as transaction:
            stored = await _load(transaction, key)
            merged = mark if stored is None else merge_marks(stored, mark)
            values = {
                "this_update": merged.this_update,
                "held": merged.held,
                "revoked_at": merged.revoked_at,
                "revoked_reason": merged.revoked_reason,
            }
            await transaction.connection.execute(
                insert(schema.high_water_marks)
                .values(key=key, **values)
                .on_conflict_do_update(index_elements=["key"], set_=values)
            )
            return merged

    async def load_newest_time(self) -> datetime | None:
        async with self._store.read() as transaction:
            newest: datetime | None = (
                await transaction.connection.execute(select(func.max(_m.this_update)))
            ).scalar_one()
            return newest


async def _load(transaction: SqlTransaction, key: bytes) -> HighWaterMark | None:
    query = select(schema.high_water_marks).where(_m.key == key)
    row = (await transaction.connection.execute(query)).one_or_none()
    return None if row is None else HighWaterMark(row.this_update, row.held, row.revoked_at, row.revoked_reason)
