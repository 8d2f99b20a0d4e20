"""The loop that the server runs in: uvloop where it exists, asyncio's own on Windows."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

Outcome = TypeVar("Outcome")


def build_event_loop() -> asyncio.AbstractEventLoop:
    """A new loop, not yet running."""
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop

    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def run_in_loop(work: Coroutine[Any, Any, Outcome]) -> Outcome:
    """As `asyncio.run`, in that loop."""
    with asyncio.Runner(loop_factory=build_event_loop) as runner:
        return runner.run(work)
