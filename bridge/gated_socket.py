"""A WebSocket listener on 127.0.0.1 behind the gate: what every socket of the bridge has in common (`docs/bridge.md`).
On the event loop.

Who may open it is the caller's judgement; here is the load, the even refusals, and the count of those that are open.
"""

from __future__ import annotations

import asyncio
import http
import logging
import socket
import sys
import time
from collections.abc import Awaitable, Callable

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHeader
from websockets.headers import parse_subprotocol
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from bridge.errors import SettingsError
from bridge.gate import REFUSAL_TEXT, HandshakeRequest, RateLimiter, Refusal, judge_load
from bridge.log import SampledCount
from bridge.peer import PeerGate
from bridge.settings import HOST

UNFINISHED_HANDSHAKES = 64
CLOSE_SECONDS = 1.0

_log = structlog.get_logger("bridge.server")


class GatedSocket:
    """`judge(request, host)` says who is refused, `host` being the socket's own address; `serve_page` has the others
    until it returns. `peer`: the user as whom alone pages run; None: any.
    """

    def __init__(
        self,
        judge: Callable[[HandshakeRequest, str], Refusal | None],
        serve_page: Callable[[ServerConnection], Awaitable[None]],
        *,
        subprotocol: str,
        maximum_bytes: int,
        peer: PeerGate | None = None,
    ) -> None:
        self._judge = judge
        self._peer = peer
        self._serve_page = serve_page
        self._subprotocol = Subprotocol(subprotocol)
        self._maximum_bytes = maximum_bytes
        self._limiter = RateLimiter(time.monotonic())
        self._refusals = SampledCount()
        self._unfinished: dict[ServerConnection, None] = {}
        self.open: set[ServerConnection] = set()
        self._server: Server | None = None
        self.address = ""

    async def start(self, port: int) -> int:
        """Begin to listen; returns the port, which is a free one for 0. Raises `SettingsError` when it is taken."""
        listener = _listen(port)
        self.address = f"{HOST}:{listener.getsockname()[1]}"
        gate = self

        class GatedConnection(ServerConnection):
            """Keeps the count of sockets, also of those that never finish their handshake."""

            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                super().connection_made(transport)
                gate._unfinished[self] = None
                if len(gate._unfinished) > UNFINISHED_HANDSHAKES:
                    # the oldest: a browser is done in milliseconds, so a flood pushes out its own
                    oldest = next(iter(gate._unfinished))
                    del gate._unfinished[oldest]
                    oldest.transport.abort()

            def connection_lost(self, exc: Exception | None) -> None:
                gate.open.discard(self)
                gate._unfinished.pop(self, None)
                super().connection_lost(exc)

        self._server = await serve(
            self._serve_page,
            sock=listener,
            process_request=self._judge_handshake,
            process_response=self._even_out,
            select_subprotocol=lambda _connection, _offered: self._subprotocol,
            subprotocols=[self._subprotocol],
            compression=None,
            server_header=None,
            open_timeout=3,
            ping_interval=10,
            ping_timeout=10,
            close_timeout=CLOSE_SECONDS,
            max_size=self._maximum_bytes,
            max_queue=4,
            logger=logging.getLogger("websockets.server"),
            create_connection=GatedConnection,
        )
        _log.info("listening", address=self.address)
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
            for connection in tuple(self.open):
                connection.transport.abort()
            await self._server.wait_closed()

    def _judge_handshake(self, connection: ServerConnection, request: Request) -> Response | None:
        now = time.monotonic()
        self._unfinished.pop(connection, None)
        refusal = judge_load(sockets=len(self.open), within_rate=self._limiter.take(now))
        if refusal is None:
            handshake = HandshakeRequest(
                method=request.method,
                path=request.path,
                hosts=request.headers.get_all("Host"),
                origins=request.headers.get_all("Origin"),
                subprotocols=_offered(request.headers),
            )
            refusal = self._judge(handshake, self.address)
        if refusal is None and self._peer is not None:
            refusal = self._peer.judge(connection.remote_address, connection.local_address)
        if refusal is None:
            self.open.add(connection)
            return None
        self._note_refusal(refusal, now)
        return _refuse(refusal.status)

    def _even_out(self, connection: ServerConnection, _request: Request, response: Response) -> Response | None:
        """A handshake that passed the gate and failed in the library is refused with the same text as any other."""
        if response.status_code == http.HTTPStatus.SWITCHING_PROTOCOLS:
            return None
        if connection in self.open:
            self.open.discard(connection)
            self._note_refusal(Refusal(400, "handshake"), time.monotonic())
            return _refuse(400)
        return None

    def _note_refusal(self, refusal: Refusal, now: float) -> None:
        counts = self._refusals.count(refusal.step, now)
        if counts is not None:
            _log.warning("handshakes_refused", counts=counts)


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
