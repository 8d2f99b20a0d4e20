"""High-water marks of revocation lists in the database (`pki/crl_trust.py` explains them)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from sqlalchemy import bindparam, func, select, text

from kiosk_web.adapters.store import schema
from kiosk_web.adapters.store.database import SqlStore, SqlTransaction
from kiosk_web.adapters.store.prepared import Prepared
from kiosk_web.pki.crl_trust import ListMark, ListScope, merge_list_marks

_l = schema.list_marks.c
_FIND = Prepared(
    select(_l.crl_number, _l.this_update, _l.sha256).where(_l.key_id == bindparam("key"), _l.point == bindparam("at"))
)
_FIND_NEWEST = Prepared(select(func.max(_l.this_update)))
_ALL = text("SELECT key_id, point, crl_number, this_update, sha256 FROM list_marks")

_RECORD = text(
    "INSERT INTO list_marks (key_id, point, crl_number, this_update, sha256)"
    " VALUES (:key_id, :point, :crl_number, :this_update, :sha256) ON CONFLICT (key_id, point)"
    " DO UPDATE SET crl_number = excluded.crl_number, this_update = excluded.this_update, sha256 = excluded.sha256"
).bindparams(bindparam("this_update", type_=schema.UtcTime))
"""As text: it is run once in the life of most processes, and building it takes longer than running it."""


class SqlListMarks:
    """Implements `services.status.validation.ListMarks` and `services.lists.intake.ListMarkBook`."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def load(self, scopes: Collection[ListScope]) -> Mapping[ListScope, ListMark]:
        """The marks of a few scopes; those without one are left out."""
        async with self._store.read() as transaction:
            return await _load_some(transaction, scopes)

    async def load_all(self) -> Mapping[ListScope, ListMark]:
        async with self._store.read() as transaction:
            return await _load_all(transaction)

    async def load_newest_time(self) -> datetime | None:
        async with self._store.read() as transaction:
            newest: datetime | None = (await transaction.connection.fetch(_FIND_NEWEST))[0][0]
            return newest

    async def record(self, marks: Mapping[ListScope, ListMark]) -> None:
        """Raise what is lower, in one step: a mark never falls, whoever writes at once."""
        async with self._store.write() as transaction:
            known = await _load_all(transaction)
            merged = {
                scope: merge_list_marks(known[scope], mark) if scope in known else mark for scope, mark in marks.items()
            }
            risen = [_build_row(scope, mark) for scope, mark in merged.items() if mark != known.get(scope)]
            if risen:
                await transaction.connection.execute(_RECORD, risen)


async def _load_all(transaction: SqlTransaction) -> dict[ListScope, ListMark]:
    """Without the types of the schema, four times as fast: there may be thousands, and everybody else waits."""
    rows = await transaction.connection.execute(_ALL)
    return {
        ListScope(key_id, point): ListMark(
            None if number is None else int(number), datetime.fromisoformat(this_update).replace(tzinfo=UTC), sha256
        )
        for key_id, point, number, this_update, sha256 in map(tuple, rows)
    }


async def _load_some(transaction: SqlTransaction, scopes: Collection[ListScope]) -> dict[ListScope, ListMark]:
    found = {}
    for scope in scopes:
        for number, this_update, sha256 in await transaction.connection.fetch(_FIND, key=scope.key_id, at=scope.point):
            found[scope] = ListMark(None if number is None else int(number), this_update, sha256)
    return found


def _build_row(scope: ListScope, mark: ListMark) -> dict[str, object]:
    return {
        "key_id": scope.key_id,
        "point": scope.point,
        "crl_number": None if mark.crl_number is None else str(mark.crl_number),
        "this_update": mark.this_update,
        "sha256": mark.sha256,
    }
