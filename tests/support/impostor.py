"""Programs that listen where the bridge should: a bridge without its key, and a relay in front of the real one."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

SUBPROTOCOL = Subprotocol("kiosk-card.v1")


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@contextmanager
def listen(host: str, port: int, serve_page: Callable[[ServerConnection], Awaitable[None]]) -> Iterator[None]:
    """Accept everybody on this address in a thread of its own."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    listening = threading.Event()

    async def run() -> None:
        async with serve(serve_page, host, port, subprotocols=[SUBPROTOCOL]):
            listening.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    assert listening.wait(60)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(60)
        loop.close()


class FakeBridge:
    """Knows the terminal's public id and everything that crosses the socket, but has no terminal key."""

    def __init__(self, terminal: str) -> None:
        self._terminal = terminal
        self.heard: list[dict[str, object]] = []

    async def serve_page(self, socket: ServerConnection) -> None:
        try:
            async for text in socket:
                message = json.loads(text)
                self.heard.append(message)
                answer = self._answer(message["type"])
                if answer is not None:
                    await socket.send(json.dumps({"v": 1, **answer}))
        except ConnectionClosed:
            return

    def _answer(self, kind: str) -> dict[str, object] | None:
        if kind == "open":
            return {
                "type": "greeting",
                "terminal": self._terminal,
                "bridge_nonce": encode(os.urandom(32)),
                "version": "0.1.0",
            }
        if kind == "hello":
            key = X25519PrivateKey.generate().public_key().public_bytes_raw()
            signature = Ed25519PrivateKey.generate().sign(key)
            return {"type": "welcome", "bridge_key": encode(key), "signature": encode(signature), "keypad": False}
        return None


class Relay:
    """Passes every message on to the real bridge, as if it were the browser, and reads along."""

    def __init__(self, target: str, origin: str) -> None:
        self._target = target
        self._origin = origin
        self.connections = 0
        self.heard: list[dict[str, object]] = []

    async def serve_page(self, socket: ServerConnection) -> None:
        self.connections += 1
        try:
            async with connect(
                self._target, origin=Origin(self._origin), subprotocols=[SUBPROTOCOL], proxy=None
            ) as real:
                back = asyncio.create_task(self._pass_back(real, socket))
                async for text in socket:
                    self.heard.append(json.loads(text))
                    await real.send(text)
                back.cancel()
        except (ConnectionClosed, OSError):
            return

    async def _pass_back(self, real: object, socket: ServerConnection) -> None:
        try:
            async for text in real:  # type: ignore[attr-defined] # the client connection's class is private to the library
                await socket.send(text)
        except ConnectionClosed:
            pass
        await socket.close()
