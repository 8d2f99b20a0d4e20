"""Staff, their one-time codes and their leases of attended terminals in the database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, insert, or_, select, update

from kiosk_web.adapters.store import kazashi_schema as schema
from kiosk_web.adapters.store.statements import Statements
from kiosk_web.services.ports.staff import LeaseEnd, LeaseRecord, StaffRecord

_s = schema.staff.c
_a = schema.staff_attempts.c
_l = schema.leases.c

_OPEN = (
    select(schema.leases, _s.name.label("staff_name"), _s.revoked_at)
    .join(schema.staff, _s.id == _l.staff_id)
    .where(_l.ended_at.is_(None))
)
_FIND_OPEN = _OPEN.where(_l.terminal_id == bindparam("terminal"))


class SqlStaffRows:
    """Implements `services.ports.staff.StaffRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def add(self, record: StaffRecord) -> None:
        await self._connection.execute(
            insert(schema.staff).values(
                id=record.id,
                name=record.name,
                number=record.number,
                facility=record.facility,
                sealed_secret=record.sealed_secret,
                last_step=record.last_step,
                created_at=record.created_at,
            )
        )

    async def find_by_name(self, name: str) -> StaffRecord | None:
        row = (await self._connection.execute(select(schema.staff).where(_s.name == name))).one_or_none()
        return None if row is None else _build_staff(row)

    async def find_by_number(self, number: str) -> StaffRecord | None:
        row = (await self._connection.execute(select(schema.staff).where(_s.number == number))).one_or_none()
        return None if row is None else _build_staff(row)

    async def list_all(self) -> tuple[StaffRecord, ...]:
        rows = await self._connection.execute(select(schema.staff).order_by(_s.name))
        return tuple(_build_staff(row) for row in rows)

    async def renew(self, staff: str, number: str, facility: str, sealed_secret: str) -> None:
        values = {
            "number": number,
            "facility": facility,
            "sealed_secret": sealed_secret,
            "last_step": 0,
            "revoked_at": None,
        }
        await self._connection.execute(update(schema.staff).where(_s.id == staff).values(values))

    async def revoke(self, staff: str, now: datetime) -> None:
        await self._connection.execute(
            update(schema.staff).where(_s.id == staff, _s.revoked_at.is_(None)).values(revoked_at=now)
        )

    async def use_step(self, staff: str, step: int) -> bool:
        used = await self._connection.execute(
            update(schema.staff).where(_s.id == staff, _s.last_step < step).values(last_step=step)
        )
        return used.rowcount == 1

    async def add_failure(self, terminal: str, subject: str, now: datetime) -> None:
        await self._connection.execute(
            insert(schema.staff_attempts).values(terminal_id=terminal, subject=subject, failed_at=now)
        )

    async def forget_failures(self, subject: str, before: datetime) -> None:
        forgotten = or_(_a.subject == subject, _a.failed_at < before)
        await self._connection.execute(delete(schema.staff_attempts).where(forgotten))

    async def count_failures(self, since: datetime, *, terminal: str = "", subject: str = "") -> int:
        query = select(func.count()).select_from(schema.staff_attempts).where(_a.failed_at > since)
        query = query.where(_a.subject == subject) if subject else query.where(_a.terminal_id == terminal)
        return int((await self._connection.execute(query)).scalar_one())


class SqlLeaseRows:
    """Implements `services.ports.staff.LeaseRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def add(self, record: LeaseRecord) -> None:
        await self._connection.execute(
            insert(schema.leases).values(
                id=record.id,
                terminal_id=record.terminal,
                staff_id=record.staff,
                page_id=record.page,
                opened_at=record.opened_at,
                expires_at=record.expires_at,
                active_at=record.active_at,
                ended_by="",
            )
        )

    async def find_open(self, terminal: str) -> LeaseRecord | None:
        row = (await self._connection.execute(_FIND_OPEN, {"terminal": terminal})).first()
        return None if row is None else _build_lease(row)

    async def list_open(self) -> tuple[LeaseRecord, ...]:
        return tuple(_build_lease(row) for row in await self._connection.execute(_OPEN))

    async def touch(self, lease: str, now: datetime) -> None:
        await self._connection.execute(update(schema.leases).where(_l.id == lease).values(active_at=now))

    async def end(self, lease: str, cause: LeaseEnd, now: datetime) -> None:
        await self._connection.execute(
            update(schema.leases).where(_l.id == lease, _l.ended_at.is_(None)).values(ended_at=now, ended_by=cause)
        )


def _build_staff(row: Row[Any]) -> StaffRecord:
    return StaffRecord(
        row.id, row.name, row.number, row.facility, row.sealed_secret, row.last_step, row.created_at, row.revoked_at
    )


def _build_lease(row: Row[Any]) -> LeaseRecord:
    return LeaseRecord(
        id=row.id,
        terminal=row.terminal_id,
        staff=row.staff_id,
        staff_name=row.staff_name,
        page=row.page_id,
        opened_at=row.opened_at,
        expires_at=row.expires_at,
        active_at=row.active_at,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
        staff_revoked=row.revoked_at is not None,
    )
