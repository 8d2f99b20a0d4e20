"""What a redirected reading asks of page, client and terminal before anything is shown or anybody is sent anywhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from kiosk_web.services.ports.clients import ClientRecord
from kiosk_web.services.ports.reading_redirects import RedirectRecord
from kiosk_web.services.ports.readings import ReadingRecord
from kiosk_web.services.ports.terminals import PageRecord, TerminalRecord
from kiosk_web.services.readings.redirects import OpenedReading, OpenRefused, RedirectService
from kiosk_web.services.readings.requests import ReadingRefused, ReadingRequest, ReadingService

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
BACK = "https://booking.example/back"
CLIENT = ClientRecord("gym", ("hall",), ("ocsp",), (), 60, NOW, terminals=("library-1",), redirect_uris=(BACK,))
REDIRECT = RedirectRecord("r1", BACK, "state", "challenge", bytes(32))
RECORD = ReadingRecord(
    "r1", "gym", "hall", "counter", "t1", "library-1", "nonce", "waiting", NOW, NOW + timedelta(seconds=120)
)
TERMINAL = TerminalRecord("t1", "library-1", "http://127.0.0.1:8480", bytes(32), NOW, NOW, None)
PAGE = PageRecord("p1", "t1", True)
ASKED = ReadingRequest("hall", "counter", "library-1", "nonce")


class Played:
    """Store, rows and the screen of a terminal. `steps`: what was changed, in order."""

    def __init__(self, client: ClientRecord | None = CLIENT, terminal: TerminalRecord | None = TERMINAL) -> None:
        self.client, self.terminal = client, terminal
        self.steps: list[str] = []
        self.live = True
        self.terminals = SimpleNamespace(has_told=self._yes, find_by_name=self._terminal, find=self._terminal)
        self.reading_redirects = SimpleNamespace(open=self._open, leave=self._leave, reopen=self._note("reopen"))
        self.asked_readings = SimpleNamespace(load=self._load, add=self._add, drop=self._note("drop"))
        self.clients = SimpleNamespace(find=self._client)
        parts: dict[str, Any] = {
            "clock": lambda: NOW,
            "entropy": bytes,
            "issuer": "https://kiosk.example",
            "store": self,
        }
        offer = SimpleNamespace(
            find=lambda service: SimpleNamespace(
                system="hall", terms=SimpleNamespace(reading_screen=True, usable_online=True), basic_four=None
            )
        )
        self.readings = ReadingService(
            sessions=self,  # type: ignore[arg-type]
            monitoring=SimpleNamespace(is_live=lambda _: self.live),  # type: ignore[arg-type]
            offer=offer,  # type: ignore[arg-type]
            in_use=SimpleNamespace(serves=lambda _: True),  # type: ignore[arg-type]
            keys=None,  # type: ignore[arg-type]
            feed=None,  # type: ignore[arg-type]
            lifetime=timedelta(seconds=120),
            **parts,
        )
        self.redirects = RedirectService(readings=SimpleNamespace(show=self._show), **parts)  # type: ignore[arg-type]

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:
        yield self

    def _note(self, step: str) -> Any:
        async def note(*_: Any) -> None:
            self.steps.append(step)

        return note

    async def _yes(self, *_: Any) -> bool:
        return True

    async def _terminal(self, *_: Any) -> TerminalRecord | None:
        return self.terminal

    async def _client(self, *_: Any) -> ClientRecord | None:
        return self.client

    async def _load(self, *_: Any) -> ReadingRecord:
        return RECORD

    async def _add(self, *_: Any) -> bool:
        self.steps.append("add")
        return True

    async def _open(self, *_: Any) -> RedirectRecord:
        self.steps.append("open")
        return REDIRECT

    async def _leave(self, *_: Any) -> RedirectRecord:
        self.steps.append("leave")
        return REDIRECT

    async def _show(self, *_: Any) -> Any:
        self.steps.append("show")
        return SimpleNamespace(refusal="", snapshot=None)


async def test_a_page_that_was_taken_over_opens_nothing_and_uses_up_no_handle() -> None:
    played = Played()
    assert await played.redirects.open(replace(PAGE, current=False), "handle") == OpenRefused("reading_unusable")
    assert played.steps == []
    assert isinstance(await played.redirects.open(PAGE, "handle"), OpenedReading)
    assert played.steps == ["open", "show"]


@pytest.mark.parametrize(
    "client",
    [
        None,
        replace(CLIENT, revoked_at=NOW),
        replace(CLIENT, redirect_uris=(BACK + "/",)),
        replace(CLIENT, redirect_uris=()),
    ],
    ids=["gone", "revoked", "another address", "no address"],
)
async def test_nobody_is_shown_to_or_sent_to_an_address_that_is_not_the_clients_own(
    client: ClientRecord | None,
) -> None:
    played = Played(client)
    assert await played.redirects.open(PAGE, "handle") == OpenRefused("reading_unusable")
    assert await played.redirects.leave("browser") is None
    assert played.steps == ["open", "leave"]
    back = await Played().redirects.leave("browser")
    assert back is not None
    assert back.startswith(f"{BACK}?code=")


async def test_a_terminal_that_is_unknown_revoked_or_not_there_keeps_no_request() -> None:
    unknown, revoked = Played(terminal=None), Played(terminal=replace(TERMINAL, revoked_at=NOW))
    assert await unknown.readings.request(CLIENT, ASKED) == ReadingRefused("terminal_not_permitted")
    assert await revoked.readings.request(CLIENT, ASKED) == ReadingRefused("terminal_offline")
    assert unknown.steps == revoked.steps == []
    offline = Played()
    offline.live = False
    assert await offline.readings.request(CLIENT, ASKED) == ReadingRefused("terminal_offline")
    assert offline.steps == ["add", "drop"]
