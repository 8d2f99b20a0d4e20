"""The API, wired: in the server, and its clients from the command line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar
from urllib.parse import urlsplit

from kiosk_web.adapters.key_files import KeyFiles
from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.adapters.store.list_marks import SqlListMarks
from kiosk_web.adapters.store.marks import SqlHighWaterMarks
from kiosk_web.adapters.store.migration import migrate
from kiosk_web.identity.alphabet import spell
from kiosk_web.pki.trust import TrustPolicy
from kiosk_web.services.api.client_auth import ClientAuthService
from kiosk_web.services.api.clients import ClientService, find_api_systems, find_link_systems
from kiosk_web.services.api.kept_replies import KeptReplies
from kiosk_web.services.api.rate_limit import RateLimits
from kiosk_web.services.api.validation import RemoteValidationService
from kiosk_web.services.links.by_api import ApiLinkService
from kiosk_web.services.lists.batches import ListBatches
from kiosk_web.services.lists.check import ListCheck, build_list_check, is_clock_reliable
from kiosk_web.services.ports import Clock
from kiosk_web.services.readings.receipts import ReceiptService
from kiosk_web.settings.server import LOOPBACK, Settings
from kiosk_web.web.api.admission import Admission
from kiosk_web.web.api.app import ApiGate, build_api_app
from kiosk_web.web.api.batch_handlers import BatchHandlers
from kiosk_web.web.api.link_handlers import LinkHandlers
from kiosk_web.web.api.operations import TOKEN
from kiosk_web.web.api.reading_handlers import ReadingHandlers
from kiosk_web.web.api.token_handlers import TokenHandlers
from kiosk_web.web.api.validation_handlers import ValidationHandlers
from kiosk_web.wiring.crl_index import build_policy, open_shelf
from kiosk_web.wiring.services import Services
from kiosk_web.wiring.world import World

Answer = TypeVar("Answer")

REQUEST_ID_SIGNS = 12


def build_api(world: World, services: Services, url: str) -> ApiGate:
    """`url` is the public address of the API."""
    settings, store, offer = world.settings, world.store, world.offer
    clock, entropy = world.clock, world.entropy
    auth = ClientAuthService(
        store=store, audience=url + TOKEN.whole_path, limits=RateLimits(), clock=clock, entropy=entropy
    )
    remote = RemoteValidationService(
        store=store,
        validation=services.validation,
        issuance=services.issuance,
        standing=services.standing,
        fallback=services.fallback,
        in_use=services.in_use,
        limits=services.limits,
        systems_by_list=offer.systems_by_list,
        clock=clock,
        entropy=entropy,
    )
    hosts = {urlsplit(url).netloc}
    if settings.api.url is None:
        hosts.add(f"{LOOPBACK}:{settings.staff_port}")
    batches = ListBatches(
        store=store,
        in_use=services.in_use,
        systems_by_list=offer.systems_by_list,
        open_certificates=build_opener(world, whole=False),
        open_persons=build_opener(world, whole=True),
        clock=clock,
    )
    links = ApiLinkService(store=store, linking=services.linking, offer=offer, in_use=services.in_use, clock=clock)
    database_key = KeyFiles(settings.data, entropy).load_database_key()
    replies = KeptReplies(store=store, database_key=database_key, clock=clock, entropy=entropy)
    admission = Admission(auth, replies)
    return build_api_app(
        (
            TokenHandlers(admission),
            ValidationHandlers(admission, remote),
            BatchHandlers(admission, batches),
            ReadingHandlers(
                admission,
                services.basic_four,
                services.readings,
                services.redirects,
                ReceiptService(store=store, clock=clock),
            ),
            LinkHandlers(admission, links),
        ),
        static=settings.static,
        server=url,
        hosts=hosts,
        draw_id=lambda: spell(entropy(REQUEST_ID_SIGNS)),
        demo=settings.demo,
    )


def build_opener(world: World, *, whole: bool) -> Callable[[], Awaitable[ListCheck]]:
    """How the lists are opened for a batch; `whole`: with every entry at hand, to ask for serial numbers."""
    settings, store, anchors = world.settings, world.store, world.anchors
    trust_policy = TrustPolicy(allow_test_arc=settings.allow_test_arc)
    shelf, policy = open_shelf(settings), build_policy(settings.crl)

    async def open_check() -> ListCheck:
        marks = await SqlListMarks(store).load_all()
        newest, now = await SqlHighWaterMarks(store).load_newest_time(), world.clock()
        times = (newest, *(mark.this_update for mark in marks.values()))
        reliable = is_clock_reliable(times, policy, now, trusted=world.is_clock_trusted())
        if whole:
            read = partial(build_list_check, clock_reliable=reliable)
            return await asyncio.to_thread(read, open_shelf(settings), anchors, trust_policy, policy, marks, now)
        return ListCheck(shelf, anchors, trust_policy, policy, marks, now, {}, frozenset(), reliable)

    return open_check


async def run_clients(settings: Settings, clock: Clock, work: Callable[[ClientService], Awaitable[Answer]]) -> Answer:
    """One use-case on the clients, beside a server that may be running."""
    migrate(settings.data)
    store = SqlStore(settings.data)
    try:
        offer = settings.build_offer()
        systems, link_systems = find_api_systems(offer), find_link_systems(offer)
        return await work(ClientService(store=store, systems=systems, clock=clock, link_systems=link_systems))
    finally:
        await store.close()
