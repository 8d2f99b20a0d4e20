"""One of the server's listeners: its socket, uvicorn in a loop shared with the others, and word of its address."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from kiosk_web.errors import SettingsError
from kiosk_web.web.app import Application

GRACE_SECONDS = 1


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
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        limit_concurrency=256,
        h11_max_incomplete_event_size=32 * 1024,
    )
    return Listener(config)


def write_ready_file(path: Path, addresses: dict[str, Any]) -> None:
    """All at once, so that a reader never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(addresses), encoding="utf-8")
    draft.replace(path)
