"""Both listeners on real sockets: streams push, the older page steps aside, and the server stops at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from kiosk_web.adapters.store.migration import migrate
from kiosk_web.listener import open_socket
from kiosk_web.server import serve
from kiosk_web.settings.server import Settings
from kiosk_web.wiring.command import run_enrolment
from tests.support.jpki import build_root
from tests.support.kiosk_server import build_settings
from tests.support.terminal import Stage, Terminal

pytestmark = pytest.mark.anyio


class Running:
    """`kiosk serve` in this loop, on free ports."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.addresses: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(serve(settings, self.addresses.set_result))

    async def terminal(self) -> Terminal:
        address = (await self.addresses)["kiosk"]
        terminal = Terminal(httpx2.AsyncClient(base_url=address, timeout=60))
        invitation = await run_enrolment(self.settings, lambda enrolment: enrolment.add_terminal("library-1"))
        assert (await terminal.enrol(invitation.code)).json()["origin"] == address
        await terminal.open_page()
        return terminal


@pytest.fixture
async def running(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Running]:
    started = Running(build_settings(tmp_path, build_root(2023), port=0, staff_port=0))
    await started.addresses
    yield started
    if not started.task.done():
        os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(started.task, 60)


class Stream:
    """The messages of one event stream, as the browser gets them."""

    def __init__(self, lines: AsyncGenerator[str, None]) -> None:
        self.lines = lines

    async def next(self) -> Stage | None:
        data: list[str] = []
        async for line in self.lines:
            if line.startswith("data:"):
                data.append(line[5:].removeprefix(" "))
            elif not line and data:
                return Stage("\n".join(data))
        return None


@contextlib.asynccontextmanager
async def streaming(client: httpx2.AsyncClient, path: str) -> AsyncIterator[Stream]:
    async with client.stream("GET", path) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        async with aclosing(response.aiter_lines()) as lines:
            yield Stream(lines)


async def test_the_stream_tells_the_state_at_once_and_after_each_change(running: Running) -> None:
    terminal = await running.terminal()
    async with aclosing(terminal.client), streaming(terminal.client, "/k/stream") as stream:
        first = await stream.next()
        assert first is not None
        assert first.state == "choosing_service"
        answered = await terminal.send("service_chosen", service="library")
        pushed = await stream.next()
        assert pushed is not None
        assert (pushed.state, pushed.version) == ("awaiting_card", answered.version)


async def test_the_stream_of_the_older_page_is_told_and_ends(running: Running) -> None:
    terminal = await running.terminal()
    newer = Terminal(httpx2.AsyncClient(base_url=terminal.origin, timeout=60), terminal.key)
    newer.id = terminal.id
    async with aclosing(terminal.client), aclosing(newer.client), streaming(terminal.client, "/k/stream") as stream:
        assert await stream.next() is not None
        assert (await newer.open_page()).state == "choosing_service"
        told = await stream.next()
        assert told is not None
        assert (told.state, told.code) == ("superseded", "superseded")
        assert await stream.next() is None


async def test_a_revoked_terminal_is_told_while_it_looks_on(running: Running) -> None:
    terminal = await running.terminal()
    async with aclosing(terminal.client), streaming(terminal.client, "/k/stream") as stream:
        assert await stream.next() is not None
        await run_enrolment(running.settings, lambda enrolment: enrolment.revoke_terminal("library-1"))
        told = await stream.next()
        assert told is not None
        assert (told.state, told.code) == ("out_of_service", "terminal_revoked")


async def test_the_staff_page_follows_the_terminals(running: Running) -> None:
    terminal = await running.terminal()
    staff = httpx2.AsyncClient(base_url=(await running.addresses)["staff"], timeout=60)
    async with aclosing(terminal.client), aclosing(staff), streaming(staff, "/stream") as rows:
        before = await rows.next()
        assert before is not None
        assert 'data-state="offline"' in before.html
        async with streaming(terminal.client, "/k/stream") as stream:
            assert await stream.next() is not None
            live = await rows.next()
            assert live is not None
            assert 'data-state="choosing_service"' in live.html
        after = await rows.next()
        assert after is not None
        assert 'data-state="offline"' in after.html


async def test_open_streams_do_not_keep_the_server_from_stopping(running: Running) -> None:
    terminal = await running.terminal()
    async with aclosing(terminal.client), streaming(terminal.client, "/k/stream") as stream:
        assert await stream.next() is not None
        os.kill(os.getpid(), signal.SIGTERM)
        assert await stream.next() is None
        await asyncio.wait_for(running.task, 60)


def test_on_windows_no_second_program_can_take_the_port_of_a_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    """There, a port is shared with whoever asks to share it, unless its first owner objects."""
    options: list[tuple[int, int, int]] = []

    class Socket(socket.socket):
        def setsockopt(self, *given: Any) -> None:
            options.append(given)

    monkeypatch.setattr("kiosk_web.listener.sys.platform", "win32")
    monkeypatch.setattr(socket, "SO_EXCLUSIVEADDRUSE", -5, raising=False)
    monkeypatch.setattr(socket, "socket", Socket)
    open_socket("127.0.0.1", 0, "port").close()
    assert options == [(socket.SOL_SOCKET, -5, 1)]


async def test_a_port_that_is_taken_is_named(tmp_path: Path, running: Running) -> None:
    from kiosk_web.errors import SettingsError

    port = int((await running.addresses)["kiosk"].rpartition(":")[2])
    apart = tmp_path / "apart"  # on the same data it would be refused for that
    apart.mkdir()
    other = build_settings(apart, build_root(2023), port=port, staff_port=0)
    with pytest.raises(SettingsError, match=f"port 127.0.0.1:{port}"):
        await serve(other, lambda addresses: None)


def test_migrating_twice_does_nothing_the_second_time(tmp_path: Path) -> None:
    assert migrate(tmp_path / "fresh")
    assert not migrate(tmp_path / "fresh")
    assert (tmp_path / "fresh" / "kiosk.sqlite3").stat().st_mode & 0o077 == 0
