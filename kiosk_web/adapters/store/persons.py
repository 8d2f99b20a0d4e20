"""Persons and their identifiers in the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.dialects.sqlite import insert as insert_or_not

from kiosk_web.adapters.store import schema
from kiosk_web.adapters.store.statements import Statements

_c = schema.person_certificates.c
_p = schema.pairwise_ids.c
_m = schema.mykey_ids.c


class SqlPersonRows:
    """Implements `services.ports.PersonRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def find(self, issuer_key_id: bytes, serial: int) -> str | None:
        query = select(_c.person_id).where(_c.issuer_key_id == issuer_key_id, _c.serial == str(serial))
        return (await self._connection.execute(query)).scalar_one_or_none()

    async def add(self, person: str, issuer_key_id: bytes, serial: int, now: datetime) -> None:
        await self._connection.execute(insert(schema.persons).values(id=person, created_at=now))
        await self._connection.execute(
            insert(schema.person_certificates).values(
                issuer_key_id=issuer_key_id, serial=str(serial), person_id=person, created_at=now
            )
        )

    async def find_ppid(self, person: str, system: str) -> str | None:
        query = select(_p.ppid).where(_p.person_id == person, _p.system == system)
        return (await self._connection.execute(query)).scalar_one_or_none()

    async def add_ppid(self, person: str, system: str, ppid: str, now: datetime) -> bool:
        added = await self._connection.execute(
            insert_or_not(schema.pairwise_ids)
            .values(ppid=ppid, person_id=person, system=system, issued_at=now)
            .on_conflict_do_nothing(index_elements=["ppid"])
        )
        return added.rowcount == 1

    async def find_mykey_id(self, person: str) -> tuple[str, str] | None:
        query = select(_m.mykey_id, _m.state).where(_m.person_id == person, _m.state != "superseded")
        row = (await self._connection.execute(query)).one_or_none()
        return None if row is None else (row.mykey_id, row.state)

    async def add_mykey_id(self, person: str, mykey_id: str, now: datetime) -> bool:
        added = await self._connection.execute(
            insert_or_not(schema.mykey_ids)
            .values(mykey_id=mykey_id, person_id=person, state="issued", issued_at=now)
            .on_conflict_do_nothing(index_elements=["mykey_id"])
        )
        return added.rowcount == 1
