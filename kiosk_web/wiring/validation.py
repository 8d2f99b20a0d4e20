"""The validation of certificates, from the settings: the responder behind its circuit, the lists, the clock check."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from kiosk_web.adapters.clock_state import read_clock_state
from kiosk_web.adapters.crl_files import CrlShelf
from kiosk_web.adapters.store.list_marks import SqlListMarks
from kiosk_web.adapters.store.marks import SqlHighWaterMarks
from kiosk_web.pki.trust import TrustPolicy
from kiosk_web.services.lists.upkeep import ListUpkeep
from kiosk_web.services.status.answer_cache import AnswerCache
from kiosk_web.services.status.fallback import FallbackService
from kiosk_web.services.status.responders import GuardedFetcher
from kiosk_web.services.status.validation import Fetcher, Lists, ValidationService
from kiosk_web.settings.server import Settings
from kiosk_web.wiring.crl_child import RefreshChild
from kiosk_web.wiring.crl_index import build_limits, build_policy, build_sources, load_source_states
from kiosk_web.wiring.ocsp import build_circuit_policy, build_responder_policy
from kiosk_web.wiring.world import World


def build_validation(
    world: World,
    fetcher: Fetcher,
    lists: Lists,
    fallback: FallbackService,
) -> ValidationService:
    """`fetcher` asks the responder, unless its circuit is open."""
    settings = world.settings
    return ValidationService(
        store=world.anchors,
        trust_policy=TrustPolicy(allow_test_arc=settings.allow_test_arc),
        responder_policy=build_responder_policy(settings),
        fetcher=GuardedFetcher(fetcher, build_circuit_policy(settings), world.clock),
        high_water=SqlHighWaterMarks(world.store),
        lists=lists,
        fallback=fallback,
        clock=world.clock,
        is_clock_trusted=world.is_clock_trusted,
        entropy=world.entropy,
        answers=AnswerCache(timedelta(seconds=settings.ocsp_cache_seconds)),
    )


def build_lists(world: World, shelf: CrlShelf) -> Lists:
    """The revocation lists as a validation asks them."""
    return Lists(shelf, SqlListMarks(world.store), build_policy(world.settings.crl))


def build_list_upkeep(world: World, shelf: CrlShelf) -> ListUpkeep:
    """What keeps the revocation lists fresh."""
    settings = world.settings
    return ListUpkeep(
        sources=build_sources(settings.crl),
        load_states=load_source_states(settings),
        refresher=RefreshChild(settings),
        shelf=shelf,
        marks=SqlListMarks(world.store),
        limits=build_limits(settings.crl),
        publish=world.feed.publish_all,
        clock=world.clock,
    )


def choose_clock_check(settings: Settings) -> Callable[[], bool]:
    """Asks the system where that is wanted. A system that cannot tell is believed; `kiosk doctor` says so."""
    if settings.needs_synchronised_clock:
        return lambda: read_clock_state() != "unsynchronised"
    return lambda: True
