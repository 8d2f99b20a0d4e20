"""The page that stands for the window in a demo without a desktop: who reaches it, and that it acts as a window."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from bridge.personal.stand_in import SUBPROTOCOL, StandIn
from bridge.personal.view import Agreed, View, WindowAction
from tests.support.personal import HOME_PAGE, PATIENCE_SECONDS

DESK = "http://127.0.0.1:8485"


@contextlib.asynccontextmanager
async def standing() -> AsyncIterator[StandIn]:
    stand_in = StandIn(DESK, None)
    await stand_in.start(0)
    try:
        yield stand_in
    finally:
        await stand_in.stop()


def look(stand_in: StandIn, origin: str = "") -> Any:
    address = stand_in.url.replace("http", "ws") + "/window"
    return connect(address, origin=Origin(origin or stand_in.url), subprotocols=[SUBPROTOCOL], proxy=None)


async def hear(viewer: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return dict(json.loads(await viewer.recv()))


async def fetch(stand_in: StandIn, path: str, host: str = "") -> str:
    """Head and body of the answer."""
    address = stand_in.url.removeprefix("http://")
    reader, writer = await asyncio.open_connection(*address.split(":"))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host or address}\r\n\r\n".encode())
    async with asyncio.timeout(PATIENCE_SECONDS):
        answer = (await reader.read()).decode()
    writer.close()
    return answer


def test_it_shows_what_the_window_would_and_hands_on_what_is_done() -> None:
    async def story() -> None:
        async with standing() as stand_in:
            acted: list[WindowAction] = []
            async with look(stand_in) as viewer:
                assert await hear(viewer) == {"step": "closed"}
                pane = stand_in.open(acted.append)
                pane.show(View("asking", HOME_PAGE, "facility-booking"))
                shown = await hear(viewer)
                assert (shown["step"], shown["origin"]) == ("asking", HOME_PAGE)
                assert shown["ja"]["heading"] == "本人確認の求め"
                await viewer.send("nonsense")
                await viewer.send('{"act":"agree"}')
                async with look(stand_in) as late:
                    assert (await hear(late))["step"] == "asking"
                pane.close()
                assert await hear(viewer) == {"step": "closed"}
                pane.show(View("pin", HOME_PAGE, "facility-booking"))
                await viewer.send('{"act":"agree"}')
            assert acted == [Agreed()]

    asyncio.run(story())


def test_it_says_of_itself_that_it_is_no_window_and_only_the_desk_may_frame_it() -> None:
    async def story() -> None:
        async with standing() as stand_in:
            page = await fetch(stand_in, "/")
            assert page.startswith("HTTP/1.1 200")
            assert "デモ専用" in page
            assert f"frame-ancestors {DESK}" in page
            assert "form-action 'none'" in page
            assert "HTTP/1.1 404" in await fetch(stand_in, "/stand_in.py")
            assert "HTTP/1.1 404" in await fetch(stand_in, "/fonts/../stand_in.html")
            assert "HTTP/1.1 403" in await fetch(stand_in, "/", host="evil.example")

    asyncio.run(story())


def test_no_other_page_looks_on_or_acts() -> None:
    async def story() -> None:
        async with standing() as stand_in:
            for origin in (DESK, "https://evil.example", "null"):
                with pytest.raises(InvalidStatus) as refusal:
                    async with look(stand_in, origin):
                        raise AssertionError(origin)
                assert refusal.value.response.status_code == 403

    asyncio.run(story())
