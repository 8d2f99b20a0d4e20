"""The whole server, wired from its settings. It runs nothing.

`world` is what reaches outside; on it stand `validation` and the `services`, on those the two `listeners`.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from kiosk_web.adapters.clock import read_clock, read_steady_seconds
from kiosk_web.adapters.feed import LocalFeed
from kiosk_web.adapters.fetch import HttpFetcher
from kiosk_web.adapters.key_files import KeyFiles
from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.adapters.webhook import HttpWebhook
from kiosk_web.services.clock_watch import Steady
from kiosk_web.services.introductions import SystemsInUse
from kiosk_web.services.keys import KeyRing
from kiosk_web.services.links.linking import LinkingService
from kiosk_web.services.lists.sweep import LinkSweep
from kiosk_web.services.lists.upkeep import ListUpkeep
from kiosk_web.services.persons.issuance import IssuanceService
from kiosk_web.services.persons.register import Register
from kiosk_web.services.persons.standing import StandingBoard, StandingService
from kiosk_web.services.ports import Clock, Entropy
from kiosk_web.services.readings.basic_four import BasicFourService
from kiosk_web.services.readings.delivery import ReadingDelivery
from kiosk_web.services.status.fallback import FallbackService
from kiosk_web.services.status.validation import Fetcher, Lists, ValidationService
from kiosk_web.services.terminals.enrolment import EnrolmentService
from kiosk_web.services.terminals.monitoring import MonitoringService
from kiosk_web.services.terminals.pages import TerminalService
from kiosk_web.services.upkeep import Upkeep
from kiosk_web.services.visit.sessions import SessionService
from kiosk_web.settings.server import Settings
from kiosk_web.web.app import Application
from kiosk_web.web.health import HealthRoutes
from kiosk_web.web.render import Renderer
from kiosk_web.wiring.basic_four import build_delivery
from kiosk_web.wiring.crl_index import open_shelf
from kiosk_web.wiring.crl_sweep import build_sweep
from kiosk_web.wiring.listeners import build_resident_listener, build_staff_listener
from kiosk_web.wiring.services import build_services, build_upkeep
from kiosk_web.wiring.terms import load_shown_terms
from kiosk_web.wiring.validation import build_list_upkeep, build_lists, build_validation, choose_clock_check
from kiosk_web.wiring.world import World, load_anchors, open_register


@dataclass(frozen=True)
class Server:
    """Everything that runs, wired. Tests drive it without a socket."""

    settings: Settings
    store: SqlStore
    feed: LocalFeed
    keys: KeyRing
    sessions: SessionService
    terminals: TerminalService
    enrolment: EnrolmentService
    issuance: IssuanceService
    standing: StandingService
    standings: StandingBoard
    linking: LinkingService
    basic_four: BasicFourService
    fallback: FallbackService
    monitoring: MonitoringService
    in_use: SystemsInUse
    upkeep: Upkeep
    list_upkeep: ListUpkeep
    sweep: LinkSweep
    delivery: ReadingDelivery
    resident: Application
    staff: Application

    @property
    def work(self) -> tuple[Upkeep, ListUpkeep, LinkSweep, ReadingDelivery]:
        """What runs beside the listeners, each in a loop of its own."""
        return self.upkeep, self.list_upkeep, self.sweep, self.delivery


@asynccontextmanager
async def build_server(
    settings: Settings,
    *,
    clock: Clock = read_clock,
    steady: Steady = read_steady_seconds,
    entropy: Entropy = secrets.token_bytes,
    fetcher: Fetcher | None = None,
    lists: Lists | None = None,
    register: Register | None = None,
    is_clock_trusted: Callable[[], bool] | None = None,
) -> AsyncIterator[Server]:
    """Build all parts; `settings` has the real ports, the database is migrated. At the end everything is closed."""
    settings.require_verifier()
    anchors = load_anchors(settings)
    key_files = KeyFiles(settings.data, entropy)
    keys = key_files.load(clock())
    async with (
        HttpFetcher() as network,
        open_register(settings, clock) as asked,
        HttpWebhook() as webhook,
    ):
        world = World(
            settings=settings,
            offer=settings.build_offer(),
            store=SqlStore(settings.data),
            feed=LocalFeed(),
            key_files=key_files,
            keys=keys,
            anchors=anchors,
            register=register or asked,
            webhook=webhook,
            clock=clock,
            steady=steady,
            is_clock_trusted=is_clock_trusted or choose_clock_check(settings),
            entropy=entropy,
        )
        fallback = FallbackService(
            store=world.store, feed=world.feed, rules=settings.fallback.build_rules(), clock=clock
        )
        shelf = open_shelf(settings)
        validation = build_validation(
            world,
            fetcher or network,
            lists or build_lists(world, shelf),
            fallback,
        )
        server = _wire(world, validation, fallback, build_list_upkeep(world, shelf))
        await server.in_use.watch()
        await server.sessions.recover()
        await server.upkeep.start()
        try:
            yield server
        finally:
            server.feed.close()
            await server.sessions.close()
            await server.standings.close()
            await world.store.close()


def _wire(world: World, validation: ValidationService, fallback: FallbackService, list_upkeep: ListUpkeep) -> Server:
    settings = world.settings
    renderer = Renderer(demo=settings.demo, bridge_address=settings.bridge_address, terms=load_shown_terms(settings))
    services = build_services(
        world, validation, fallback, lambda: list_upkeep.alarms, consent_hash=renderer.derive_consent_hash
    )
    health = HealthRoutes(world.store, len(world.anchors.anchors))
    return Server(
        settings=settings,
        store=world.store,
        feed=world.feed,
        keys=world.keys,
        sessions=services.sessions,
        terminals=services.terminals,
        enrolment=services.enrolment,
        issuance=services.issuance,
        standing=services.standing,
        standings=services.standings,
        linking=services.linking,
        basic_four=services.basic_four,
        fallback=fallback,
        monitoring=services.monitoring,
        in_use=services.in_use,
        upkeep=build_upkeep(world, services),
        list_upkeep=list_upkeep,
        sweep=build_sweep(settings, world.store, world.clock),
        delivery=build_delivery(settings, world.store, world.webhook, world.keys, world.clock, world.entropy),
        resident=build_resident_listener(world, services, renderer, health),
        staff=build_staff_listener(world, services, renderer, health),
    )
