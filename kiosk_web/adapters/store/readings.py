"""Readings on request in the database: added, ended once, told once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, delete, or_, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or_not

from kiosk_web.adapters.store.api_schema import api_clients
from kiosk_web.adapters.store.reading_schema import reading_redirects, readings
from kiosk_web.adapters.store.statements import Statements
from kiosk_web.identity.readings import OPEN, ReadingState
from kiosk_web.services.ports.readings import OpenRefusal, ReadingRecord

_r = readings.c

_c = api_clients.c

_REVOKED = select(readings).where(
    _r.ended_at.is_(None), _r.client.in_(select(_c.name).where(_c.revoked_at.is_not(None)))
)
_OVERDUE = select(readings).where(_r.ended_at.is_(None), _r.expires_at <= bindparam("now"))
_AWAITED = select(reading_redirects.c.reading_id).where(reading_redirects.c.browser_sha256.is_(None))
_AT_TERMINALS = select(readings).where(_r.ended_at.is_(None), _r.id.not_in(_AWAITED))
_OLD = and_(
    _r.result.is_not(None),
    or_(
        and_(_r.taken_at.is_(None), _r.ended_at <= bindparam("before")),
        _r.taken_at <= bindparam("taken_before"),
        and_(_r.ended_at.is_not(None), _r.client.in_(select(_c.name).where(_c.revoked_at.is_not(None)))),
    ),
)
_OLD_RESULTS = select(_r.id).where(_OLD).limit(1)


class SqlReadingRows:
    """Implements `services.ports.readings.ReadingRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def add(self, record: ReadingRecord) -> bool:
        values = {
            "id": record.id,
            "client": record.client,
            "system": record.system,
            "service": record.service,
            "terminal_id": record.terminal,
            "terminal_name": record.terminal_name,
            "nonce": record.nonce,
            "state": record.state,
            "created_at": record.created_at,
            "expires_at": record.expires_at,
            "redirected": record.redirected,
        }
        added = await self._connection.execute(insert_or_not(readings).values(**values).on_conflict_do_nothing())
        return added.rowcount == 1

    async def drop(self, reading: str) -> None:
        await self._connection.execute(delete(readings).where(_r.id == reading, _r.ended_at.is_(None)))

    async def find(self, reading: str, client: str) -> ReadingRecord | None:
        found = select(readings).where(_r.id == reading, _r.client == client)
        row = (await self._connection.execute(found)).one_or_none()
        return None if row is None else _build(row)

    async def load(self, reading: str) -> ReadingRecord | None:
        row = (await self._connection.execute(select(readings).where(_r.id == reading))).one_or_none()
        return None if row is None else _build(row)

    async def find_refusal(self, reading: str, now: datetime) -> OpenRefusal:
        found = select(_r.state, _r.ended_at, _r.expires_at, _c.revoked_at).join(api_clients, _c.name == _r.client)
        row = (await self._connection.execute(found.where(_r.id == reading))).one_or_none()
        if row is not None and row.revoked_at is not None:
            return "reading_client_revoked"
        if row is not None and row.state == "cancelled":
            return "reading_withdrawn"
        return "" if row is not None and row.ended_at is None and row.expires_at > now else "reading_expired"

    async def end(self, reading: str, state: ReadingState, result: str | None, now: datetime) -> bool:
        ended = await self._connection.execute(
            update(readings)
            .where(_r.id == reading, _r.ended_at.is_(None), _r.state == OPEN)
            .values(state=state, result=result, ended_at=now)
        )
        return ended.rowcount == 1

    async def hold(self, reading: str, result: str, until: datetime) -> bool:
        held = await self._connection.execute(
            update(readings)
            .where(_r.id == reading, _r.ended_at.is_(None), _r.state == OPEN)
            .values(result=result, expires_at=until)
        )
        return held.rowcount == 1

    async def find_held(self, reading: str) -> str | None:
        found = select(_r.result).where(_r.id == reading, _r.ended_at.is_(None))
        return (await self._connection.execute(found)).scalar_one_or_none()

    async def note_taken(self, reading: str, receipt: str, now: datetime) -> None:
        first = update(readings).where(_r.id == reading, _r.taken_at.is_(None))
        await self._connection.execute(first.values(taken_at=now, receipt=receipt))

    async def find_by_receipt(self, receipt: str, client: str) -> ReadingRecord | None:
        found = select(readings).where(_r.receipt == receipt, _r.client == client)
        row = (await self._connection.execute(found)).one_or_none()
        return None if row is None else _build(row)

    async def finish(self, reading: str, now: datetime) -> None:
        arrived = update(readings).where(_r.id == reading, _r.delivered_at.is_(None))
        await self._connection.execute(arrived.values(result=None, delivered_at=now))

    async def forget_result(self, reading: str) -> None:
        await self._connection.execute(update(readings).where(_r.id == reading).values(result=None))

    async def list_at_terminals(self) -> tuple[ReadingRecord, ...]:
        return tuple(_build(row) for row in await self._connection.execute(_AT_TERMINALS))

    async def list_overdue(self, now: datetime) -> tuple[ReadingRecord, ...]:
        return tuple(_build(row) for row in await self._connection.execute(_OVERDUE, {"now": now}))

    async def list_revoked(self) -> tuple[ReadingRecord, ...]:
        return tuple(_build(row) for row in await self._connection.execute(_REVOKED))

    async def has_old_results(self, before: datetime, taken_before: datetime) -> bool:
        times = {"before": before, "taken_before": taken_before}
        return (await self._connection.execute(_OLD_RESULTS, times)).first() is not None

    async def drop_old_results(self, before: datetime, taken_before: datetime) -> None:
        times = {"before": before, "taken_before": taken_before}
        await self._connection.execute(update(readings).where(_OLD).values(result=None), times)

    async def forget_ended(self, before: datetime) -> None:
        await self._connection.execute(delete(readings).where(_r.ended_at < before))


def _build(row: Row[Any]) -> ReadingRecord:
    return ReadingRecord(
        row.id,
        row.client,
        row.system,
        row.service,
        row.terminal_id,
        row.terminal_name,
        row.nonce,
        row.state,
        row.created_at,
        row.expires_at,
        row.ended_at,
        row.result,
        row.delivered_at,
        row.redirected,
        row.taken_at,
        row.receipt,
    )
