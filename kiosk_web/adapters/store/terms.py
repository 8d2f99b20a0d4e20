"""Accepted terms in the database: the version last accepted of each document, for each person and system."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select

from kiosk_web.adapters.store.statements import Statements
from kiosk_web.adapters.store.terms_schema import accepted_terms
from kiosk_web.identity.terms import TermsKind
from kiosk_web.services.ports.terms import AcceptedTerms

_t = accepted_terms.c

_FIND = (
    select(accepted_terms)
    .where(_t.person_id == bindparam("person"), _t.system == bindparam("system"))
    .order_by(_t.document.desc())
)


class SqlTermsRows:
    """Implements `services.ports.terms.TermsRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def find(self, person: str, system: str) -> tuple[AcceptedTerms, ...]:
        rows = await self._connection.execute(_FIND, {"person": person, "system": system})
        return tuple(AcceptedTerms(row.document, row.version, row.accepted_at) for row in rows)

    async def record(self, person: str, system: str, versions: Mapping[TermsKind, str], now: datetime) -> None:
        for document, version in versions.items():
            await self._connection.execute(
                delete(accepted_terms).where(_t.person_id == person, _t.system == system, _t.document == document)
            )
            await self._connection.execute(
                insert(accepted_terms).values(
                    person_id=person, system=system, document=document, version=version, accepted_at=now
                )
            )
