"""The keys of enrolled cards in the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update

from kiosk_web.adapters.store import kazashi_schema as schema
from kiosk_web.adapters.store.statements import Statements
from kiosk_web.services.ports.kazashi import KazashiEnrolment

_k = schema.kazashi_enrolments.c

_FIND = select(schema.kazashi_enrolments).where(_k.certificate_sha256 == bindparam("certificate"))


class SqlKazashiRows:
    """Implements `services.ports.kazashi.KazashiRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def find(self, certificate_sha256: bytes) -> KazashiEnrolment | None:
        row = (await self._connection.execute(_FIND, {"certificate": certificate_sha256})).one_or_none()
        if row is None:
            return None
        return KazashiEnrolment(row.certificate_sha256, row.person_id, row.public_key, row.enrolled_at, row.used_at)

    async def replace(self, record: KazashiEnrolment) -> None:
        await self._connection.execute(delete(schema.kazashi_enrolments).where(_k.person_id == record.person))
        await self._connection.execute(
            insert(schema.kazashi_enrolments).values(
                certificate_sha256=record.certificate_sha256,
                person_id=record.person,
                public_key=record.public_key,
                enrolled_at=record.enrolled_at,
                used_at=record.used_at,
            )
        )

    async def touch(self, certificate_sha256: bytes, now: datetime) -> None:
        table = schema.kazashi_enrolments
        await self._connection.execute(
            update(table).where(_k.certificate_sha256 == certificate_sha256).values(used_at=now)
        )

    async def end(self, certificate_sha256: bytes) -> bool:
        person = select(_k.person_id).where(_k.certificate_sha256 == certificate_sha256)
        ended = await self._connection.execute(
            delete(schema.kazashi_enrolments).where(_k.person_id.in_(person.scalar_subquery()))
        )
        return ended.rowcount > 0

    async def end_of_person(self, person: str) -> bool:
        ended = await self._connection.execute(delete(schema.kazashi_enrolments).where(_k.person_id == person))
        return ended.rowcount > 0
