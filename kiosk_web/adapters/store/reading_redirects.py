"""How the browsers of redirected readings come and go, in the database: each step is one UPDATE, and has one winner."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, exists, insert, select, update

from kiosk_web.adapters.store.reading_schema import reading_redirects, readings
from kiosk_web.adapters.store.statements import Statements
from kiosk_web.identity.readings import OPEN
from kiosk_web.services.ports.reading_redirects import RedirectRecord

_d = reading_redirects.c
_r = readings.c


class SqlRedirectRows:
    """Implements `services.ports.reading_redirects.RedirectRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def add(self, record: RedirectRecord) -> None:
        await self._connection.execute(
            insert(reading_redirects).values(
                reading_id=record.reading,
                redirect_uri=record.redirect_uri,
                state=record.state,
                code_challenge=record.code_challenge,
                handle_sha256=record.handle_sha256,
                title_ja=record.title_ja,
                title_en=record.title_en,
                basic_four=record.basic_four,
            )
        )

    async def open(
        self, handle_sha256: bytes, terminal: str, browser_sha256: bytes, now: datetime
    ) -> RedirectRecord | None:
        waiting = exists().where(
            _r.id == _d.reading_id, _r.terminal_id == terminal, _r.state == OPEN, _r.expires_at > now
        )
        opened = await self._connection.execute(
            update(reading_redirects)
            .where(_d.handle_sha256 == handle_sha256, _d.browser_sha256.is_(None), waiting)
            .values(browser_sha256=browser_sha256)
            .returning(*reading_redirects.c)
        )
        return _build(opened.one_or_none())

    async def reopen(self, reading: str) -> None:
        await self._connection.execute(
            update(reading_redirects).where(_d.reading_id == reading).values(browser_sha256=None)
        )

    async def leave(
        self, browser_sha256: bytes, code_sha256: bytes, code_until: datetime, now: datetime
    ) -> RedirectRecord | None:
        ended = exists().where(_r.id == _d.reading_id, _r.ended_at.is_not(None))
        left = await self._connection.execute(
            update(reading_redirects)
            .where(_d.browser_sha256 == browser_sha256, _d.code_sha256.is_(None), ended)
            .values(code_sha256=code_sha256, code_expires_at=code_until)
            .returning(*reading_redirects.c)
        )
        return _build(left.one_or_none())

    async def redeem(self, code_sha256: bytes, client: str, now: datetime) -> RedirectRecord | None:
        own = exists().where(_r.id == _d.reading_id, _r.client == client)
        redeemed = await self._connection.execute(
            update(reading_redirects)
            .where(_d.code_sha256 == code_sha256, _d.redeemed_at.is_(None), _d.code_expires_at > now, own)
            .values(redeemed_at=now)
            .returning(*reading_redirects.c)
        )
        return _build(redeemed.one_or_none())

    async def is_used(self, code_sha256: bytes) -> bool:
        used = select(exists().where(_d.code_sha256 == code_sha256, _d.redeemed_at.is_not(None)))
        return bool((await self._connection.execute(used)).scalar_one())


def _build(row: Row[Any] | None) -> RedirectRecord | None:
    if row is None:
        return None
    return RedirectRecord(
        row.reading_id,
        row.redirect_uri,
        row.state,
        row.code_challenge,
        row.handle_sha256,
        row.title_ja,
        row.title_en,
        row.basic_four,
        row.browser_sha256,
        row.code_sha256,
    )
