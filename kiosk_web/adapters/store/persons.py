"""Persons and their identifiers in the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, exists, false, func, insert, or_, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_not

from kiosk_web.adapters.store import schema
from kiosk_web.adapters.store.kazashi_schema import kazashi_enrolments
from kiosk_web.adapters.store.link_schema import confirmations, recent_visits
from kiosk_web.adapters.store.prepared import Prepared
from kiosk_web.adapters.store.statements import Statements
from kiosk_web.adapters.store.terms_schema import accepted_terms
from kiosk_web.identity.mykey import MyKeyState
from kiosk_web.identity.persons import CertificateName
from kiosk_web.services.ports.persons import MyKeyRecord, SweptPerson

_c = schema.person_certificates.c
_p = schema.pairwise_ids.c
_m = schema.mykey_ids.c

_FIND = Prepared(select(_c.person_id).where(_c.issuer_key_id == bindparam("issuer"), _c.serial == bindparam("serial")))
_FIND_PPID = Prepared(select(_p.ppid).where(_p.person_id == bindparam("person"), _p.system == bindparam("system")))
_FIND_SETTLED_PPID = Prepared(
    select(_p.ppid)
    .join(schema.person_certificates, _c.person_id == _p.person_id)
    .join(schema.persons, schema.persons.c.id == _p.person_id)
    .where(
        _c.issuer_key_id == bindparam("issuer"),
        _c.serial == bindparam("serial"),
        _p.system == bindparam("system"),
        schema.persons.c.check_again.is_(false()),
    )
)
_SET_CHECK_AGAIN = Prepared(
    update(schema.persons)
    .where(schema.persons.c.id == bindparam("person"), schema.persons.c.check_again != bindparam("wanted"))
    .values(check_again=bindparam("wanted"))
)
_FIND_MYKEY_ID = select(_m.mykey_id, _m.state).where(_m.person_id == bindparam("person"), _m.state != "superseded")


class SqlPersonRows:
    """Implements `services.ports.persons.PersonRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def find(self, issuer_key_id: bytes, serial: int) -> str | None:
        rows = await self._connection.fetch(_FIND, issuer=issuer_key_id, serial=str(serial))
        return rows[0][0] if rows else None

    async def find_settled_ppid(self, issuer_key_id: bytes, serial: int, system: str) -> str | None:
        rows = await self._connection.fetch(_FIND_SETTLED_PPID, issuer=issuer_key_id, serial=str(serial), system=system)
        return rows[0][0] if rows else None

    async def add(self, person: str, issuer_key_id: bytes, serial: int, now: datetime) -> None:
        await self._connection.execute(insert(schema.persons).values(id=person, created_at=now))
        await self.add_certificate(person, issuer_key_id, serial, now)

    async def add_certificate(self, person: str, issuer_key_id: bytes, serial: int, now: datetime) -> None:
        await self._connection.execute(
            insert(schema.person_certificates).values(
                issuer_key_id=issuer_key_id, serial=str(serial), person_id=person, created_at=now
            )
        )

    async def find_ppid(self, person: str, system: str) -> str | None:
        rows = await self._connection.fetch(_FIND_PPID, person=person, system=system)
        return rows[0][0] if rows else None

    async def add_ppid(self, person: str, system: str, ppid: str, now: datetime) -> bool:
        added = await self._connection.execute(
            insert_or_not(schema.pairwise_ids)
            .values(ppid=ppid, person_id=person, system=system, issued_at=now)
            .on_conflict_do_nothing(index_elements=["ppid"])
        )
        return added.rowcount == 1

    async def find_by_ppid(self, ppid: str, system: str) -> str | None:
        query = select(_p.person_id).where(_p.ppid == ppid, _p.system == system)
        found: str | None = (await self._connection.execute(query)).scalar_one_or_none()
        return found

    async def find_newest_certificate(self, person: str) -> CertificateName | None:
        query = select(_c.issuer_key_id, _c.serial).where(_c.person_id == person)
        row = (
            await self._connection.execute(query.order_by(_c.created_at.desc(), _c.id.desc()).limit(1))
        ).one_or_none()
        return None if row is None else CertificateName(row.issuer_key_id, int(row.serial))

    async def count_certificates(self, person: str) -> int:
        query = select(func.count()).select_from(schema.person_certificates).where(_c.person_id == person)
        return int((await self._connection.execute(query)).scalar_one())

    async def find_mykey_id(self, person: str) -> tuple[str, str] | None:
        row = (await self._connection.execute(_FIND_MYKEY_ID, {"person": person})).one_or_none()
        return None if row is None else (row.mykey_id, row.state)

    async def load_mykey_id(self, mykey_id: str) -> MyKeyRecord | None:
        query = (
            select(schema.mykey_ids, _c.issuer_key_id, _c.serial)
            .join(schema.person_certificates, _m.certificate_id == _c.id, isouter=True)
            .where(_m.mykey_id == mykey_id)
        )
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            return None
        issued_to = None if row.serial is None else CertificateName(row.issuer_key_id, int(row.serial))
        return MyKeyRecord(row.mykey_id, row.person_id, row.state, issued_to, row.issued_at, row.changed_at)

    async def add_mykey_id(
        self, person: str, mykey_id: str, now: datetime, issued_to: CertificateName | None = None
    ) -> bool:
        certificate = None
        if issued_to is not None:
            where = (_c.issuer_key_id == issued_to.issuer_key_id, _c.serial == str(issued_to.serial))
            certificate = select(_c.id).where(*where).scalar_subquery()
        added = await self._connection.execute(
            insert_or_not(schema.mykey_ids)
            .values(mykey_id=mykey_id, person_id=person, certificate_id=certificate, state="issued", issued_at=now)
            .on_conflict_do_nothing(index_elements=["mykey_id"])
        )
        return added.rowcount == 1

    async def change_mykey_id(self, mykey_id: str, before: MyKeyState, after: MyKeyState, now: datetime) -> bool:
        changed = await self._connection.execute(
            update(schema.mykey_ids)
            .where(_m.mykey_id == mykey_id, _m.state == before)
            .values(state=after, changed_at=now)
        )
        return changed.rowcount == 1

    async def absorb(self, stranger: str, person: str, now: datetime) -> tuple[str, ...]:
        """What `services/ports/persons.py` says."""
        kept = select(_p.system).where(_p.person_id == person).scalar_subquery()
        ended = delete(schema.pairwise_ids).where(_p.person_id == stranger, _p.system.in_(kept)).returning(_p.system)
        systems = tuple((await self._connection.execute(ended)).scalars())
        mykey_id = await self.find_mykey_id(stranger)
        if mykey_id is not None and await self.find_mykey_id(person) is not None:
            await self._connection.execute(
                update(schema.mykey_ids).where(_m.mykey_id == mykey_id[0]).values(state="superseded", changed_at=now)
            )
            systems = (*systems, "")
        # かざし利用 begins anew: it needs a visit by 暗証番号 of the person as it is now.
        enrolments = kazashi_enrolments
        await self._connection.execute(delete(enrolments).where(enrolments.c.person_id.in_((stranger, person))))
        for table in (schema.person_certificates, schema.pairwise_ids, schema.mykey_ids, recent_visits):
            await self._connection.execute(update(table).where(table.c.person_id == stranger).values(person_id=person))
        await self._connection.execute(delete(confirmations).where(confirmations.c.person_id == stranger))
        await self._connection.execute(delete(accepted_terms).where(accepted_terms.c.person_id == stranger))
        await self._connection.execute(delete(schema.persons).where(schema.persons.c.id == stranger))
        return systems

    async def list_linked(self, systems: Collection[str], after: str, limit: int) -> tuple[SweptPerson, ...]:
        newer = schema.person_certificates.alias("newer").c
        ppid = exists().where(_p.person_id == _c.person_id, _p.system.in_(sorted(systems)))
        mykey_id = exists().where(_m.person_id == _c.person_id, _m.state == "issued")
        superseded = exists().where(newer.person_id == _c.person_id, newer.created_at > _c.created_at)
        rows = await self._connection.execute(
            select(_c.person_id, _c.issuer_key_id, _c.serial)
            .where(_c.person_id > after, or_(ppid, mykey_id), ~superseded)
            .order_by(_c.person_id)
            .limit(limit)
        )
        return tuple(SweptPerson(row.person_id, row.issuer_key_id, int(row.serial)) for row in rows)

    async def mark_check_again(self, persons: Sequence[str]) -> None:
        for person in persons:
            await self._set_check_again(person, wanted=True)

    async def clear_check_again(self, person: str) -> None:
        await self._set_check_again(person, wanted=False)

    async def must_check_again(self, person: str) -> bool:
        query = select(schema.persons.c.check_again).where(schema.persons.c.id == person)
        return bool((await self._connection.execute(query)).scalar_one_or_none())

    async def _set_check_again(self, person: str, *, wanted: bool) -> None:
        await self._connection.change(_SET_CHECK_AGAIN, person=person, wanted=wanted)
