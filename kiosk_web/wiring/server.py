"""The whole server, wired from its settings. It runs nothing."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from kiosk_web.adapters.anchor_files import AnchorFileRefused, load_trust_store
from kiosk_web.adapters.clock import read_clock
from kiosk_web.adapters.clock_state import read_clock_state
from kiosk_web.adapters.crl_files import CrlShelf
from kiosk_web.adapters.feed import LocalFeed
from kiosk_web.adapters.fetch import HttpFetcher
from kiosk_web.adapters.key_files import KeyFiles
from kiosk_web.adapters.register_http import HttpRegister
from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.adapters.store.list_marks import SqlListMarks
from kiosk_web.adapters.store.marks import SqlHighWaterMarks
from kiosk_web.adapters.webhook import HttpWebhook
from kiosk_web.errors import SettingsError
from kiosk_web.identity.terms import derive_versions
from kiosk_web.pki.status_policy import StatusPolicy
from kiosk_web.pki.trust import TrustPolicy, TrustStore
from kiosk_web.services.answer_cache import AnswerCache
from kiosk_web.services.basic_four import BasicFourService
from kiosk_web.services.crl_upkeep import ListUpkeep
from kiosk_web.services.enrolment import EnrolmentService
from kiosk_web.services.fallback import FallbackService
from kiosk_web.services.held_records import HeldRecordsService
from kiosk_web.services.introductions import SystemsInUse
from kiosk_web.services.issuance import IssuanceService
from kiosk_web.services.keys import KeyRing
from kiosk_web.services.linking import LinkingService
from kiosk_web.services.monitoring import MonitoringService
from kiosk_web.services.ports import Clock, Entropy, Validation
from kiosk_web.services.reading_delivery import ReadingDelivery, Webhook
from kiosk_web.services.register import NoRegister, Register
from kiosk_web.services.renewals import RenewalAwareValidation, RenewalService
from kiosk_web.services.responders import GuardedFetcher
from kiosk_web.services.sessions import SessionService
from kiosk_web.services.standing import StandingBoard, StandingService
from kiosk_web.services.sweep import LinkSweep
from kiosk_web.services.terminal_linking import TerminalLinking
from kiosk_web.services.terminals import TerminalService
from kiosk_web.services.upkeep import Upkeep
from kiosk_web.services.validation import Fetcher, Lists, ValidationService
from kiosk_web.settings.server import Settings
from kiosk_web.web.api.app import BesideApi
from kiosk_web.web.app import Application
from kiosk_web.web.desk_feed import DeskFeed
from kiosk_web.web.health import HealthRoutes
from kiosk_web.web.held_records import HeldRecordsRoutes
from kiosk_web.web.kiosk import KioskRoutes
from kiosk_web.web.render import Renderer
from kiosk_web.web.staff import StaffRoutes
from kiosk_web.wiring.api import build_api
from kiosk_web.wiring.basic_four import build_basic_four, build_delivery
from kiosk_web.wiring.crl_child import RefreshChild
from kiosk_web.wiring.crl_index import build_limits, build_policy, build_sources, load_source_states, open_shelf
from kiosk_web.wiring.crl_sweep import build_sweep
from kiosk_web.wiring.effects import build_effects
from kiosk_web.wiring.handover import build_handover_routes
from kiosk_web.wiring.kazashi import build_leases
from kiosk_web.wiring.links import build_link_desk_routes
from kiosk_web.wiring.listeners import build_resident_listener, build_staff_listener
from kiosk_web.wiring.ocsp import build_circuit_policy, build_responder_policy
from kiosk_web.wiring.readings import build_readings
from kiosk_web.wiring.terms import load_shown_terms


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
async def build_server(
    settings: Settings,
    *,
    clock: Clock = read_clock,
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
    store, feed = SqlStore(settings.data), LocalFeed()
    fallback = FallbackService(store=store, feed=feed, rules=settings.fallback.build_rules(), clock=clock)
    shelf = open_shelf(settings)
    list_upkeep = build_list_upkeep(settings, shelf, store, feed.publish_all, clock)
    async with (
        HttpFetcher() as network,
        open_register(settings, clock) as asked,
        HttpWebhook() as webhook,
    ):
        validation = ValidationService(
            store=anchors,
            trust_policy=TrustPolicy(allow_test_arc=settings.allow_test_arc),
            responder_policy=build_responder_policy(settings),
            fetcher=GuardedFetcher(fetcher or network, build_circuit_policy(settings), clock),
            high_water=SqlHighWaterMarks(store),
            lists=lists or Lists(shelf, SqlListMarks(store), build_policy(settings.crl)),
            fallback=fallback,
            clock=clock,
            is_clock_trusted=is_clock_trusted or choose_clock_check(settings),
            entropy=entropy,
            answers=AnswerCache(timedelta(seconds=settings.ocsp_cache_seconds)),
        )
        world = (settings, store, feed, keys, key_files, validation, register or asked, webhook)
        server = _wire(*world, fallback, list_upkeep, anchors, clock, entropy)
        await server.in_use.watch()
        await server.sessions.recover()
        try:
            yield server
        finally:
            server.feed.close()
            await server.sessions.close()
            await server.standings.close()
            await store.close()


@asynccontextmanager
async def open_register(settings: Settings, clock: Clock) -> AsyncIterator[Register]:
    """The register of J-LIS, or none where no address is set. Settings with an address have both verifier roles."""
    service = settings.register_service
    if service.url is None:
        yield NoRegister()
        return
    async with HttpRegister(service.url, budget=service.budget_seconds, clock=clock) as register:
        yield register


def build_list_upkeep(
    settings: Settings, shelf: CrlShelf, store: SqlStore, publish: Callable[[], None], clock: Clock
) -> ListUpkeep:
    """What keeps the revocation lists fresh."""
    return ListUpkeep(
        sources=build_sources(settings.crl),
        load_states=load_source_states(settings),
        refresher=RefreshChild(settings),
        shelf=shelf,
        marks=SqlListMarks(store),
        limits=build_limits(settings.crl),
        publish=publish,
        clock=clock,
    )


def choose_clock_check(settings: Settings) -> Callable[[], bool]:
    """Asks the system where that is wanted. A system that cannot tell is believed; `kiosk doctor` says so."""
    if settings.needs_synchronised_clock:
        return lambda: read_clock_state() != "unsynchronised"
    return lambda: True


def _wire(
    settings: Settings,
    store: SqlStore,
    feed: LocalFeed,
    keys: KeyRing,
    key_files: KeyFiles,
    validation: Validation,
    register: Register,
    webhook: Webhook,
    fallback: FallbackService,
    list_upkeep: ListUpkeep,
    anchors: TrustStore,
    clock: Clock,
    entropy: Entropy,
) -> Server:
    offer = settings.build_offer()
    in_use = SystemsInUse(store=store, offer=offer, demo=settings.demo, publish=feed.publish_all)
    limits = StatusPolicy(
        ocsp_max_age=timedelta(minutes=settings.ocsp_max_age_minutes), crl_max_age=build_policy(settings.crl).max_age
    )
    terminals = TerminalService(store=store, keys=keys, clock=clock, entropy=entropy)
    enrolment = EnrolmentService(store=store, keys=keys, clock=clock, entropy=entropy)
    renewals = RenewalService(store=store, register=register, budget=settings.register_service.budget_seconds)
    validation = RenewalAwareValidation(validation, renewals)
    issuance = IssuanceService(entropy, renewals, derive_versions(load_shown_terms(settings)))
    standing = StandingService(store=store, register=register, clock=clock)
    standings = StandingBoard(standing=standing, store=store, offer=offer, feed=feed)
    linking = LinkingService(store=store, offer=offer, clock=clock)
    leases = build_leases(settings, store, feed, clock, entropy)
    basic_four = build_basic_four(settings, store, clock, entropy)
    renderer = Renderer(demo=settings.demo, bridge_address=settings.bridge_address, terms=load_shown_terms(settings))
    terminal_linking = TerminalLinking(linking=linking, leases=leases, offer=offer)
    effects = build_effects(
        settings,
        offer=offer,
        validation=validation,
        issuance=issuance,
        keys=keys,
        entropy=entropy,
        fallback=fallback,
        leases=leases,
        basic_four=basic_four,
        linking=terminal_linking,
        consent_hash=renderer.derive_consent_hash,
        limits=limits,
    )
    sessions = SessionService(
        store=store,
        effects=effects,
        leases=leases,
        validation=validation,
        offer=offer,
        in_use=in_use,
        feed=feed,
        clock=clock,
    )
    monitoring = MonitoringService(
        store=store, feed=feed, fallback=fallback, list_alarms=lambda: list_upkeep.alarms, clock=clock
    )
    readings, redirects = build_readings(
        settings, store, sessions, monitoring, offer, in_use, keys, feed, clock, entropy
    )
    upkeep = Upkeep(
        sessions=sessions,
        fallback=fallback,
        in_use=in_use,
        leases=leases,
        monitoring=monitoring,
        readings=readings,
        store=store,
        rotate_keys=lambda now: key_files.rotate(keys, now),
        clock=clock,
    )
    health = HealthRoutes(store, len(anchors.anchors))
    held = HeldRecordsService(store=store, sessions=sessions, offer=offer, clock=clock)
    handover = build_handover_routes(
        settings, store, sessions, keys, terminals, renderer, clock, entropy, terminal_linking
    )
    kiosk = KioskRoutes(
        terminals=terminals,
        enrolment=enrolment,
        sessions=sessions,
        monitoring=monitoring,
        fallback=fallback,
        standings=standings,
        feed=feed,
        offer=offer,
        in_use=in_use,
        redirects=redirects,
        renderer=renderer,
        origin=settings.origin,
    )
    resident = build_resident_listener(
        settings, kiosk, handover, health, HeldRecordsRoutes(held, terminals, renderer), renderer
    )
    staff: Application = build_staff_listener(
        settings,
        StaffRoutes(monitoring, feed, renderer),
        build_link_desk_routes(store, linking, offer, renderer, clock),
        health,
        DeskFeed(store, monitoring, standings, offer),
    )
    if settings.api_url is not None:
        api = build_api(
            settings,
            settings.api_url,
            store,
            anchors,
            validation,
            issuance,
            standing,
            fallback,
            in_use,
            limits,
            basic_four,
            readings,
            redirects,
            linking,
            clock,
            entropy,
        )
        staff = BesideApi(api, staff)
    return Server(
        settings,
        store,
        feed,
        keys,
        sessions,
        terminals,
        enrolment,
        issuance,
        standing,
        standings,
        linking,
        basic_four,
        fallback,
        monitoring,
        in_use,
        upkeep,
        list_upkeep,
        build_sweep(settings, store, clock),
        build_delivery(settings, store, webhook, keys, clock),
        resident,
        staff,
    )
