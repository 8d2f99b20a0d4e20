"""The terminal's socket: its connections, and the one page that owns the terminal (`docs/wire.md` 4). On the event
loop.

Deciding is the machine's (`bridge/protocol.py`); here is only what moves bytes and time.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from typing import Protocol

import structlog
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from bridge.card.pin import Secret
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
from bridge.errors import BridgeError
from bridge.gate import HandshakeRequest, Refusal, judge_request
from bridge.gated_socket import CLOSE_SECONDS, GatedSocket
from bridge.messages import MAXIMUM_BYTES, SUBPROTOCOL, Reader, build_bridge_message
from bridge.output.order import OutputEnd
from bridge.peer import PeerGate
from bridge.protocol import PageConnection
from bridge.ticket import ChallengeTicket, OutputTicket, Terminal, UsedTickets
from bridge.visit import VisitReport

OUTBOX = 64  # messages; a page that does not read them is gone

_log = structlog.get_logger("bridge.server")


class Visits(Protocol):
    """What a page connection asks of the card worker."""

    def begin(self, challenge: ChallengeTicket) -> None: ...

    def give_pin(self, challenge: str, pin: Secret) -> None: ...

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
        peer: PeerGate | None = None,
        keypad: bool = False,
    ) -> None:
        """`reader` is what holds now; `overdue` is called when the card worker does not answer in time; `keypad`: PINs
        are typed on the reader, where it has a keypad.
        """
        self._keypad = keypad
        self._terminal = terminal
        self._visits = visits
        self._outputs = outputs
        self._version = version
        self._reader = reader
        self._overdue = overdue
        self._used = UsedTickets()
        self._sessions: set[_Session] = set()
        self._owner: _Session | None = None
        self.socket = GatedSocket(
            self._judge_handshake,
            self._serve_page,
            subprotocol=SUBPROTOCOL,
            maximum_bytes=MAXIMUM_BYTES,
            peer=peer,
        )

    @property
    def address(self) -> str:
        """Where the bridge listens, host and port."""
        return self.socket.address

    async def start(self, port: int) -> int:
        """Begin to listen; returns the port, which is a free one for 0. Raises `SettingsError` when it is taken."""
        return await self.socket.start(port)

    async def stop(self) -> None:
        """Close every socket and stop listening."""
        await self.socket.stop()

    def report(self, report: VisitReport | OutputEnd) -> None:
        """One report of the card worker or of the hand-over, for the page that owns the terminal."""
        if self._owner is not None:
            self._perform(self._owner, self._owner.machine.report(report, time.monotonic()))

    def show_reader(self, reader: Reader) -> None:
        """The reader or the card on it has changed."""
        self._reader = reader
        for session in tuple(self._sessions):
            self._perform(session, session.machine.show_reader(reader))

    def _judge_handshake(self, handshake: HandshakeRequest, host: str) -> Refusal | None:
        return judge_request(handshake, host=host, origin=self._terminal.origin, subprotocol=SUBPROTOCOL)

    # ---- one connection ----

    async def _serve_page(self, connection: ServerConnection) -> None:
        machine = PageConnection(
            terminal=self._terminal,
            address=self.socket.address,
            version=self._version,
            nonce=secrets.token_bytes(32),
            bridge_key=X25519PrivateKey.generate(),
            used=self._used,
            reader=self._reader,
            now=time.monotonic(),
            keypad=self._keypad,
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
