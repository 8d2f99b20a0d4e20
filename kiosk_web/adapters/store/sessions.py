"""Sessions, challenges and the outbox in the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Row, delete, insert, or_, select, update

from kiosk_web.adapters.store import schema
from kiosk_web.adapters.store.statements import Statements
from kiosk_web.services.ports import ChallengeRecord, OutboxRecord, SessionRecord

_s = schema.sessions.c
_c = schema.challenges.c
_o = schema.outbox.c
_h = schema.hello_tickets.c
_p = schema.pages.c


class SqlSessionRows:
    """Implements `services.ports.SessionRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def load(self, terminal: str) -> SessionRecord | None:
        row = (await self._connection.execute(select(schema.sessions).where(_s.terminal_id == terminal))).one_or_none()
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
        changed = await self._connection.execute(
            update(schema.sessions)
            .where(_s.terminal_id == record.terminal, _s.version == expected_version)
            .values(**values)
        )
        return changed.rowcount == 1

    async def list_due(self, now: datetime) -> tuple[str, ...]:
        rows = await self._connection.execute(select(_s.terminal_id).where(_s.deadline_at <= now))
        return tuple(row.terminal_id for row in rows)

    async def list_all(self) -> tuple[SessionRecord, ...]:
        rows = await self._connection.execute(select(schema.sessions))
        return tuple(_build_session(row) for row in rows)

    async def add_challenge(self, record: ChallengeRecord) -> None:
        await self._connection.execute(
            insert(schema.challenges).values(
                id=record.id,
                ticket=record.ticket,
                terminal_id=record.terminal,
                origin=record.origin,
                session=record.session,
                service=record.service,
                purpose=record.purpose,
                method=record.method,
                nonce=record.nonce,
                consent=record.consent,
                lease=record.lease,
                card=record.card,
                reference=record.reference,
                issued_at=record.issued_at,
                expires_at=record.expires_at,
            )
        )

    async def find_challenge(self, challenge: str) -> ChallengeRecord | None:
        row = (await self._connection.execute(select(schema.challenges).where(_c.id == challenge))).one_or_none()
        return None if row is None else _build_challenge(row)

    async def consume_challenge(self, challenge: str, terminal: str, now: datetime) -> ChallengeRecord | None:
        row = (
            await self._connection.execute(
                update(schema.challenges)
                .where(
                    _c.id == challenge,
                    _c.terminal_id == terminal,
                    _c.consumed_at.is_(None),
                    _c.expires_at >= now,
                )
                .values(consumed_at=now)
                .returning(*schema.challenges.c)
            )
        ).one_or_none()
        return None if row is None else _build_challenge(row)

    async def is_reference_used(self, reference: str) -> bool:
        challenge = select(_c.reference).where(_c.reference == reference)
        recorded = select(schema.audit.c.reference).where(schema.audit.c.reference == reference)
        return (await self._connection.execute(challenge.union_all(recorded).limit(1))).first() is not None

    async def add_work(self, terminal: str, challenge: str, now: datetime) -> None:
        await self._connection.execute(
            insert(schema.outbox).values(terminal_id=terminal, challenge_id=challenge, created_at=now)
        )

    async def finish_work(self, terminal: str, challenge: str, now: datetime) -> None:
        await self._connection.execute(
            update(schema.outbox)
            .where(_o.terminal_id == terminal, _o.challenge_id == challenge, _o.done_at.is_(None))
            .values(done_at=now)
        )

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
