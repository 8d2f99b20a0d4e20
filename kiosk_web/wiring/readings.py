"""Readings on request, wired: asked for by the API alone, and with the system's own browser page."""

from __future__ import annotations

from datetime import timedelta

from kiosk_web.identity.offer import Offer
from kiosk_web.services.introductions import SystemsInUse
from kiosk_web.services.keys import KeyRing
from kiosk_web.services.monitoring import MonitoringService
from kiosk_web.services.ports import Clock, Entropy, Feed, Store
from kiosk_web.services.reading_redirects import RedirectService
from kiosk_web.services.readings import ReadingService
from kiosk_web.services.sessions import SessionService
from kiosk_web.settings.server import Settings


def build_readings(
    settings: Settings,
    store: Store,
    sessions: SessionService,
    monitoring: MonitoringService,
    offer: Offer,
    in_use: SystemsInUse,
    keys: KeyRing,
    feed: Feed,
    clock: Clock,
    entropy: Entropy,
) -> tuple[ReadingService, RedirectService]:
    """Both, with the public address of the API as issuer."""
    issuer = settings.api_url or ""
    readings = ReadingService(
        store=store,
        sessions=sessions,
        monitoring=monitoring,
        offer=offer,
        in_use=in_use,
        keys=keys,
        feed=feed,
        issuer=issuer,
        lifetime=timedelta(seconds=settings.api.reading_seconds),
        clock=clock,
        entropy=entropy,
    )
    redirects = RedirectService(
        store=store, sessions=sessions, readings=readings, issuer=issuer, clock=clock, entropy=entropy
    )
    return readings, redirects
