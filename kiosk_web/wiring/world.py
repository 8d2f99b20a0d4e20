"""What a server works with: its settings, its database and keys, its clock, and whom it asks outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from kiosk_web.adapters.anchor_files import AnchorFileRefused, load_trust_store
from kiosk_web.adapters.feed import LocalFeed
from kiosk_web.adapters.key_files import KeyFiles
from kiosk_web.adapters.register_http import HttpRegister
from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.errors import SettingsError
from kiosk_web.identity.offer import Offer
from kiosk_web.pki.trust import TrustStore
from kiosk_web.services.clock_watch import Steady
from kiosk_web.services.keys import KeyRing
from kiosk_web.services.persons.register import NoRegister, Register
from kiosk_web.services.ports import Clock, Entropy
from kiosk_web.services.readings.delivery import Webhook
from kiosk_web.settings.server import Settings


@dataclass(frozen=True)
class World:
    """Made once for a server; every part takes from it what it needs."""

    settings: Settings
    offer: Offer
    store: SqlStore
    feed: LocalFeed
    key_files: KeyFiles
    keys: KeyRing
    anchors: TrustStore
    register: Register
    webhook: Webhook
    clock: Clock
    steady: Steady
    is_clock_trusted: Callable[[], bool]
    entropy: Entropy


def load_anchors(settings: Settings) -> TrustStore:
    """The trust anchors. Raises `SettingsError`: in production for any that JPKI has not published."""
    try:
        return load_trust_store(
            settings.anchors,
            production=not settings.demo,
            confirmed_fingerprints=settings.confirmed_fingerprints,
        )
    except AnchorFileRefused as error:
        raise SettingsError(str(error)) from None


@asynccontextmanager
async def open_register(settings: Settings, clock: Clock) -> AsyncIterator[Register]:
    """The register of J-LIS, or none where no address is set. Settings with an address have both verifier roles."""
    service = settings.register_service
    if service.url is None:
        yield NoRegister()
        return
    async with HttpRegister(service.url, budget=service.budget_seconds, clock=clock) as register:
        yield register
