"""Runs the server: two listeners, one loop, one clean end."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kiosk_web.adapters.data_folder import hold_data_folder
from kiosk_web.adapters.store.migration import migrate
from kiosk_web.listener import build_listener, open_socket
from kiosk_web.settings.server import LOOPBACK, Settings
from kiosk_web.wiring.server import build_server


async def serve(settings: Settings, ready: Callable[[dict[str, Any]], None]) -> None:
    """Run until SIGINT or SIGTERM. `ready` gets the addresses once both listeners answer. Raises `SettingsError`, also
    where another server works on the same data.
    """
    with hold_data_folder(settings.data):
        await _serve(settings, ready)


async def _serve(settings: Settings, ready: Callable[[dict[str, Any]], None]) -> None:
    resident = open_socket(settings.host, settings.port, "port")
    staff = open_socket(settings.staff_host, settings.staff_port, "staff_port")
    settings = settings.model_copy(update={"port": resident.getsockname()[1], "staff_port": staff.getsockname()[1]})
    await asyncio.to_thread(migrate, settings.data, held=True)
    stop = asyncio.Event()
    async with build_server(settings) as server:
        listeners = (build_listener(server.resident), build_listener(server.staff))
        with _stop_on_signals(stop):
            running = [
                asyncio.create_task(listener.serve([opened]))
                for listener, opened in zip(listeners, (resident, staff), strict=True)
            ]
            upkeep = [asyncio.create_task(work.run()) for work in server.work]
            for listener in listeners:
                await listener.answers.wait()
            settle_memory()
            staff_name = "localhost" if settings.staff_host == LOOPBACK else settings.staff_host
            ready(
                {
                    "kiosk": settings.origin,
                    "staff": f"http://{staff_name}:{settings.staff_port}",
                    "pid": os.getpid(),
                }
            )
            await stop.wait()
            for work in upkeep:
                work.cancel()
            # The streams end themselves first, so that no listener has to wait for them.
            server.feed.close()
            for listener in listeners:
                listener.should_exit = True
            await asyncio.gather(*running, *upkeep, return_exceptions=True)


def settle_memory() -> None:
    """Once all is built: what is here now stays, and no later collection need look through it while a resident waits.
    Nor need there be one at every second request: little goes in circles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


@contextmanager
def _stop_on_signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()

    def stop_soon(number: int, frame: object) -> None:
        loop.call_soon_threadsafe(stop.set)

    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    before = {
        getattr(signal, name): signal.signal(getattr(signal, name), stop_soon)
        for name in names
        if hasattr(signal, name)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
