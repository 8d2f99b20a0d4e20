"""One HTTP listener that can be made to refuse connections and to come back on the same port."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp


class _Server(uvicorn.Server):
    """Signals belong to the program: two servers in one loop would take them from each other."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Listener:
    """Serves one application on one loopback port.

    While refusing, the port stays bound but nobody listens: the peer gets a reset.
    """

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._app = app
        self._host = "127.0.0.1" if host == "localhost" else host
        self._socket = _bind(self._host, port)
        self.port: int = self._socket.getsockname()[1]
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Address without a path."""
        return f"http://{self._host}:{self.port}"

    async def start(self) -> None:
        """Listen; returns when connections are accepted."""
        if self._task is not None:
            return
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,  # a GET request of OCSP has the serial in its path
            lifespan="off",
            server_header=False,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve([self._socket]))
        while not self._server.started:
            if self._task.done():
                self._task.result()
            await asyncio.sleep(0.005)

    async def refuse(self) -> None:
        """Close every connection and stop listening; the port stays ours."""
        if self._task is None:
            return
        await self.close()
        self._socket = _bind(self._host, self.port)

    async def close(self) -> None:
        """Stop for good."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
        self._socket.close()
        self._server = self._task = None


def _bind(host: str, port: int) -> socket.socket:
    # the protocol is named so that asyncio switches Nagle's algorithm off
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # there the option would let two programs share a port
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound
