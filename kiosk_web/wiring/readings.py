"""Readings on request, wired: asked for by the API alone, and with the system's own browser page."""

from __future__ import annotations

from datetime import timedelta

from kiosk_web.services.introductions import SystemsInUse
from kiosk_web.services.readings.redirects import RedirectService
from kiosk_web.services.readings.requests import ReadingService
from kiosk_web.services.terminals.monitoring import MonitoringService
from kiosk_web.services.visit.sessions import SessionService
from kiosk_web.wiring.world import World


def build_readings(
    world: World, sessions: SessionService, monitoring: MonitoringService, in_use: SystemsInUse
) -> tuple[ReadingService, RedirectService]:
    """Both, with the public address of the API as issuer."""
    issuer = world.settings.api_url or ""
    store, clock, entropy = world.store, world.clock, world.entropy
    readings = ReadingService(
        store=store,
        sessions=sessions,
        monitoring=monitoring,
        offer=world.offer,
        in_use=in_use,
        keys=world.keys,
        feed=world.feed,
        issuer=issuer,
        lifetime=timedelta(seconds=world.settings.api.reading_seconds),
        clock=clock,
        entropy=entropy,
    )
    redirects = RedirectService(store=store, readings=readings, issuer=issuer, clock=clock, entropy=entropy)
    return readings, redirects
