"""What the database holds about one person: each table that names persons, read or emptied of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Table, delete, select, update

from kiosk_web.adapters.store import schema
from kiosk_web.adapters.store.kazashi_schema import kazashi_enrolments
from kiosk_web.adapters.store.link_schema import confirmations, links, recent_visits, staff_audit
from kiosk_web.adapters.store.statements import Statements
from kiosk_web.adapters.store.terms_schema import accepted_terms
from kiosk_web.services.ports import held

TABLES: tuple[Table, ...] = (
    schema.person_certificates,
    schema.pairwise_ids,
    schema.mykey_ids,
    links,
    accepted_terms,
    kazashi_enrolments,
    confirmations,
    recent_visits,
)
"""All tables with a `person_id`; a test compares with the schema."""

_v = recent_visits.c
_r = schema.sealed_readings.c


class SqlHeldRows:
    """Implements `services.ports.held.HeldRowsOfPerson`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def load(self, person: str, now: datetime) -> held.HeldRows:
        certificates, ppids, mykey_ids, links, terms, keys, confirmations, visits = [
            (await self._connection.execute(select(table).where(table.c.person_id == person))).all() for table in TABLES
        ]
        since = select(schema.persons.c.created_at).where(schema.persons.c.id == person)
        waiting = (
            select(_r.system, _r.expires_at)
            .join(recent_visits, _v.reference == _r.reference)
            .where(_v.person_id == person, _r.jwe != "", _r.expires_at > now)
        )
        return held.HeldRows(
            since=(await self._connection.execute(since)).scalar_one(),
            certificates=tuple(sorted(row.created_at for row in certificates)),
            ppids=tuple(held.HeldPpid(row.system, row.issued_at) for row in ppids),
            mykey_ids=tuple(held.HeldMyKeyId(row.state, row.issued_at) for row in mykey_ids),
            links=tuple(
                held.HeldLink(row.system, row.user_number, row.state, row.linked_at, row.ended_at) for row in links
            ),
            terms=tuple(held.HeldTerms(row.system, row.document, row.version, row.accepted_at) for row in terms),
            keys=tuple(held.HeldKey(row.enrolled_at, row.used_at) for row in keys),
            confirmations=tuple(held.HeldConfirmation(row.system, row.confirmed_on) for row in confirmations),
            readings=tuple(
                held.HeldReading(row.system, row.expires_at) for row in await self._connection.execute(waiting)
            ),
            visits=tuple(sorted(row.expires_at for row in visits)),
        )

    async def delete(self, person: str) -> tuple[str, ...]:
        """What `services/ports/held.py` says. Deleted rows are overwritten (`secure_delete`)."""
        run = self._connection.execute
        ppids = schema.pairwise_ids.c
        systems = tuple(
            (await run(select(ppids.system).where(ppids.person_id == person).order_by(ppids.system))).scalars()
        )
        theirs = select(_v.reference).where(_v.person_id == person).scalar_subquery()
        await run(update(schema.sealed_readings).where(_r.reference.in_(theirs)).values(jwe=""))
        linked = select(links.c.id).where(links.c.person_id == person).scalar_subquery()
        await run(update(staff_audit).where(staff_audit.c.link_id.in_(linked)).values(link_id=None))
        for table in reversed(TABLES):  # certificates last: a MyKey ID names one
            await run(delete(table).where(table.c.person_id == person))
        await run(delete(schema.persons).where(schema.persons.c.id == person))
        return systems
