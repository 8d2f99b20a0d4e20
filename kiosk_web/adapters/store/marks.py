"""High-water marks of certificates in the database (`services/status/validation.py` explains them)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.sqlite import insert

from kiosk_web.adapters.store import schema
from kiosk_web.adapters.store.database import SqlStore, SqlTransaction
from kiosk_web.adapters.store.prepared import Prepared
from kiosk_web.pki.status import HighWaterMark, merge_marks

_m = schema.high_water_marks.c

_FIND = Prepared(select(_m.this_update, _m.held, _m.revoked_at, _m.revoked_reason).where(_m.key == bindparam("wanted")))
_FIND_NEWEST = Prepared(select(func.max(_m.this_update)))


class SqlHighWaterMarks:
    """Implements `services.status.validation.HighWaterMarks`."""

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
            newest: datetime | None = (await transaction.connection.fetch(_FIND_NEWEST))[0][0]
            return newest


async def _load(transaction: SqlTransaction, key: bytes) -> HighWaterMark | None:
    rows = await transaction.connection.fetch(_FIND, wanted=key)
    return HighWaterMark(*rows[0]) if rows else None
