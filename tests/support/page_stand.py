"""A stand for the residents' page alone: a scripted bridge and server on loopback, with real keys and real bytes.

The server shows what the test tells it to show and keeps what the page posts; it decides nothing.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import queue
import socket
import struct
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sse_starlette.sse import EventSourceResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from kiosk_web.web.patterns import build_patterns
from kiosk_web.web.render import STATIC, Renderer
from kiosk_web.web.style_sheet import build_style_route
from kiosk_web.web.view import StageView

TERMINAL = "hall-1"
CARD = "card-instance-1"
CHALLENGE = "challenge-1"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self' ws://{bridge};"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def build_fields(prefix: bytes, *fields: bytes) -> bytes:
    return prefix + b"".join(struct.pack(">H", len(item)) + item for item in fields)


def build_ticket() -> str:
    """Not signed: the page reads `jti` and `card` of it and judges nothing."""
    claims = json.dumps({"jti": CHALLENGE, "card": CARD}).encode()
    return f"{encode(b'{}')}.{encode(claims)}.{encode(b'signature')}"


class PageStand:
    """`events` and `heard` are what the page told server and bridge, in order; `pins` what the bridge decrypted.

    So many of the next events as `overtaken` says are answered as those of an older page. Events of the kind `withheld`
    are answered when `answer_withheld` is called, all others at once.
    """

    def __init__(self) -> None:
        self.events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.heard: queue.Queue[dict[str, Any]] = queue.Queue()
        self.pins: queue.Queue[bytes] = queue.Queue()
        self.posted: list[bytes] = []
        self.welcomes = 0
        self.terminal_key = Ed25519PrivateKey.generate()
        self.signing_key = self.terminal_key
        self.view: StageView = build_patterns()["connecting"]
        self.answering = True
        self.troubles_told = True  # the screens of what a page found itself can be had
        self.overtaken = 0
        self.withheld = ""
        self.bridge_port = 0
        self.port = 0
        self._version = 0
        self._streams: list[asyncio.Queue[str]] = []
        self._sockets: set[ServerConnection] = set()
        self._loop = asyncio.new_event_loop()
        self._answering_withheld = asyncio.Event()
        self._stopping = asyncio.Event()
        self._ready = threading.Event()
        self._streaming = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),), daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    # ---- what a test does -----------------------------------------------------------------------------------------

    def show(self, pattern: str, **changes: Any) -> int:
        """The state that holds from now on, pushed to the page. Returns its version."""
        self._version += 1
        view = build_patterns()[pattern]
        data = {**view.data, **changes.pop("data", {})}
        self.view = replace(view, version=self._version, data=data, **changes)
        self.push(self.view)
        return self._version

    def push(self, view: StageView) -> None:
        html = self.renderer.render_stage(view)
        self._call(lambda: [stream.put_nowait(html) for stream in self._streams])

    def say(self, message: dict[str, Any]) -> None:
        """One message of the bridge to the page."""
        text = json.dumps({"v": 1, **message})
        self._call(lambda: [asyncio.ensure_future(connection.send(text)) for connection in self._sockets])

    def close_sockets(self, code: int) -> None:
        self._call(lambda: [asyncio.ensure_future(connection.close(code)) for connection in self._sockets])

    def end_stream(self) -> None:
        """The page's connection is cut, and none is taken any more."""
        self.answering = False
        self._call(lambda: [stream.put_nowait("") for stream in self._streams])

    def wait_for_stream(self) -> None:
        """From now on a push reaches the page. It opens its stream only once it is welcome and has shown so."""
        assert self._streaming.wait(20)

    def answer_withheld(self) -> None:
        self._call(self._answering_withheld.set)

    def wait_for_event(self, kind: str) -> dict[str, Any]:
        return self._wait(self.events, kind)

    def wait_for_word(self, kind: str) -> dict[str, Any]:
        return self._wait(self.heard, kind)

    @staticmethod
    def _wait(box: queue.Queue[dict[str, Any]], kind: str) -> dict[str, Any]:
        while True:
            item = box.get(timeout=20)
            if item["type"] == kind:
                return item

    def _call(self, action: Callable[[], object]) -> None:
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (action(), done.set()))
        assert done.wait(20)

    # ---- the server -----------------------------------------------------------------------------------------------

    async def _page(self, _request: Request) -> Response:
        headers = {"Content-Security-Policy": POLICY.format(bridge=f"127.0.0.1:{self.bridge_port}")}
        page = self.renderer.render_page(build_patterns()["connecting"])
        return HTMLResponse(page, headers=headers)

    async def _stream(self, _request: Request) -> Response:
        if not self.answering:
            return PlainTextResponse("down", status_code=503)
        stream: asyncio.Queue[str] = asyncio.Queue()
        stream.put_nowait(self.renderer.render_stage(self.view))
        self._streams.append(stream)
        self._streaming.set()

        async def read() -> AsyncIterator[dict[str, str]]:
            try:
                while html := await stream.get():
                    yield {"data": html}
            finally:
                self._streams.remove(stream)

        return EventSourceResponse(read())

    async def _hello(self, request: Request) -> Response:
        self.posted.append(await request.body())
        self._hello_body = await request.json()
        public = self.terminal_key.public_key().public_bytes_raw()
        return JSONResponse({"v": 1, "ticket": "aa.bb.cc", "keys": ["aa.bb.cc"], "terminal_key": encode(public)})

    async def _welcome(self, request: Request) -> Response:
        self.posted.append(await request.body())
        self.welcomes += 1
        return HTMLResponse(self.renderer.render_stage(self.view))

    async def _events(self, request: Request) -> Response:
        self.posted.append(await request.body())
        event = (await request.json())["event"]
        if self.overtaken:
            self.overtaken -= 1
            superseded = replace(build_patterns()["superseded"], version=self.view.version)
            headers = {"Kiosk-Refusal": "superseded"}
            return HTMLResponse(self.renderer.render_stage(superseded), status_code=409, headers=headers)
        if event["type"] == "extended" and self.view.deadline_at is not None:
            self._version += 1
            later = self.view.deadline_at + timedelta(seconds=120)
            self.view = replace(self.view, version=self._version, deadline_at=later)
        self.events.put(event)
        answer = HTMLResponse(self.renderer.render_stage(self.view))
        if event["type"] == self.withheld:
            await self._answering_withheld.wait()
        return answer

    async def _trouble(self, request: Request) -> Response:
        if not self.troubles_told:
            return Response(status_code=503)
        cause = request.path_params["cause"]
        name = cause if cause == "superseded" else f"out_of_service-{cause}"
        return HTMLResponse(self.renderer.render_stage(replace(build_patterns()[name], version=0)))

    # ---- the bridge -----------------------------------------------------------------------------------------------

    async def _bridge(self, connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            page_key = decode(json.loads(await connection.recv())["page_key"])
            nonce = b"n" * 32
            await self._tell(
                connection, type="greeting", terminal=TERMINAL, bridge_nonce=encode(nonce), version="0.1.0"
            )
            ticket = json.loads(await connection.recv())["ticket"]
            key = X25519PrivateKey.generate()
            public = key.public_key().public_bytes_raw()
            signed = build_fields(
                b"kiosk-welcome/1\0",
                sha256(ticket.encode()).digest(),
                TERMINAL.encode(),
                self.address.rstrip("/").encode(),
                f"127.0.0.1:{self.bridge_port}".encode(),
                nonce,
                page_key,
                public,
            )
            signature = encode(self.signing_key.sign(signed))
            await self._tell(connection, type="welcome", bridge_key=encode(public), signature=signature, keypad=False)
            shared = key.exchange(X25519PublicKey.from_public_bytes(page_key))
            sealing = HKDF(SHA256(), 32, sha256(signed).digest(), b"kiosk-pin/1").derive(shared)
            self._sockets.add(connection)
            try:
                async for text in connection:
                    await self._hear(connection, json.loads(text), AESGCM(sealing))
            finally:
                self._sockets.discard(connection)

    async def _hear(self, connection: ServerConnection, message: dict[str, Any], sealing: AESGCM) -> None:
        if message["type"] == "ping":
            await self._tell(connection, type="pong", seq=message["seq"])
        elif message["type"] == "enter_pin" and message["data"]:
            bound = build_fields(b"kiosk-pin/1\0", CHALLENGE.encode(), CARD.encode(), str(message["seq"]).encode())
            self.pins.put(sealing.decrypt(decode(message["iv"]), decode(message["data"]), bound).rstrip(b"\0"))
        self.heard.put(message)

    async def _tell(self, connection: ServerConnection, **message: Any) -> None:
        await connection.send(json.dumps({"v": 1, **message}))

    # ---- running --------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        async with serve(self._bridge, "127.0.0.1", 0, subprotocols=[Subprotocol("kiosk-card.v1")]) as bridge:
            self.bridge_port = next(iter(bridge.sockets)).getsockname()[1]
            self.renderer = Renderer(demo=True, bridge_address=f"ws://127.0.0.1:{self.bridge_port}/card")
            app = Starlette(
                routes=[
                    Route("/", self._page),
                    Route("/k/stream", self._stream),
                    Route("/k/bridge/hello", self._hello, methods=["POST"]),
                    Route("/k/bridge/welcome", self._welcome, methods=["POST"]),
                    Route("/k/events", self._events, methods=["POST"]),
                    Route("/k/trouble/{cause}", self._trouble),
                    build_style_route(STATIC),
                    Mount("/static", StaticFiles(directory=Path(STATIC))),
                ]
            )
            server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
            server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # not in the main thread
            running = asyncio.ensure_future(server.serve(sockets=[listener]))
            self._ready.set()
            await self._stopping.wait()
            for stream in self._streams:
                stream.put_nowait("")
            server.should_exit = True
            server.force_exit = True
            await running
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:  # streams that wait for a next event
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    @contextmanager
    def running(self) -> Iterator[PageStand]:
        self._thread.start()
        assert self._ready.wait(20)
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(20)
            self._loop.close()
