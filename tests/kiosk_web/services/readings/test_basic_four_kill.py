"""A server killed anywhere in a visit with the basic 4 information: no plain copy, the resident is told, nothing twice.

A real process with its own sockets gets SIGKILL. No secret of the card ever comes to a server, so this terminal in
software has none that could be looked for.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiohttp import web

from tests.support.basic_four import ADDRESS, NAME, build_basic_four, build_items, build_services, tell_tries
from tests.support.basic_four_killing import KillableServer
from tests.support.jpki import Issued, issue
from tests.support.kazashi import take_ticket
from tests.support.kiosk_server import run_stand
from tests.support.own_bridge import find_free_port
from tests.support.planted import Planted, read_files
from tests.support.receiver import build_systems, unseal
from tests.support.terminal import Stage, Terminal
from tests.support.web_server import serve

pytestmark = [
    pytest.mark.long,
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork server"),
]
FOUR = Planted(
    {
        "name": (NAME, "髙子"),
        "address": (ADDRESS, "みほん荘"),
        "birth": ("19800217", "1980-02-17", "1980年2月17日", "昭和55年2月17日"),
        "sex": ('"sex":"2"', '"sex": "2"', b"19800217\0\x012"),
        "items": (build_items(),),
    }
)


@dataclass
class Receiver:
    """The booking system: what came, and whether it answers."""

    url: str = ""
    answering: bool = True
    sent: list[str] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        self.sent.append(await request.text())
        self.came.set()
        if not self.answering:
            await asyncio.Event().wait()
        return web.Response()

    @property
    def kept(self) -> dict[str, Any]:
        """By their id, the first of two, as docs/basic-four.md has receivers do it."""
        opened = [unseal(sealed) for sealed in self.sent]
        return {header["reading"]: json.loads(plain) for header, plain in reversed(opened)}


@contextlib.asynccontextmanager
async def run_receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with serve(receiver.take) as port:
        receiver.url = f"http://127.0.0.1:{port}/readings"
        yield receiver


@dataclass
class Visit:
    """A terminal in software before a server that can be killed."""

    server: KillableServer
    receiver: Receiver
    terminal: Terminal
    card: Issued
    streamed: list[str] = field(default_factory=list)

    async def wait_for(self, *states: str) -> Stage:
        """Read the page's stream until it shows one of these."""
        async with self.terminal.client.stream("GET", "/k/stream") as stream:
            lines: list[str] = []
            async for line in stream.aiter_lines():
                if line.startswith("data: "):
                    lines.append(line[6:])
                elif lines and not line:
                    stage = Stage("\n".join(lines))
                    self.streamed.append(stage.html)
                    lines = []
                    if stage.state in states:
                        return stage
        raise AssertionError("the stream ended")

    async def agree(self) -> None:
        """From the first screen to the answer to 同意する."""
        assert (await self.terminal.open_page()).state == "choosing_service"
        await self.terminal.begin("facility")
        await self.terminal.read_card(self.card)
        await self.terminal.submit_pin()
        await self.terminal.sign(self.card)
        await self.wait_for("consenting")
        take_ticket(self.terminal, await self.terminal.send("consent_given"))

    async def reach_secret(self) -> None:
        """From there to the question for the secret, which is typed."""
        await self.terminal.read_card(self.card)
        await self.terminal.submit_pin()
        await self.terminal.sign(self.card)
        await self.wait_for("checking")
        await tell_tries(self.terminal)
        await self.wait_for("awaiting_text")
        await self.terminal.submit_pin()

    async def hand_over(self) -> Stage:
        """The event with the items, which can be sent a second time as it was: `send_again`."""
        self.told = build_basic_four(self.terminal, self.card)
        return await self.terminal.send("basic_four_read", **self.told)

    async def send_again(self) -> Stage:
        return await self.terminal.send_as(self.terminal.seq, "basic_four_read", **self.told)

    async def kill_while_handing_over(self) -> None:
        """The items are under way when the server dies at its point; the request has no answer, or had one."""
        handing = asyncio.create_task(self.hand_over())
        await self.server.wait_for_point()
        self.server.kill()
        await asyncio.gather(handing, return_exceptions=True)

    def find_plain(self) -> set[tuple[str, str]]:
        """In the data folder as the dead server left it, in its log, and in what it streamed."""
        files = read_files(self.server.settings.data)
        assert {"kiosk.sqlite3", "kiosk.sqlite3-wal", "kiosk.sqlite3-shm"} <= set(files)
        files |= {"log": self.server.logs.read_bytes(), "stream": "".join(self.streamed).encode()}
        return FOUR.find_in(files)


@pytest.fixture
async def visit(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Visit]:
    async with run_receiver() as receiver:
        systems = build_systems(webhook_url=receiver.url)
        port = find_free_port()
        async with run_stand(tmp_path, systems=systems, services=build_services(), port=port, staff_port=0) as stand:
            server = KillableServer(stand.server.settings, stand.root, tmp_path / "kiosk.log")
            transport = httpx2.ASGITransport(stand.server.resident)
            enrolled = Terminal(httpx2.AsyncClient(transport=transport, base_url=server.settings.origin))
            await enrolled.enrol((await stand.server.enrolment.add_terminal("library-1")).code)
        async with httpx2.AsyncClient(base_url=server.settings.origin, timeout=20) as client:
            terminal = Terminal(client, enrolled.key)
            terminal.id = enrolled.id
            yield Visit(server, receiver, terminal, issue(stand.root, serial=0x0A1B2C3D))
            server.kill()


async def test_killed_after_the_consent_the_page_says_so_and_nothing_was_read(visit: Visit) -> None:
    visit.server.start()
    await visit.agree()
    visit.server.kill()
    assert visit.find_plain() == set()
    visit.server.start()
    told = await visit.terminal.open_page(again=True)
    assert told.state == "result"
    assert 'data-end="failed"' in told.html
    assert "K-110" in told.html
    assert visit.receiver.sent == []


async def test_killed_before_the_commit_nothing_is_kept_and_the_page_says_so(visit: Visit) -> None:
    visit.server.start("sealed")
    await visit.agree()
    await visit.reach_secret()
    await visit.kill_while_handing_over()
    assert visit.find_plain() == set()
    visit.server.start()
    told = await visit.terminal.open_page(again=True)
    assert told.state == "result"
    assert 'data-end="failed"' in told.html
    assert "K-110" in told.html
    late = await visit.hand_over()
    assert late.state == "result"
    assert visit.receiver.sent == []
    visit.server.kill()
    assert visit.find_plain() == set()


async def test_killed_before_the_commit_the_same_page_sends_once_more(visit: Visit) -> None:
    """As `static/kiosk.js` does while the server is away for less than five seconds."""
    visit.server.start("items_received")
    await visit.agree()
    await visit.reach_secret()
    await visit.kill_while_handing_over()
    assert visit.find_plain() == set()
    visit.server.start()
    sent = await visit.send_again()
    assert sent.state == "basic_four_sent"
    assert NAME in sent.html  # the direct answer
    await asyncio.wait_for(visit.receiver.came.wait(), 20)
    again = await visit.send_again()
    assert (again.state, again.refusal) == ("basic_four_sent", "sequence")
    assert FOUR.find(again.html.encode()) == set()
    visit.server.kill()
    assert visit.find_plain() == set()
    (kept,) = visit.receiver.kept.values()
    assert kept["basic_four"]["name"] == NAME


@pytest.mark.parametrize("point", ["committed", "answering", "taken"])
async def test_killed_after_the_commit_it_is_delivered_once(visit: Visit, point: Any) -> None:
    """`answering`: the receiver has the whole reading, and its answer is under way."""
    visit.receiver.answering = point != "answering"
    visit.server.start("" if point == "answering" else point)
    await visit.agree()
    await visit.reach_secret()
    if point == "answering":
        assert (await visit.hand_over()).state == "basic_four_sent"
        await asyncio.wait_for(visit.receiver.came.wait(), 20)
        visit.server.kill()
    else:
        await visit.kill_while_handing_over()
    before = len(visit.receiver.sent)
    assert before == (0 if point == "committed" else 1)
    assert visit.find_plain() == set()
    visit.receiver.answering, visit.receiver.came = True, asyncio.Event()
    visit.server.start()
    told = await visit.terminal.open_page(again=True)
    assert told.state == "basic_four_sent"
    assert "みほん市 施設予約システム" in told.html
    assert FOUR.find(told.html.encode()) == set()  # shown once, to the page that brought them
    await asyncio.wait_for(visit.receiver.came.wait(), 20)
    result = await visit.terminal.send("finished")
    assert 'data-end="sent"' in result.html
    assert len(visit.receiver.sent) == before + 1
    (kept,) = visit.receiver.kept.values()
    assert kept["basic_four"]["address"] == ADDRESS
    visit.server.kill()
    assert visit.find_plain() == set()


def test_a_plain_copy_would_be_found(tmp_path: Path) -> None:
    for number, content in enumerate(
        (NAME.encode(), ADDRESS.encode("utf-16-le"), json.dumps({"sex": "2"}).encode(), json.dumps(NAME).encode())
    ):
        (tmp_path / str(number)).write_bytes(b"\x01" + content + b"\x02")
    assert FOUR.find_in(read_files(tmp_path)) == {("0", "name"), ("1", "address"), ("2", "sex"), ("3", "name")}
