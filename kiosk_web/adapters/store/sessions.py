"""Sessions, challenges and the outbox in the database."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Row, bindparam, delete, func, insert, or_, select, update

from kiosk_web.adapters.store import schema
from kiosk_web.adapters.store.api_schema import remote_challenges, remote_visits
from kiosk_web.adapters.store.set_back import BEGINNINGS, set_back_ends
from kiosk_web.adapters.store.statements import Statements
from kiosk_web.services.ports.sessions import ChallengeRecord, OutboxRecord, SessionRecord

_s = schema.sessions.c
_c = schema.challenges.c
_o = schema.outbox.c
_h = schema.hello_tickets.c
_p = schema.pages.c

_LOAD = select(schema.sessions).where(_s.terminal_id == bindparam("terminal"))
_SAVE = update(schema.sessions).where(_s.terminal_id == bindparam("terminal"), _s.version == bindparam("expected"))
_ADD_CHALLENGE = insert(schema.challenges)
_FIND_CHALLENGE = select(schema.challenges).where(_c.id == bindparam("challenge"))
_CONSUME_CHALLENGE = (
    update(schema.challenges)
    .where(
        _c.id == bindparam("challenge"),
        _c.terminal_id == bindparam("terminal"),
        _c.consumed_at.is_(None),
        _c.expires_at >= bindparam("now"),
    )
    .values(consumed_at=bindparam("now"))
    .returning(*schema.challenges.c)
)
_IS_REFERENCE_USED = (
    select(_c.reference)
    .where(_c.reference == bindparam("reference"))
    .union_all(
        *(
            select(table.c.reference).where(table.c.reference == bindparam("reference"))
            for table in (schema.audit, remote_challenges, remote_visits)
        )
    )
    .limit(1)
)
_ADD_WORK = insert(schema.outbox)
_FINISH_WORK = (
    update(schema.outbox)
    .where(_o.terminal_id == bindparam("terminal"), _o.challenge_id == bindparam("challenge"), _o.done_at.is_(None))
    .values(done_at=bindparam("now"))
)


class SqlSessionRows:
    """Implements `services.ports.sessions.SessionRows`.

    A challenge changes once, when it is consumed; the one that this transaction consumed is not asked for again.
    """

    def __init__(self, connection: Statements) -> None:
        self._connection = connection
        self._consumed: ChallengeRecord | None = None

    async def load(self, terminal: str) -> SessionRecord | None:
        row = (await self._connection.execute(_LOAD, {"terminal": terminal})).one_or_none()
        return None if row is None else _build_session(row)

    async def save(
        self, record: SessionRecord, name: str, wake_at: datetime | None, expected_version: int | None
    ) -> bool:
        values = {
            "version": record.version,
            "name": name,
            "state": record.state,
            "page_id": record.page,
            "since": record.since,
            "deadline_at": wake_at,
        }
        if expected_version is None:
            if await self.load(record.terminal) is not None:
                return False
            await self._connection.execute(insert(schema.sessions).values(terminal_id=record.terminal, **values))
            return True
        parameters = {"terminal": record.terminal, "expected": expected_version, **values}
        return (await self._connection.execute(_SAVE, parameters)).rowcount == 1

    async def list_due(self, now: datetime) -> tuple[str, ...]:
        rows = await self._connection.execute(select(_s.terminal_id).where(_s.deadline_at <= now))
        return tuple(row.terminal_id for row in rows)

    async def list_waiting(self) -> tuple[str, ...]:
        rows = await self._connection.execute(select(_s.terminal_id).where(_s.deadline_at.is_not(None)))
        return tuple(row.terminal_id for row in rows)

    async def load_newest_time(self) -> datetime | None:
        columns = [table.c[name] for table, name in BEGINNINGS]
        newest = [(await self._connection.execute(select(func.max(column)))).scalar_one() for column in columns]
        return max((time for time in newest if time is not None), default=None)

    async def set_back_ends(self, jump: timedelta, now: datetime) -> None:
        await set_back_ends(self._connection, jump, now)

    async def list_all(self) -> tuple[SessionRecord, ...]:
        rows = await self._connection.execute(select(schema.sessions))
        return tuple(_build_session(row) for row in rows)

    async def add_challenge(self, record: ChallengeRecord) -> None:
        values = {
            "id": record.id,
            "ticket": record.ticket,
            "terminal_id": record.terminal,
            "origin": record.origin,
            "session": record.session,
            "service": record.service,
            "purpose": record.purpose,
            "method": record.method,
            "nonce": record.nonce,
            "consent": record.consent,
            "lease": record.lease,
            "card": record.card,
            "reference": record.reference,
            "issued_at": record.issued_at,
            "expires_at": record.expires_at,
        }
        await self._connection.execute(_ADD_CHALLENGE, values)

    async def find_challenge(self, challenge: str) -> ChallengeRecord | None:
        if self._consumed is not None and self._consumed.id == challenge:
            return self._consumed
        row = (await self._connection.execute(_FIND_CHALLENGE, {"challenge": challenge})).one_or_none()
        return None if row is None else _build_challenge(row)

    async def consume_challenge(self, challenge: str, terminal: str, now: datetime) -> ChallengeRecord | None:
        parameters = {"challenge": challenge, "terminal": terminal, "now": now}
        row = (await self._connection.execute(_CONSUME_CHALLENGE, parameters)).one_or_none()
        self._consumed = None if row is None else _build_challenge(row)
        return self._consumed

    async def is_reference_used(self, reference: str) -> bool:
        return (await self._connection.execute(_IS_REFERENCE_USED, {"reference": reference})).first() is not None

    async def add_work(self, terminal: str, challenge: str, now: datetime) -> None:
        values = {"terminal_id": terminal, "challenge_id": challenge, "created_at": now}
        await self._connection.execute(_ADD_WORK, values)

    async def finish_work(self, terminal: str, challenge: str, now: datetime) -> None:
        parameters = {"terminal": terminal, "challenge": challenge, "now": now}
        await self._connection.execute(_FINISH_WORK, parameters)

    async def list_unfinished_work(self) -> tuple[OutboxRecord, ...]:
        rows = await self._connection.execute(select(schema.outbox).where(_o.done_at.is_(None)).order_by(_o.id))
        return tuple(OutboxRecord(row.id, row.terminal_id, row.challenge_id) for row in rows)

    async def forget_old(self, before: datetime) -> None:
        await self._connection.execute(delete(schema.hello_tickets).where(_h.expires_at < before))
        await self._connection.execute(delete(schema.challenges).where(_c.expires_at < before))
        await self._connection.execute(delete(schema.pages).where(_p.superseded_at < before))
        await self._connection.execute(delete(schema.outbox).where(or_(_o.done_at < before, _o.created_at < before)))


def _build_session(row: Row[tuple[object, ...]]) -> SessionRecord:
    return SessionRecord(row.terminal_id, row.version, row.state, row.page_id, row.since)


def _build_challenge(row: Row[tuple[object, ...]]) -> ChallengeRecord:
    return ChallengeRecord(
        id=row.id,
        ticket=row.ticket,
        terminal=row.terminal_id,
        origin=row.origin,
        session=row.session,
        service=row.service,
        purpose=row.purpose,
        method=row.method,
        nonce=row.nonce,
        consent=row.consent,
        lease=row.lease,
        card=row.card,
        reference=row.reference,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        consumed_at=row.consumed_at,
    )
