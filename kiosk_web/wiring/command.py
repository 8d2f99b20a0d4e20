"""Fallback and terminals, wired for one command beside a server that may be running."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import TypeVar

from kiosk_web.adapters.clock import read_clock
from kiosk_web.adapters.feed import LocalFeed
from kiosk_web.adapters.key_files import KeyFiles
from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.adapters.store.migration import migrate
from kiosk_web.services.status.fallback import FallbackService
from kiosk_web.services.terminals.enrolment import EnrolmentService
from kiosk_web.settings.server import Settings

Answer = TypeVar("Answer")


async def run_fallback(settings: Settings, work: Callable[[FallbackService], Awaitable[Answer]]) -> Answer:
    """One use-case on the fallback, from the command line."""
    migrate(settings.data)
    store = SqlStore(settings.data)
    rules = settings.fallback.build_rules()
    try:
        return await work(FallbackService(store=store, feed=LocalFeed(), rules=rules, clock=read_clock))
    finally:
        await store.close()


async def run_enrolment(settings: Settings, work: Callable[[EnrolmentService], Awaitable[Answer]]) -> Answer:
    """One use-case on the terminals, from the command line."""
    migrate(settings.data)
    keys = KeyFiles(settings.data, secrets.token_bytes).load(read_clock())
    store = SqlStore(settings.data)
    try:
        return await work(EnrolmentService(store=store, keys=keys, clock=read_clock, entropy=secrets.token_bytes))
    finally:
        await store.close()
