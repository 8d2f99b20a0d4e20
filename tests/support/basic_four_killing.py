"""A server of its own process that stops at one point of a visit with the basic 4 information, to be killed there.

It is `kiosk serve` but for three things: its clock stands, its OCSP responder is played, and at the point named it says
so and goes no further. A process of `multiprocessing`'s fork server, so that a start costs no imports.
"""

from __future__ import annotations

import asyncio
import functools
import multiprocessing
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from kiosk_web import server
from kiosk_web.adapters.webhook import HttpWebhook
from kiosk_web.log import configure_log
from kiosk_web.services.readings.basic_four import BasicFourService
from kiosk_web.services.readings.basic_four_visit import BasicFourVisitService
from kiosk_web.settings.server import Settings
from tests.support.jpki import Root
from tests.support.kiosk_server import Clock, Responder

Point = Literal["", "items_received", "sealed", "committed", "taken"]
"""Where it stops: nowhere; with the items in its hands; with the JWE in a transaction that is open; with the reading
committed and not sent; with the receiver's answer and no note of it.
"""

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])


@dataclass
class KillableServer:
    """`settings` with its ports; `logs` gets what it writes."""

    settings: Settings
    root: Root
    logs: Path

    def start(self, point: Point = "") -> None:
        """Returns when it answers."""
        key = self.root.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        certificate = self.root.certificate.public_bytes(Encoding.PEM)
        self._word, told = _processes.Pipe(duplex=False)
        arguments = (self.settings, key, certificate, point, told, self.logs)
        self._process = _processes.Process(target=_serve, args=arguments, daemon=True)
        self._process.start()
        told.close()  # so that a server that ends instead of answering is noticed
        assert self._word.recv() == "ready"

    async def wait_for_point(self) -> None:
        """Until it stands at its point."""
        assert await asyncio.to_thread(self._word.recv) == "reached"

    def kill(self) -> None:
        """SIGKILL: no goodbye, no clean end of the database."""
        self._process.kill()
        self._process.join()
        self._word.close()


def _serve(settings: Settings, key: bytes, certificate: bytes, point: Point, told: Connection, logs: Path) -> None:
    with logs.open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    configure_log()
    loaded: Any = load_pem_private_key(key, None)
    clock = Clock()
    responder = Responder(Root(loaded, x509.load_pem_x509_certificate(certificate)), clock)
    server.build_server = functools.partial(  # type: ignore[assignment]
        server.build_server, clock=clock, steady=clock.read_steady, fetcher=responder
    )
    if point:
        _stop_at(point, functools.partial(told.send, "reached"))
    asyncio.run(server.serve(settings, lambda addresses: told.send("ready")))


def _stop_at(point: Point, tell: Callable[[], None]) -> None:
    async def stop() -> None:
        tell()
        await asyncio.Event().wait()

    def before(work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def stopping(*_arguments: Any, **_named: Any) -> None:
            await stop()

        return functools.wraps(work)(stopping)

    def after(work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def stopping(*arguments: Any, **named: Any) -> Any:
            done = await work(*arguments, **named)
            await stop()
            return done

        return functools.wraps(work)(stopping)

    places: dict[Point, tuple[Any, str, Callable[..., Any]]] = {
        "items_received": (BasicFourVisitService, "seal", before),
        "sealed": (BasicFourService, "record_reading", after),
        "committed": (HttpWebhook, "send", before),
        "taken": (HttpWebhook, "send", after),
    }
    owner, name, way = places[point]
    setattr(owner, name, way(getattr(owner, name)))
