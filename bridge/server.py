"""The loopback socket: gate, connections, and the one page that owns the terminal (`docs/wire.md` 4). On the event
loop.

Deciding is the machine's (`bridge/protocol.py`); here is only what moves bytes and time.
"""

from __future__ import annotations

import asyncio
import contextlib
import http
import logging
import secrets
import socket
import sys
import time
from collections.abc import Callable
from typing import Protocol

import structlog
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidHeader
from websockets.headers import parse_subprotocol
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from bridge.card.pin import Pin
from bridge.effects import (
    Claim,
    Close,
    Effect,
    EndOutput,
    EndVisit,
    GivePin,
    Note,
    Overdue,
    Send,
    StartOutput,
    StartVisit,
)
from bridge.errors import BridgeError, SettingsError
from bridge.gate import REFUSAL_TEXT, HandshakeRequest, RateLimiter, Refusal, judge_load, judge_request
from bridge.log import SampledCount
from bridge.messages import MAXIMUM_BYTES, SUBPROTOCOL, Reader, build_bridge_message
from bridge.output.order import OutputEnd
from bridge.protocol import PageConnection
from bridge.settings import HOST
from bridge.ticket import ChallengeTicket, OutputTicket, Terminal, UsedTickets
from bridge.visit import VisitReport

OUTBOX = 64  # messages; a page that does not read them is gone
UNFINISHED_HANDSHAKES = 64
CLOSE_SECONDS = 1.0

_log = structlog.get_logger("bridge.server")


class Visits(Protocol):
    """What a page connection asks of the card worker."""

    def begin(self, challenge: ChallengeTicket) -> None: ...

    def give_pin(self, challenge: str, pin: Pin) -> None: ...

    def end(self, challenge: str, error: BridgeError) -> None: ...


class Outputs(Protocol):
    """What a page connection asks of the hand-over."""

    def begin(self, output: OutputTicket) -> None: ...

    def end(self, output: str, error: BridgeError) -> None: ...


class _Session:
    """One open socket, its machine, and the messages that wait to be written."""

    def __init__(self, socket: ServerConnection, machine: PageConnection) -> None:
        self.socket = socket
        self.machine = machine
        self._outbox: asyncio.Queue[str | Close] = asyncio.Queue(OUTBOX)

    def put(self, item: str | Close) -> None:
        try:
            self._outbox.put_nowait(item)
        except asyncio.QueueFull:
            self.socket.transport.abort()

    async def write(self) -> None:
        """Write until the socket closes. Cancelled by the reader when the page goes first."""
        with contextlib.suppress(ConnectionClosed):
            while True:
                item = await self._outbox.get()
                if isinstance(item, Close):
                    await self.socket.close(item.code)
                    return
                await self.socket.send(item)


class BridgeServer:
    """Listens on 127.0.0.1. `report` and `show_reader` bring in what the worker and the desk have to say."""

    def __init__(
        self,
        terminal: Terminal,
        visits: Visits,
        outputs: Outputs,
        *,
        version: str,
        reader: Reader,
        overdue: Callable[[], None],
    ) -> None:
        """`reader` is what holds now; `overdue` is called when the card worker does not answer in time."""
        self._terminal = terminal
        self._visits = visits
        self._outputs = outputs
        self._version = version
        self._reader = reader
        self._overdue = overdue
        self._used = UsedTickets()
        self._limiter = RateLimiter(time.monotonic())
        self._refusals = SampledCount()
        self._unfinished: dict[ServerConnection, None] = {}
        self._open: set[ServerConnection] = set()
        self._sessions: set[_Session] = set()
        self._owner: _Session | None = None
        self._server: Server | None = None
        self._host = ""

    @property
    def address(self) -> str:
        """Where the bridge listens, host and port."""
        return self._host

    async def start(self, port: int) -> int:
        """Begin to listen; returns the port, which is a free one for 0. Raises `SettingsError` when it is taken."""
        listener = _listen(port)
        self._host = f"{HOST}:{listener.getsockname()[1]}"
        server = self

        class GatedConnection(ServerConnection):
            """Keeps the count of sockets, also of those that never finish their handshake."""

            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                super().connection_made(transport)
                server._unfinished[self] = None
                if len(server._unfinished) > UNFINISHED_HANDSHAKES:
                    # the oldest: a browser is done in milliseconds, so a flood pushes out its own
                    oldest = next(iter(server._unfinished))
                    del server._unfinished[oldest]
                    oldest.transport.abort()

            def connection_lost(self, exc: Exception | None) -> None:
                server._open.discard(self)
                server._unfinished.pop(self, None)
                super().connection_lost(exc)

        self._server = await serve(
            self._serve_page,
            sock=listener,
            process_request=self._judge_handshake,
            process_response=self._even_out,
            select_subprotocol=lambda _connection, _offered: Subprotocol(SUBPROTOCOL),
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None,
            server_header=None,
            open_timeout=3,
            ping_interval=10,
            ping_timeout=10,
            close_timeout=CLOSE_SECONDS,
            max_size=MAXIMUM_BYTES,
            max_queue=4,
            logger=logging.getLogger("websockets.server"),
            create_connection=GatedConnection,
        )
        _log.info("listening", address=self._host)
        return int(listener.getsockname()[1])

    async def stop(self) -> None:
        """Close every socket and stop listening."""
        if self._server is None:
            return
        self._server.close()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._server.wait_closed()
        except TimeoutError:
            for connection in tuple(self._open):
                connection.transport.abort()
            await self._server.wait_closed()

    def report(self, report: VisitReport | OutputEnd) -> None:
        """One report of the card worker or of the hand-over, for the page that owns the terminal."""
        if self._owner is not None:
            self._perform(self._owner, self._owner.machine.report(report, time.monotonic()))

    def show_reader(self, reader: Reader) -> None:
        """The reader or the card on it has changed."""
        self._reader = reader
        for session in tuple(self._sessions):
            self._perform(session, session.machine.show_reader(reader))

    # ---- the gate ----

    def _judge_handshake(self, connection: ServerConnection, request: Request) -> Response | None:
        now = time.monotonic()
        self._unfinished.pop(connection, None)
        refusal = judge_load(sockets=len(self._open), within_rate=self._limiter.take(now))
        if refusal is None:
            refusal = judge_request(
                HandshakeRequest(
                    method=request.method,
                    path=request.path,
                    hosts=request.headers.get_all("Host"),
                    origins=request.headers.get_all("Origin"),
                    subprotocols=_offered(request.headers),
                ),
                host=self._host,
                origin=self._terminal.origin,
                subprotocol=SUBPROTOCOL,
            )
        if refusal is None:
            self._open.add(connection)
            return None
        self._note_refusal(refusal, now)
        return _refuse(refusal.status)

    def _even_out(self, connection: ServerConnection, _request: Request, response: Response) -> Response | None:
        """A handshake that passed the gate and failed in the library is refused with the same text as any other."""
        if response.status_code == http.HTTPStatus.SWITCHING_PROTOCOLS:
            return None
        if connection in self._open:
            self._open.discard(connection)
            self._note_refusal(Refusal(400, "handshake"), time.monotonic())
            return _refuse(400)
        return None

    def _note_refusal(self, refusal: Refusal, now: float) -> None:
        counts = self._refusals.count(refusal.step, now)
        if counts is not None:
            _log.warning("handshakes_refused", counts=counts)

    # ---- one connection ----

    async def _serve_page(self, connection: ServerConnection) -> None:
        machine = PageConnection(
            terminal=self._terminal,
            address=self._host,
            version=self._version,
            nonce=secrets.token_bytes(32),
            bridge_key=X25519PrivateKey.generate(),
            used=self._used,
            reader=self._reader,
            now=time.monotonic(),
        )
        session = _Session(connection, machine)
        self._sessions.add(session)
        writer = asyncio.create_task(session.write())
        try:
            await self._read(session)
        except ConnectionClosed:
            pass
        except Exception:
            _log.exception("connection_broken")
        finally:
            self._sessions.discard(session)
            closing = machine.closed
            # first the machine: a running visit must end although nobody listens any more
            self._perform(session, machine.lose())
            if self._owner is session:
                self._owner = None
                _log.info("page_left")
            if closing:  # let the messages before the close, and the close itself, go out
                await asyncio.wait({writer}, timeout=2 * CLOSE_SECONDS)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer

    async def _read(self, session: _Session) -> None:
        machine = session.machine
        while not machine.closed:
            try:
                async with asyncio.timeout(_remaining(machine.deadline)):
                    text = await session.socket.recv()
            except TimeoutError:
                effects = machine.expire(time.monotonic())
            else:
                effects = machine.receive(text, time.monotonic())
            self._perform(session, effects)

    def _perform(self, session: _Session, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                session.put(build_bridge_message(effect.message))
            elif isinstance(effect, StartVisit):
                self._visits.begin(effect.challenge)
            elif isinstance(effect, GivePin):
                self._visits.give_pin(effect.challenge, effect.pin)
            elif isinstance(effect, EndVisit):
                self._visits.end(effect.challenge, effect.error)
            elif isinstance(effect, StartOutput):
                self._outputs.begin(effect.output)
            elif isinstance(effect, EndOutput):
                self._outputs.end(effect.output, effect.error)
            elif isinstance(effect, Claim):
                self._claim(session)
            elif isinstance(effect, Close):
                _log.info("connection_closing", close_code=effect.code, reason=effect.reason)
                session.put(effect)
            elif isinstance(effect, Overdue):
                _log.error("card_step_overdue", state=effect.state)
                self._overdue()
            elif isinstance(effect, Note):
                _log.warning(effect.event, reason=effect.reason)

    def _claim(self, session: _Session) -> None:
        """The newest page that has proven itself owns the terminal."""
        older, self._owner = self._owner, session
        _log.info("page_verified", superseded=older is not None)
        if older is not None:
            self._perform(older, older.machine.displace())


def _remaining(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - time.monotonic())


def _refuse(status: int) -> Response:
    body = REFUSAL_TEXT.encode()
    headers = Headers()
    headers["Connection"] = "close"
    headers["Content-Length"] = str(len(body))
    headers["Content-Type"] = "text/plain; charset=utf-8"
    return Response(status, http.HTTPStatus(status).phrase, headers, body)


def _offered(headers: Headers) -> list[str]:
    try:
        return [name for value in headers.get_all("Sec-WebSocket-Protocol") for name in parse_subprotocol(value)]
    except InvalidHeader:
        return []


def _listen(port: int) -> socket.socket:
    # with the protocol named, asyncio switches Nagle's algorithm off; without, each second message waits 40 ms
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform == "win32":
            # there, a second program could otherwise take the same port beside this one
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
    except OSError as trouble:
        listener.close()
        raise SettingsError(
            f"cannot listen on {HOST}:{port} ({trouble.strerror}); another program has the port, perhaps another bridge"
        ) from None
    return listener
