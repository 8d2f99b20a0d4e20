from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest

from kiosk_web.event_loop import run_in_loop


def test_the_server_runs_in_uvloop_where_it_exists() -> None:
    async def name_loop() -> str:
        return type(asyncio.get_running_loop()).__module__.partition(".")[0]

    assert run_in_loop(name_loop()) == ("asyncio" if sys.platform == "win32" else "uvloop")


def test_what_the_work_raises_comes_out() -> None:
    async def fail() -> None:
        raise ValueError("told")

    with pytest.raises(ValueError, match="told"):
        run_in_loop(fail())


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent to a process in another way there")
def test_a_signal_wakes_the_loop() -> None:
    async def wait() -> str:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        before = signal.signal(signal.SIGTERM, lambda number, frame: loop.call_soon_threadsafe(stop.set))
        try:
            loop.call_soon(os.kill, os.getpid(), signal.SIGTERM)
            async with asyncio.timeout(60):
                await stop.wait()
        finally:
            signal.signal(signal.SIGTERM, before)
        return "woken"

    assert run_in_loop(wait()) == "woken"
