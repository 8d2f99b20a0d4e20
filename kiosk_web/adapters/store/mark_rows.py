"""All marks that bear on one certificate, read together (`marks.py` and `list_marks.py` write them)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

from sqlalchemy import and_, bindparam, func, literal, or_, select

from kiosk_web.adapters.store import schema
from kiosk_web.adapters.store.prepared import Prepared
from kiosk_web.adapters.store.statements import Statements
from kiosk_web.pki.crl_trust import ListMark, ListScope
from kiosk_web.pki.status import HighWaterMark
from kiosk_web.services.ports.marks import Remembered

_m = schema.high_water_marks.c
_l = schema.list_marks.c


@lru_cache(maxsize=4096)
def _name_scopes(scopes: frozenset[ListScope]) -> tuple[Prepared, Mapping[str, object]]:
    """The statement for these scopes, and its values but one. Remembered: one municipality's are always the same."""
    values: dict[str, object] = {}
    for number, scope in enumerate(scopes):
        values[f"key{number}"], values[f"at{number}"] = scope.key_id, scope.point
    return _build_recall(len(scopes)), values


@lru_cache(maxsize=64)
def _build_recall(scopes: int) -> Prepared:
    """All of it in one statement, for so many scopes; a row for each mark of a list, and at least one."""
    times = (select(func.max(column)).scalar_subquery() for column in (_m.this_update, _l.this_update))
    named = (
        and_(_l.key_id == bindparam(f"key{number}"), _l.point == bindparam(f"at{number}")) for number in range(scopes)
    )
    return Prepared(
        select(
            *times,
            *(_m.this_update, _m.held, _m.revoked_at, _m.revoked_reason),
            *(_l.key_id, _l.point, _l.crl_number, _l.this_update, _l.sha256),
        ).select_from(
            select(literal(1))
            .subquery()
            .outerjoin(schema.high_water_marks, _m.key == bindparam("wanted"))
            .outerjoin(schema.list_marks, or_(*named))
        )
    )


class SqlMarkRows:
    """Implements `services.ports.MarkRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def recall(self, key: bytes, scopes: Collection[ListScope]) -> Remembered:
        statement, values = _name_scopes(frozenset(scopes))
        rows = await self._connection.fetch(statement, wanted=key, **values)
        of_certificates, of_lists, this_update, held, revoked_at, reason = rows[0][:6]
        return Remembered(
            certificate=None if this_update is None else HighWaterMark(this_update, held, revoked_at, reason),
            lists={
                ListScope(key_id, point): ListMark(None if number is None else int(number), updated, sha256)
                for *_, key_id, point, number, updated, sha256 in rows
                if key_id is not None
            },
            newest=max((time for time in (of_certificates, of_lists) if time is not None), default=None),
        )
