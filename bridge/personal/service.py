"""Personal mode while it runs: the socket for pages, one request at a time, the window and the card put together.

On the event loop. Deciding is the dialog's (`bridge/personal/dialog.py`); here is what moves bytes and time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from bridge.card.transport import ReaderSource, ReadersSnapshot
from bridge.desk import CardDesk
from bridge.effects import EndVisit, GivePin, StartVisit
from bridge.errors import SettingsError
from bridge.gate import HandshakeRequest, Refusal
from bridge.gated_socket import GatedSocket
from bridge.messages import MalformedMessage, Reader, WrongVersion
from bridge.monitor import ReaderMonitor
from bridge.personal.dialog import Answer, CloseWindow, Dialog, DialogEffect, Show
from bridge.personal.messages import (
    MAXIMUM_BYTES,
    SUBPROTOCOL,
    Cancel,
    Identify,
    build_failed,
    build_window_open,
    parse_personal_message,
)
from bridge.personal.origins import judge_page
from bridge.personal.request import OriginPace, RequestRefused, judge_request
from bridge.personal.settings import PersonalSettings
from bridge.personal.view import WindowAction
from bridge.personal.window import OpenWindow, Window
from bridge.ticket import UsedTickets
from bridge.worker import CardWorker, Recognised, WorkerReport

FIRST_MESSAGE_SECONDS = 2.0
THREAD_STOP_SECONDS = 0.7
Item = TypeVar("Item", ReadersSnapshot, WorkerReport)

_log = structlog.get_logger("bridge.personal")


class _Request:
    """One dialog with its window, and the answer that the page waits for."""

    def __init__(self, dialog: Dialog) -> None:
        self.dialog = dialog
        self.window: Window | None = None
        self.answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()


class PersonalService:
    """Made inside a running event loop; `start` and `stop` are called once each."""

    def __init__(self, settings: PersonalSettings, source: ReaderSource, open_window: OpenWindow) -> None:
        """Raises `SettingsError` for a source that production must not have."""
        production = settings.deployment == "production"
        if production and source.virtual:
            raise SettingsError("a virtual reader has no place in production")
        self._settings = settings
        self._open_window = open_window
        self._loop = asyncio.get_running_loop()
        self._worker = CardWorker(
            source,
            report=lambda report: self._from_thread(self._dispatch, report),
            take_counter=lambda: 0,  # a terminal's evidence counts; there is no terminal here
            allow_simulated=not production,
        )
        self._desk = CardDesk(
            self._worker,
            show=self._show_reader,
            later=self._loop.call_later,
            entropy=os.urandom,
            production=production,
        )
        self._monitor = ReaderMonitor(source, lambda snapshot: self._from_thread(self._desk.observe, snapshot))
        self._socket = GatedSocket(
            self._judge_page, self._serve_page, subprotocol=SUBPROTOCOL, maximum_bytes=MAXIMUM_BYTES
        )
        self._used = UsedTickets()
        self._pace = OriginPace()
        self._request: _Request | None = None

    @property
    def address(self) -> str:
        """Where it listens, host and port."""
        return self._socket.address

    @property
    def reader(self) -> Reader:
        """The reader and what lies on it."""
        return self._desk.reader

    async def start(self) -> int:
        """Returns the port. Raises `SettingsError` when it is taken."""
        port = await self._socket.start(self._settings.port)
        self._worker.start()
        self._monitor.start()
        return port

    async def stop(self) -> None:
        """Close the window and every socket, let go of the card, end both threads."""
        if (request := self._request) is not None:
            self._perform(request, request.dialog.lose())
            self._drop(request)
        await self._socket.stop()
        for name, stop in (("worker", self._worker.stop), ("monitor", self._monitor.stop)):
            if not await asyncio.to_thread(stop, THREAD_STOP_SECONDS):
                _log.warning("thread_left_behind", thread=name)

    # ---- pages ----

    def _judge_page(self, handshake: HandshakeRequest, host: str) -> Refusal | None:
        settings = self._settings
        return judge_page(handshake, host=host, allowed=settings.origins, development=settings.development)

    async def _serve_page(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        origin = connection.request.headers["Origin"]  # exactly one: the gate has seen to it
        with contextlib.suppress(ConnectionClosed):
            try:
                async with asyncio.timeout(FIRST_MESSAGE_SECONDS):
                    message = parse_personal_message(await connection.recv())
            except TimeoutError:
                return await connection.close(4401)
            except WrongVersion:
                return await connection.close(4426)
            except MalformedMessage:
                return await connection.close(4400)
            if isinstance(message, Cancel):
                return await connection.close(1000)
            try:
                request = self._begin(message, origin)
            except RequestRefused as refusal:
                _log.info("request_refused", code=refusal.reason)
                await connection.send(build_failed(refusal.reason))
            else:
                await self._answer(connection, request)
            await connection.close(1000)
        return None

    def _begin(self, message: Identify, origin: str) -> _Request:
        """Raises `RequestRefused`. A request that was answered and whose window still says why makes room."""
        if self._request is not None and not self._request.dialog.answered:
            raise RequestRefused("busy")
        now = time.monotonic()
        judge_request(message, origin, self._used, self._pace, now)
        if self._request is not None:
            self._drop(self._request)
        request = _Request(Dialog(message, origin, self.reader, now))
        self._request = request
        _log.info("request_opened")
        request.window = self._open_window(lambda action: self._act(request, action))
        self._perform(request, request.dialog.open())
        return request

    async def _answer(self, connection: ServerConnection, request: _Request) -> None:
        """Wait for the answer; the page may go or cancel meanwhile, and time may run out."""
        listener = asyncio.create_task(_listen(connection))
        expiry = self._loop.call_at(
            self._loop.time() + request.dialog.deadline - time.monotonic(),
            lambda: self._perform(request, request.dialog.expire()),
        )
        try:
            await connection.send(build_window_open())
            both: set[asyncio.Future[str] | asyncio.Task[None]] = {listener, request.answer}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            self._perform(request, request.dialog.lose())  # nothing, when it has been answered
            await connection.send(request.answer.result())
        finally:
            self._perform(request, request.dialog.lose())
            expiry.cancel()
            listener.cancel()

    # ---- window and card ----

    def _act(self, request: _Request, action: WindowAction) -> None:
        if request is self._request:
            self._perform(request, request.dialog.act(action))

    def _show_reader(self, reader: Reader) -> None:
        if self._request is not None:
            self._perform(self._request, self._request.dialog.show_reader(reader))

    def _dispatch(self, report: WorkerReport) -> None:
        if isinstance(report, Recognised):
            self._desk.recognised(report)
        elif self._request is not None:
            self._perform(self._request, self._request.dialog.report(report))

    def _perform(self, request: _Request, effects: list[DialogEffect]) -> None:
        for effect in effects:
            if isinstance(effect, Show) and request.window is not None:
                request.window.show(effect.view)
            elif isinstance(effect, CloseWindow):
                self._drop(request)
            elif isinstance(effect, Answer):
                _log.info("request_ended", code=effect.code or "signed")
                request.answer.set_result(effect.text)
            elif isinstance(effect, StartVisit):
                self._worker.begin(effect.challenge)
            elif isinstance(effect, GivePin):
                self._worker.give_pin(effect.challenge, effect.pin)
            elif isinstance(effect, EndVisit):
                self._worker.end(effect.challenge, effect.error)

    def _drop(self, request: _Request) -> None:
        window, request.window = request.window, None
        if window is not None:
            window.close()
        if self._request is request:
            self._request = None

    def _from_thread(self, call: Callable[[Item], None], item: Item) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the bridge has stopped
            self._loop.call_soon_threadsafe(call, item)


async def _listen(connection: ServerConnection) -> None:
    """Returns when the page goes, cancels, or says anything else: one connection is one request."""
    with contextlib.suppress(ConnectionClosed):
        await connection.recv()
