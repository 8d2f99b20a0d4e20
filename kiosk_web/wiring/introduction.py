"""Introductions, wired for one command beside a server that may be running, and for `kiosk doctor`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from kiosk_web.adapters.clock import read_clock
from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.adapters.store.migration import migrate
from kiosk_web.errors import SettingsError
from kiosk_web.identity.introduction import IntroductionRules
from kiosk_web.services.introductions import IntroductionService, IntroductionView
from kiosk_web.settings.server import Settings

Answer = TypeVar("Answer")


def build_introductions(
    settings: Settings, store: SqlStore, clock: Callable[[], datetime] = read_clock
) -> IntroductionService:
    """By the rules of the settings."""
    return IntroductionService(
        store=store,
        offer=settings.build_offer(),
        rules=IntroductionRules(
            settings.introduction.report_validity, settings.deployment, needs_verifier=not names_verifier(settings)
        ),
        demo=settings.demo,
        clock=clock,
    )


def names_verifier(settings: Settings) -> bool:
    """Whether the registered verifier is named in all roles needed; a demo needs none."""
    try:
        settings.require_verifier()
    except SettingsError:
        return False
    return True


def run_introductions(settings: Settings, work: Callable[[IntroductionService], Awaitable[Answer]]) -> Answer:
    """One use-case, from the command line."""

    async def run() -> Answer:
        store = SqlStore(settings.data)
        try:
            return await work(build_introductions(settings, store))
        finally:
            await store.close()

    migrate(settings.data)
    return asyncio.run(run())


def load_introductions(settings: Settings) -> tuple[IntroductionView, ...]:
    """All systems with their stages."""
    return run_introductions(settings, lambda introductions: introductions.list_all())
