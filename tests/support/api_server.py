"""The API on a real socket and by the real clock, with a responder that the test plays."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from kiosk_web.adapters.clock import read_steady_seconds
from kiosk_web.listener import build_listener, open_socket
from tests.support.kiosk_server import Clock, Stand, run_stand

T = TypeVar("T")


class LiveClock(Clock):
    """The computer's."""

    def __init__(self) -> None:
        """Nothing is kept."""

    @property
    def now(self) -> datetime:  # type: ignore[override]  # a field that a test sets, elsewhere
        return datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def read_steady(self) -> float:
        return read_steady_seconds()


@contextlib.asynccontextmanager
async def serve_api(folder: Path, **changes: Any) -> AsyncIterator[tuple[Stand, str]]:
    """The server and the address of its API, such as `http://localhost:40123`."""
    with open_socket("127.0.0.1", 0, "port") as opened:
        port = opened.getsockname()[1]
        async with run_stand(folder, LiveClock(), staff_port=port, **changes) as stand:
            listener = build_listener(stand.server.staff)
            running = asyncio.create_task(listener.serve([opened]))
            await listener.answers.wait()
            try:
                yield stand, f"http://localhost:{port}"
            finally:
                listener.should_exit = True
                await running


@contextlib.contextmanager
def serve_api_apart(
    folder: Path, prepare: Callable[[Stand, str, contextlib.ExitStack], Awaitable[T]], **changes: Any
) -> Iterator[T]:
    """The same in a thread of its own, for tests that only wait. What `prepare` returns; what it puts on the stack is
    there until the end.
    """
    ready: Future[T] = Future()
    stop = asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        with contextlib.ExitStack() as stack:
            async with serve_api(folder, **changes) as (stand, address):
                ready.set_result(await prepare(stand, address, stack))
                await stop.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield ready.result(60)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
