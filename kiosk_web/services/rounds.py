"""Work that comes again and again beside the listeners."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

from kiosk_web.log import describe_place


async def go_round(work: Callable[[], Awaitable[object]], name: str, pause_seconds: float) -> NoReturn:
    """Until cancelled. A round that fails is told in the log, by `name`; the next one is tried all the same."""
    log = structlog.get_logger()
    while True:
        try:
            await work()
        except Exception as error:
            log.error(name, error=type(error).__name__, where=describe_place(error.__traceback__))
        await asyncio.sleep(pause_seconds)
