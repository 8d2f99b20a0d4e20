"""One of the server's listeners: its socket, and uvicorn in a loop shared with the others."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kiosk_web.errors import SettingsError
from kiosk_web.web.app import Application

GRACE_SECONDS = 1
MOST_HEAD = 32 * 1024
HEAD_SECONDS = 10.0
MOST_CONNECTIONS = 256  # with so many, requests are refused (503)
ROOM = 16
"""From so many fewer on, a new connection takes the place of one that waits for its client."""


class BoundedHead(HttpToolsProtocol):
    """One connection. The parser takes the head of a request however long it gets and however slowly it comes; here it
    is at most `MOST_HEAD` bytes and what one read brings, and is there within `HEAD_SECONDS`, or the connection is cut.

    Whoever opens many connections and sends nothing keeps nobody else out: when there are nearly too many, the one that
    has waited longest for its client makes room.
    """

    _waits: asyncio.TimerHandle | None = None
    heard_at = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._in_head, self._head = True, 0
        self.heard_at = self.loop.time()
        self._wait()
        if len(self.connections) > MOST_CONNECTIONS - ROOM:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._in_head, self._head = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    @property
    def waits_for_client(self) -> bool:
        """Is it the client's turn: to begin a request, to end one, or to take what it was answered?"""
        answered = self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # None at first
        # while reading is paused, what was sent already waits for us
        return answered or (self.cycle.more_body and not self.flow.read_paused) or self.flow.write_paused

    def _make_room(self) -> None:
        others = [one for one in self.connections if isinstance(one, BoundedHead) and one is not self]
        waiting = [one for one in others if one.waits_for_client]
        if waiting:
            longest = min(waiting, key=lambda one: one.heard_at)
            self.connections.discard(longest)  # it is lost only at the loop's next turn
            longest.transport.abort()

    def data_received(self, data: bytes) -> None:
        self.heard_at = self.loop.time()
        super().data_received(data)
        if not self._in_head:
            self._stop_waiting()
            return
        self._head += len(data)
        if self._head > MOST_HEAD:
            self.transport.abort()
        elif self._waits is None:
            self._wait()

    def _wait(self) -> None:
        self._waits = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None


class Listener(uvicorn.Server):
    """One of several in one process: the process's signals are not its business."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answers.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def open_socket(host: str, port: int, name: str) -> socket.socket:
    """Bind; port 0: a free one. `name` is the setting that an error names. Raises `SettingsError`."""
    # With the protocol named, asyncio switches Nagle's algorithm off. Without, the body of an answer, which is written
    # after its head, may wait 40 ms for the browser's acknowledgement.
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform == "win32":
        # there, a second program could otherwise take the same port beside this one
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        raise SettingsError(f"{name} {host}:{port}: {error.strerror or 'cannot be opened'}") from None
    return opened


def build_listener(app: Application) -> Listener:
    """Serves one application on sockets that are open already."""
    config = uvicorn.Config(
        app,
        http=BoundedHead,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        limit_concurrency=MOST_CONNECTIONS,
    )
    return Listener(config)
