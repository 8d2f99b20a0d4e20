"""The services of a server, from the settings: each once, and each built on those above it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from kiosk_web.identity.terms import derive_versions
from kiosk_web.pki.status_policy import StatusPolicy
from kiosk_web.services.clock_watch import ClockWatch
from kiosk_web.services.introductions import SystemsInUse
from kiosk_web.services.links.at_terminal import TerminalLinking
from kiosk_web.services.links.linking import LinkingService
from kiosk_web.services.lists.alarms import ListAlarm
from kiosk_web.services.persons.issuance import IssuanceService
from kiosk_web.services.persons.renewals import RenewalAwareValidation, RenewalService
from kiosk_web.services.persons.standing import StandingBoard, StandingService
from kiosk_web.services.ports import Validation
from kiosk_web.services.readings.basic_four import BasicFourService
from kiosk_web.services.readings.redirects import RedirectService
from kiosk_web.services.readings.requests import ReadingService
from kiosk_web.services.staff.leases import LeaseService
from kiosk_web.services.status.fallback import FallbackService
from kiosk_web.services.terminals.enrolment import EnrolmentService
from kiosk_web.services.terminals.monitoring import MonitoringService
from kiosk_web.services.terminals.pages import TerminalService
from kiosk_web.services.upkeep import Upkeep
from kiosk_web.services.visit.challenges import ConsentHash
from kiosk_web.services.visit.sessions import SessionService
from kiosk_web.wiring.basic_four import build_basic_four
from kiosk_web.wiring.crl_index import build_policy
from kiosk_web.wiring.effects import build_effects
from kiosk_web.wiring.kazashi import build_leases
from kiosk_web.wiring.readings import build_readings
from kiosk_web.wiring.terms import load_shown_terms
from kiosk_web.wiring.world import World


@dataclass(frozen=True)
class Services:
    """What the pages, the API and the work beside them call. `validation` knows renewals; `limits` say how old the
    evidence of a verdict may be.
    """

    validation: Validation
    limits: StatusPolicy
    fallback: FallbackService
    in_use: SystemsInUse
    terminals: TerminalService
    enrolment: EnrolmentService
    issuance: IssuanceService
    standing: StandingService
    standings: StandingBoard
    linking: LinkingService
    terminal_linking: TerminalLinking
    leases: LeaseService
    basic_four: BasicFourService
    sessions: SessionService
    monitoring: MonitoringService
    readings: ReadingService
    redirects: RedirectService


def build_services(
    world: World,
    validation: Validation,
    fallback: FallbackService,
    list_alarms: Callable[[], tuple[ListAlarm, ...]],
    consent_hash: ConsentHash,
) -> Services:
    """`consent_hash`: of the words that a resident agrees to, as the pages show them."""
    settings, store, feed, offer = world.settings, world.store, world.feed, world.offer
    clock, entropy = world.clock, world.entropy
    limits = StatusPolicy(
        ocsp_max_age=timedelta(minutes=settings.ocsp_max_age_minutes), crl_max_age=build_policy(settings.crl).max_age
    )
    renewals = RenewalService(store=store, register=world.register, budget=settings.register_service.budget_seconds)
    validation = RenewalAwareValidation(validation, renewals)
    in_use = SystemsInUse(store=store, offer=offer, demo=settings.demo, publish=feed.publish_all)
    issuance = IssuanceService(entropy, renewals, derive_versions(load_shown_terms(settings)))
    standing = StandingService(store=store, register=world.register, clock=clock)
    linking = LinkingService(store=store, offer=offer, clock=clock)
    leases = build_leases(settings, store, feed, clock, entropy)
    terminal_linking = TerminalLinking(linking=linking, leases=leases, offer=offer)
    basic_four = build_basic_four(settings, store, clock, entropy)
    effects = build_effects(
        settings,
        offer=offer,
        validation=validation,
        issuance=issuance,
        keys=world.keys,
        entropy=entropy,
        fallback=fallback,
        leases=leases,
        basic_four=basic_four,
        linking=terminal_linking,
        consent_hash=consent_hash,
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
    monitoring = MonitoringService(store=store, feed=feed, fallback=fallback, list_alarms=list_alarms, clock=clock)
    readings, redirects = build_readings(world, sessions, monitoring, in_use)
    return Services(
        validation=validation,
        limits=limits,
        fallback=fallback,
        in_use=in_use,
        terminals=TerminalService(store=store, keys=world.keys, clock=clock, entropy=entropy),
        enrolment=EnrolmentService(store=store, keys=world.keys, clock=clock, entropy=entropy),
        issuance=issuance,
        standing=standing,
        standings=StandingBoard(standing=standing, store=store, offer=offer, feed=feed),
        linking=linking,
        terminal_linking=terminal_linking,
        leases=leases,
        basic_four=basic_four,
        sessions=sessions,
        monitoring=monitoring,
        readings=readings,
        redirects=redirects,
    )


def build_upkeep(world: World, services: Services) -> Upkeep:
    """What is looked after beside the visits: deadlines, leases, keys, what is over."""
    return Upkeep(
        clock_watch=ClockWatch(
            store=world.store,
            sessions=services.sessions,
            leases=services.leases,
            clock=world.clock,
            steady=world.steady,
        ),
        sessions=services.sessions,
        fallback=services.fallback,
        in_use=services.in_use,
        leases=services.leases,
        monitoring=services.monitoring,
        readings=services.readings,
        store=world.store,
        rotate_keys=lambda now: world.key_files.rotate(world.keys, now),
        clock=world.clock,
    )
