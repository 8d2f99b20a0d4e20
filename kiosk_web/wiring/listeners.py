"""What each of the two listeners answers: residents' pages on one, staff pages and the API on the other."""

from __future__ import annotations

from kiosk_web.settings.server import LOOPBACK, Settings
from kiosk_web.web.app import Application, build_resident_app, build_staff_app
from kiosk_web.web.desk_feed import DeskFeed
from kiosk_web.web.handover import HandoverRoutes
from kiosk_web.web.health import HealthRoutes
from kiosk_web.web.held_records import HeldRecordsRoutes
from kiosk_web.web.kiosk import KioskRoutes
from kiosk_web.web.link_desk import LinkDeskRoutes
from kiosk_web.web.patterns.routes import build_pattern_routes
from kiosk_web.web.render import Renderer
from kiosk_web.web.staff import StaffRoutes


def build_resident_listener(
    settings: Settings,
    kiosk: KioskRoutes,
    handover: HandoverRoutes,
    health: HealthRoutes,
    records: HeldRecordsRoutes,
    renderer: Renderer,
) -> Application:
    """The pages of the kiosk; in a demo `/patterns` too."""
    return build_resident_app(
        kiosk,
        handover,
        health,
        static=settings.static,
        port=settings.port,
        bridge_port=settings.bridge_port,
        extra=[*records.build(), *(build_pattern_routes(renderer) if settings.demo else ())],
        desk=settings.desk_origin or "",
    )


def build_staff_listener(
    settings: Settings, staff: StaffRoutes, link_desk: LinkDeskRoutes, health: HealthRoutes, desk: DeskFeed
) -> Application:
    """The pages of staff; in a demo the feed of its desk too."""
    hosts = {f"{name}:{settings.staff_port}" for name in (settings.staff_host, "localhost", LOOPBACK)}
    return build_staff_app(
        staff,
        link_desk,
        health,
        static=settings.static,
        hosts=frozenset(hosts),
        desk=settings.desk_origin or "",
        extra=desk.build() if settings.desk_origin else (),
    )
