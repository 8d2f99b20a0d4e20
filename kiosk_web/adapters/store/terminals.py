"""Terminals, their enrolment, hello tickets and pages in the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Row, bindparam, delete, insert, select, update

from kiosk_web.adapters.store import schema
from kiosk_web.adapters.store.statements import Statements
from kiosk_web.services.ports.terminals import EnrolmentRecord, HelloRecord, PageRecord, TerminalRecord

OPEN_HELLOS = 64
"""Hello tickets kept of one terminal: a page is done in milliseconds, so a flood pushes out its own."""

OLDER_PAGES = 64
"""Superseded pages kept of one terminal, so that each is told why it stopped."""

_t = schema.terminals.c
_e = schema.enrolments.c
_h = schema.hello_tickets.c
_p = schema.pages.c
_s = schema.sessions.c

_FIND = select(schema.terminals).where(_t.id == bindparam("terminal"))
_RAISE_COUNTER = (
    update(schema.terminals)
    .where(_t.id == bindparam("terminal"), _t.counter < bindparam("higher"))
    .values(counter=bindparam("higher"))
)
_FIND_PAGE = (
    select(_p.id, _p.terminal_id, _p.superseded_at)
    .join(schema.terminals, _t.id == _p.terminal_id)
    .where(_p.cookie_sha256 == bindparam("cookie"), _t.revoked_at.is_(None))
)
_RAISE_SEQUENCE = (
    update(schema.pages).where(_p.id == bindparam("page"), _p.seq < bindparam("higher")).values(seq=bindparam("higher"))
)


class SqlTerminalRows:
    """Implements `services.ports.terminals.TerminalRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def add(self, record: TerminalRecord, enrolment: EnrolmentRecord) -> None:
        await self._connection.execute(
            insert(schema.terminals).values(
                id=record.id,
                name=record.name,
                origin=record.origin,
                created_at=record.created_at,
                facility=record.facility,
            )
        )
        await self._add_enrolment(enrolment)

    async def _add_enrolment(self, enrolment: EnrolmentRecord) -> None:
        await self._connection.execute(
            insert(schema.enrolments).values(
                code_id=enrolment.code_id,
                key=enrolment.key,
                terminal_id=enrolment.terminal,
                expires_at=enrolment.expires_at,
            )
        )

    async def find(self, terminal: str) -> TerminalRecord | None:
        row = (await self._connection.execute(_FIND, {"terminal": terminal})).one_or_none()
        return None if row is None else _build_terminal(row)

    async def find_by_name(self, name: str) -> TerminalRecord | None:
        row = (await self._connection.execute(select(schema.terminals).where(_t.name == name))).one_or_none()
        return None if row is None else _build_terminal(row)

    async def list_all(self) -> tuple[TerminalRecord, ...]:
        rows = await self._connection.execute(select(schema.terminals).order_by(_t.name))
        return tuple(_build_terminal(row) for row in rows)

    async def revoke(self, terminal: str, now: datetime) -> None:
        await self._connection.execute(
            update(schema.terminals).where(_t.id == terminal, _t.revoked_at.is_(None)).values(revoked_at=now)
        )
        await self._connection.execute(delete(schema.enrolments).where(_e.terminal_id == terminal))

    async def renew_code(self, enrolment: EnrolmentRecord, now: datetime) -> bool:
        mine = _e.terminal_id == enrolment.terminal
        open_one = select(_e.code_id).where(mine, _e.used_at.is_(None), _e.expires_at > now)
        replaced = (await self._connection.execute(open_one)).first() is not None
        await self._connection.execute(delete(schema.enrolments).where(mine))
        await self._add_enrolment(enrolment)
        return replaced

    async def find_enrolment(self, code_id: bytes, now: datetime) -> EnrolmentRecord | None:
        row = (
            await self._connection.execute(
                select(schema.enrolments).where(_e.code_id == code_id, _e.used_at.is_(None), _e.expires_at > now)
            )
        ).one_or_none()
        return None if row is None else EnrolmentRecord(row.code_id, row.key, row.terminal_id, row.expires_at)

    async def enrol(self, code_id: bytes, public_key: bytes, origin: str, now: datetime) -> bool:
        used = (
            await self._connection.execute(
                update(schema.enrolments)
                .where(_e.code_id == code_id, _e.used_at.is_(None), _e.expires_at > now)
                .values(used_at=now)
                .returning(_e.terminal_id)
            )
        ).one_or_none()
        if used is None:
            return False
        changed = await self._connection.execute(
            update(schema.terminals)
            .where(_t.id == used.terminal_id, _t.revoked_at.is_(None))
            .values(public_key=public_key, origin=origin, enrolled_at=now, counter=0)
        )
        return changed.rowcount == 1

    async def raise_counter(self, terminal: str, counter: int) -> bool:
        changed = await self._connection.execute(_RAISE_COUNTER, {"terminal": terminal, "higher": counter})
        return changed.rowcount == 1

    async def add_hello(self, record: HelloRecord) -> None:
        newest = (
            select(_h.ticket_sha256)
            .where(_h.terminal_id == record.terminal)
            .order_by(_h.expires_at.desc())
            .limit(OPEN_HELLOS - 1)
        )
        await self._connection.execute(
            delete(schema.hello_tickets).where(
                _h.terminal_id == record.terminal, _h.ticket_sha256.not_in(newest.scalar_subquery())
            )
        )
        await self._connection.execute(
            insert(schema.hello_tickets).values(
                ticket_sha256=record.ticket_sha256,
                terminal_id=record.terminal,
                origin=record.origin,
                address=record.address,
                bridge_nonce=record.bridge_nonce,
                page_key=record.page_key,
                expires_at=record.expires_at,
            )
        )

    async def take_hello(self, ticket_sha256: bytes, now: datetime) -> HelloRecord | None:
        row = (
            await self._connection.execute(
                update(schema.hello_tickets)
                .where(_h.ticket_sha256 == ticket_sha256, _h.used_at.is_(None), _h.expires_at >= now)
                .values(used_at=now)
                .returning(*schema.hello_tickets.c)
            )
        ).one_or_none()
        if row is None:
            return None
        return HelloRecord(
            row.ticket_sha256, row.terminal_id, row.origin, row.address, row.bridge_nonce, row.page_key, row.expires_at
        )

    async def open_page(self, page: PageRecord, cookie_sha256: bytes, now: datetime) -> None:
        await self._connection.execute(
            update(schema.pages)
            .where(_p.terminal_id == page.terminal, _p.superseded_at.is_(None))
            .values(superseded_at=now)
        )
        older = select(_p.id).where(_p.terminal_id == page.terminal).order_by(_p.created_at.desc()).limit(OLDER_PAGES)
        await self._connection.execute(
            delete(schema.pages).where(_p.terminal_id == page.terminal, _p.id.not_in(older.scalar_subquery()))
        )
        await self._connection.execute(
            insert(schema.pages).values(
                id=page.id, terminal_id=page.terminal, cookie_sha256=cookie_sha256, created_at=now
            )
        )

    async def find_page(self, cookie_sha256: bytes) -> PageRecord | None:
        row = (await self._connection.execute(_FIND_PAGE, {"cookie": cookie_sha256})).one_or_none()
        return None if row is None else PageRecord(row.id, row.terminal_id, row.superseded_at is None)

    async def is_current(self, page: str) -> bool:
        query = select(_p.id).where(_p.id == page, _p.superseded_at.is_(None))
        return (await self._connection.execute(query)).first() is not None

    async def is_revoked(self, cookie_sha256: bytes) -> bool:
        query = (
            select(_t.id)
            .join(schema.pages, _p.terminal_id == _t.id)
            .where(_p.cookie_sha256 == cookie_sha256, _t.revoked_at.is_not(None))
        )
        return (await self._connection.execute(query)).first() is not None

    async def raise_sequence(self, page: str, seq: int) -> bool:
        changed = await self._connection.execute(_RAISE_SEQUENCE, {"page": page, "higher": seq})
        return changed.rowcount == 1

    async def has_told(self, page: str) -> bool:
        query = select(schema.pages.c.seq).where(schema.pages.c.id == page)
        return bool((await self._connection.execute(query)).scalar_one_or_none())

    async def list_revoked_in_service(self) -> tuple[str, ...]:
        rows = await self._connection.execute(
            select(_t.id)
            .join(schema.sessions, _s.terminal_id == _t.id)
            .where(_t.revoked_at.is_not(None), _s.name != "out_of_service")
        )
        return tuple(row.id for row in rows)


def _build_terminal(row: Row[tuple[object, ...]]) -> TerminalRecord:
    return TerminalRecord(
        row.id, row.name, row.origin, row.public_key, row.created_at, row.enrolled_at, row.revoked_at, row.facility
    )
