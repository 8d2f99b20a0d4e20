"""The API on a real socket and by the real clock, with a responder that the test plays."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn

from tests.support.kiosk_server import Clock, Stand, run_stand


class LiveClock(Clock):
    """The computer's."""

    def __init__(self) -> None:
        """Nothing is kept."""

    @property
    def now(self) -> datetime:  # type: ignore[override]  # a field that a test sets, elsewhere
        return datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@contextlib.asynccontextmanager
async def serve_api(folder: Path, **changes: Any) -> AsyncIterator[tuple[Stand, str]]:
    """The server and the address of its API, such as `http://localhost:40123`."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        async with run_stand(folder, LiveClock(), staff_port=port, **changes) as stand:
            config = uvicorn.Config(stand.server.staff, log_config=None, lifespan="off", ws="none")
            server = uvicorn.Server(config)
            server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # the test's are not ours
            running = asyncio.create_task(server._serve([listener]))
            while not server.started:
                await asyncio.sleep(0.01)
            try:
                yield stand, f"http://localhost:{port}"
            finally:
                server.should_exit = True
                await running
