"""What each of the two listeners answers: residents' pages on one, staff pages and the API on the other."""

from __future__ import annotations

from kiosk_web.services.persons.held_records import HeldRecordsService
from kiosk_web.settings.server import LOOPBACK
from kiosk_web.web.api.app import BesideApi
from kiosk_web.web.app import Application, build_resident_app, build_staff_app
from kiosk_web.web.desk_feed import DeskFeed
from kiosk_web.web.health import HealthRoutes
from kiosk_web.web.held_records import HeldRecordsRoutes
from kiosk_web.web.kiosk import KioskRoutes
from kiosk_web.web.patterns.routes import build_pattern_routes
from kiosk_web.web.render import Renderer
from kiosk_web.web.staff import StaffRoutes
from kiosk_web.wiring.api import build_api
from kiosk_web.wiring.handover import build_handover_routes
from kiosk_web.wiring.links import build_link_desk_routes
from kiosk_web.wiring.services import Services
from kiosk_web.wiring.world import World


def build_resident_listener(world: World, services: Services, renderer: Renderer, health: HealthRoutes) -> Application:
    """The pages of the kiosk; in a demo `/patterns` too."""
    settings = world.settings
    held = HeldRecordsService(store=world.store, sessions=services.sessions, offer=world.offer, clock=world.clock)
    kiosk = KioskRoutes(
        terminals=services.terminals,
        enrolment=services.enrolment,
        sessions=services.sessions,
        monitoring=services.monitoring,
        fallback=services.fallback,
        standings=services.standings,
        feed=world.feed,
        offer=world.offer,
        in_use=services.in_use,
        redirects=services.redirects,
        renderer=renderer,
        origin=settings.origin,
    )
    records = HeldRecordsRoutes(held, services.terminals, renderer)
    return build_resident_app(
        kiosk,
        build_handover_routes(world, services, renderer),
        health,
        static=settings.static,
        port=settings.port,
        bridge_port=settings.bridge_port,
        extra=[*records.build(), *(build_pattern_routes(renderer) if settings.demo else ())],
        desk=settings.desk_origin or "",
    )


def build_staff_listener(world: World, services: Services, renderer: Renderer, health: HealthRoutes) -> Application:
    """The pages of staff, with the API beside them where it has an address; in a demo the feed of its desk too."""
    settings = world.settings
    hosts = {f"{name}:{settings.staff_port}" for name in (settings.staff_host, "localhost", LOOPBACK)}
    desk = DeskFeed(world.store, services.monitoring, services.standings, world.offer)
    pages = build_staff_app(
        StaffRoutes(services.monitoring, world.feed, renderer),
        build_link_desk_routes(world.store, services.linking, world.offer, renderer, world.clock),
        health,
        static=settings.static,
        hosts=frozenset(hosts),
        desk=settings.desk_origin or "",
        extra=desk.build() if settings.desk_origin else (),
    )
    if settings.api_url is None:
        return pages
    return BesideApi(build_api(world, services, settings.api_url), pages)
