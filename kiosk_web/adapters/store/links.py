"""Links, the lists of valid numbers, and the visits the link desk may still need, in the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_not

from kiosk_web.adapters.store import link_schema as schema
from kiosk_web.adapters.store.statements import Statements
from kiosk_web.identity.links import CLIENT_PREFIX, LOOK_UPS, RESIDENT, LinkWay
from kiosk_web.services.ports.links import FileKind, LinkRecord, RecentVisit, StaffAction

_l = schema.links.c
_n = schema.valid_numbers.c
_f = schema.link_files.c
_v = schema.recent_visits.c
_a = schema.staff_audit.c
_k = schema.confirmations.c

_ADD_VISIT = insert(schema.recent_visits)


class SqlLinkRows:
    """Implements `services.ports.links.LinkRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def find_by_number(self, system: str, user_number: str) -> LinkRecord | None:
        return await self._find(_l.system == system, _l.user_number == user_number)

    async def find_by_person(self, system: str, person: str) -> LinkRecord | None:
        return await self._find(_l.system == system, _l.person_id == person)

    async def _find(self, *where: Any) -> LinkRecord | None:
        query = select(schema.links).where(_l.state == "active", *where)
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            return None
        return LinkRecord(
            row.id,
            row.system,
            row.person_id,
            row.user_number,
            row.state,
            row.way,
            row.linked_at,
            row.ended_at,
            row.version,
        )

    async def add(self, system: str, person: str, user_number: str, way: LinkWay, now: datetime) -> int:
        values = {"system": system, "person_id": person, "user_number": user_number, "way": way}
        added = await self._connection.execute(
            insert(schema.links).values(**values, state="active", linked_at=now).returning(_l.id)
        )
        return int(added.scalar_one())

    async def end(self, link: int, now: datetime) -> bool:
        ended = await self._connection.execute(
            update(schema.links).where(_l.id == link, _l.state == "active").values(state="ended", ended_at=now)
        )
        return ended.rowcount == 1

    async def load_active(self, system: str) -> Mapping[str, int]:
        query = select(_l.user_number, _l.id).where(_l.system == system, _l.state == "active")
        return {row.user_number: row.id for row in await self._connection.execute(query)}

    async def renumber(self, numbers: Mapping[int, str]) -> None:
        if not numbers:
            return
        statement = update(schema.links).where(_l.id == bindparam("link")).values(user_number=bindparam("number"))
        # First out of each other's way: a link may get the number that another one gives up.
        await self._connection.execute(statement, [{"link": link, "number": f"~{link}"} for link in numbers])
        await self._connection.execute(
            statement.values(version=_l.version + 1),
            [{"link": link, "number": number} for link, number in numbers.items()],
        )

    async def has_any(self, person: str) -> bool:
        return bool((await self._connection.execute(select(exists().where(_l.person_id == person)))).scalar_one())

    async def is_number_listed(self, system: str, user_number: str) -> bool | None:
        number = select(exists().where(_n.system == system, _n.user_number == user_number))
        if (await self._connection.execute(number)).scalar_one():
            return True
        a_list = select(exists().where(_n.system == system))
        return False if (await self._connection.execute(a_list)).scalar_one() else None

    async def load_listed(self, system: str) -> frozenset[str]:
        query = select(_n.user_number).where(_n.system == system)
        return frozenset((await self._connection.execute(query)).scalars())

    async def replace_listed(self, system: str, numbers: Collection[str]) -> None:
        await self._connection.execute(delete(schema.valid_numbers).where(_n.system == system))
        if numbers:
            await self._connection.execute(
                insert(schema.valid_numbers), [{"system": system, "user_number": number} for number in numbers]
            )

    async def was_file_applied(self, system: str, kind: FileKind, sha256: bytes) -> datetime | None:
        query = select(_f.applied_at).where(_f.system == system, _f.kind == kind, _f.sha256 == sha256)
        found: datetime | None = (await self._connection.execute(query)).scalar_one_or_none()
        return found

    async def record_file(self, system: str, kind: FileKind, sha256: bytes, now: datetime) -> None:
        await self._connection.execute(
            insert(schema.link_files).values(system=system, kind=kind, sha256=sha256, applied_at=now)
        )

    async def add_visit(self, visit: RecentVisit) -> None:
        await self._connection.execute(
            _ADD_VISIT,
            {
                "reference": visit.reference,
                "person_id": visit.person,
                "system": visit.system,
                "method": visit.method,
                "expires_at": visit.expires_at,
            },
        )

    async def find_visit(self, reference: str, now: datetime) -> RecentVisit | None:
        query = select(schema.recent_visits).where(_v.reference == reference, _v.expires_at > now)
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            return None
        return RecentVisit(row.reference, row.person_id, row.system, row.method, row.expires_at)

    async def forget_visits(self, now: datetime) -> None:
        await self._connection.execute(delete(schema.recent_visits).where(_v.expires_at <= now))


class SqlConfirmationRows:
    """Implements `services.ports.links.ConfirmationRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def find(self, person: str, system: str) -> date | None:
        query = select(_k.confirmed_on).where(_k.person_id == person, _k.system == system)
        found: date | None = (await self._connection.execute(query)).scalar_one_or_none()
        return found

    async def record(self, person: str, system: str, day: date) -> None:
        await self._connection.execute(
            insert_or_not(schema.confirmations)
            .values(person_id=person, system=system, confirmed_on=day)
            .on_conflict_do_update(index_elements=["person_id", "system"], set_={"confirmed_on": day})
        )


class SqlStaffAuditRows:
    """Implements `services.ports.links.StaffAuditRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def add(self, action: StaffAction) -> None:
        await self._connection.execute(
            insert(schema.staff_audit).values(
                at=action.at,
                by=action.by,
                action=action.action,
                system=action.system,
                link_id=action.link,
                outcome=action.outcome,
                count=action.count,
                reason=action.reason,
            )
        )

    async def list_look_ups(self, since: datetime, now: datetime) -> tuple[str, ...]:
        refused_link = and_(_a.action == "link", _a.outcome != "done", _a.by != RESIDENT)
        tried = or_(_a.action.in_(LOOK_UPS), refused_link), _a.outcome != "look_up_limit"
        # LIKE of SQLite takes capitals and small letters for the same: "Client" would be nobody's name here
        by_client = func.substr(_a.by, 1, len(CLIENT_PREFIX)) == CLIENT_PREFIX
        recent = _a.at > since, _a.at <= now  # a clock that was set back leaves later ones behind
        rows = await self._connection.execute(select(_a.by).where(*recent, *tried, ~by_client))
        return tuple(row.by for row in rows)

    async def list_latest(self, limit: int) -> tuple[StaffAction, ...]:
        query = select(schema.staff_audit).order_by(schema.staff_audit.c.id.desc()).limit(limit)
        return tuple(
            StaffAction(
                row.at, row.by, row.action, row.system, row.outcome, row._mapping["count"], row.reason, row.link_id
            )
            for row in await self._connection.execute(query)
        )
