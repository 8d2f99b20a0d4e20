"""The real server on a database of its own, with a clock that tests set and a responder that tests play."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from cryptography.hazmat.primitives.serialization import Encoding

from kiosk_web.pki.plan import FetchFailure
from kiosk_web.services.persons.register import Register
from kiosk_web.session.states import Result
from kiosk_web.settings.server import Settings
from kiosk_web.wiring.server import Server, build_server
from tests.support.database import lay_database, run_statement
from tests.support.jpki import NOW, Issued, Root, build_root, issue
from tests.support.ocsp_answers import AnswerShape, answer
from tests.support.terminal import Stage, Terminal

PORT = 8480
ORIGIN = f"http://127.0.0.1:{PORT}"


@dataclass
class Clock:
    now: datetime = NOW
    lost: float = 0

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def set_back(self, seconds: float) -> None:
        """Somebody sets the clock; no time has passed."""
        self.now -= timedelta(seconds=seconds)
        self.lost += seconds

    def read_steady(self) -> float:
        return (self.now - NOW).total_seconds() + self.lost


@dataclass
class Responder:
    """Implements `services.status.validation.Fetcher`: answers with `shape`, or fails, once the gate is open. The first
    question sets `asked`.
    """

    root: Root
    clock: Clock
    shape: AnswerShape = field(default_factory=AnswerShape)
    failure: FetchFailure | None = None
    questions: int = 0

    def __post_init__(self) -> None:
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def fetch_ocsp(self, url: str, request: bytes) -> bytes | FetchFailure:
        self.questions += 1
        self.asked.set()
        await self.gate.wait()
        return self.failure or answer(request, self.root, shape=self._at(self.clock.now))

    def _at(self, now: datetime) -> AnswerShape:
        shift = now - NOW
        values = {name: getattr(self.shape, name) for name in self.shape.__dataclass_fields__}
        for name in ("this_update", "next_update", "produced_at"):
            if values[name] is not None:
                values[name] += shift
        return AnswerShape(**values)


@dataclass
class Stand:
    """A running server with everything around it."""

    server: Server
    clock: Clock
    responder: Responder
    root: Root
    data: Path

    def query(self, statement: str, *values: object) -> list[Any]:
        """One statement of SQL in the server's database, past the server."""
        return run_statement(self.data, statement, *values)

    def client(self) -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(self.server.resident, raise_app_exceptions=False)
        return httpx2.AsyncClient(transport=transport, base_url=ORIGIN)

    async def terminal(self, name: str = "library-1") -> Terminal:
        """Enrolled, its page not open yet."""
        terminal = Terminal(self.client())
        invitation = await self.server.enrolment.add_terminal(name)
        assert (await terminal.enrol(invitation.code)).status_code == 201
        return terminal

    async def opened(self, name: str = "library-1") -> Terminal:
        terminal = await self.terminal(name)
        assert (await terminal.open_page()).state == "choosing_service"
        return terminal

    def card(self, serial: int = 0x0A1B2C3D, **changes: object) -> Issued:
        return issue(self.root, serial=serial, **changes)  # type: ignore[arg-type]  # handed through

    async def typing(self, terminal: Terminal, card: Issued, service: str = "facility") -> None:
        """Up to the pad, with the status known if the gate is open."""
        await terminal.begin(service)
        await terminal.read_card(card)
        if self.responder.gate.is_set():
            await self.server.sessions.settle()

    async def identify(self, terminal: Terminal, card: Issued, service: str = "facility") -> Stage:
        """A whole visit with 暗証番号; the card is still there at the end."""
        await self.typing(terminal, card, service)
        await terminal.submit_pin()
        return await terminal.sign(card)

    async def read_result(self, terminal: Terminal) -> Result:
        """The result that the terminal shows now."""
        state = (await self.server.sessions.load(terminal.id)).state
        assert isinstance(state, Result)
        return state


def build_settings(folder: Path, root: Root, **changes: object) -> Settings:
    """A demo on a copy of an empty database, trusting `root` alone."""
    data, anchors = folder / "data", folder / "anchors"
    lay_database(data)
    anchors.mkdir(exist_ok=True)
    (anchors / "root.pem").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    values = {"data": data, "anchors": anchors, "ocsp_url": "http://127.0.0.1:9/", "port": PORT, **changes}
    return Settings(**values)


@contextlib.asynccontextmanager
async def run_stand(
    folder: Path,
    clock: Clock | None = None,
    *,
    is_clock_trusted: Callable[[], bool] | None = None,
    register: Register | None = None,
    **changes: object,
) -> AsyncIterator[Stand]:
    """The same folder again is the same server started again."""
    clock = clock or Clock()
    root = build_root(2023)
    responder = Responder(root, clock)
    settings = build_settings(folder, root, **changes)
    async with build_server(
        settings,
        clock=clock,
        steady=clock.read_steady,
        fetcher=responder,
        is_clock_trusted=is_clock_trusted,
        register=register,
    ) as server:
        yield Stand(server, clock, responder, root, settings.data)
        responder.gate.set()
