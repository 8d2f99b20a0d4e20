"""The services of links and identifiers, wired for one command beside a server that may be running."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from kiosk_web.adapters.clock import read_clock
from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.adapters.store.list_marks import SqlListMarks
from kiosk_web.adapters.store.migration import migrate
from kiosk_web.identity.offer import Offer
from kiosk_web.identity.persons import CertificateName
from kiosk_web.pki.trust import TrustPolicy, TrustStore
from kiosk_web.services.kazashi.ending import KazashiEndingService
from kiosk_web.services.links.files import LinkFileService
from kiosk_web.services.links.linking import LinkingService
from kiosk_web.services.lists.check import build_list_check
from kiosk_web.services.persons.deletion import PersonDeletionService
from kiosk_web.services.persons.issuance import IssuanceService
from kiosk_web.services.persons.mykey import MyKeyService
from kiosk_web.services.persons.register import NoRegister
from kiosk_web.services.persons.relink import JudgeCertificate, RelinkService
from kiosk_web.services.persons.standing import StandingService
from kiosk_web.services.ports import Store
from kiosk_web.settings.server import Settings
from kiosk_web.web.link_desk import DeskRenderer, LinkDeskRoutes
from kiosk_web.wiring.crl_index import build_policy, open_shelf

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class LinkDesk:
    """What staff do with links and identifiers."""

    linking: LinkingService
    files: LinkFileService
    relinking: RelinkService
    mykey: MyKeyService
    standing: StandingService
    kazashi: KazashiEndingService
    deletion: PersonDeletionService


def build_link_desk(settings: Settings, store: SqlStore, clock: Callable[[], datetime] = read_clock) -> LinkDesk:
    """All services on one database."""
    offer = settings.build_offer()
    linking = LinkingService(store=store, offer=offer, clock=clock)
    return LinkDesk(
        linking=linking,
        files=LinkFileService(store=store, offer=offer, clock=clock),
        relinking=RelinkService(
            store=store, linking=linking, judge=build_certificate_judge(settings, store, clock), clock=clock
        ),
        mykey=MyKeyService(store=store, issuance=IssuanceService(secrets.token_bytes), clock=clock),
        standing=StandingService(store=store, register=NoRegister(), clock=clock),
        kazashi=KazashiEndingService(store=store, linking=linking, offer=offer, clock=clock),
        deletion=PersonDeletionService(store=store, clock=clock),
    )


def build_certificate_judge(settings: Settings, store: SqlStore, clock: Callable[[], datetime]) -> JudgeCertificate:
    """Asks the revocation lists in force about a serial number. The certificate itself is nowhere any more."""

    async def judge(name: CertificateName) -> str:
        marks = await SqlListMarks(store).load_all()
        shelf, policy = open_shelf(settings), build_policy(settings.crl)
        check = await asyncio.to_thread(build_list_check, shelf, TrustStore(), TrustPolicy(), policy, marks, clock())
        return check.judge_serials(name.issuer_key_id, [name.serial])[0].outcome

    return judge


def build_link_desk_routes(
    store: Store, linking: LinkingService, offer: Offer, renderer: DeskRenderer, clock: Callable[[], datetime]
) -> LinkDeskRoutes:
    """The same desk as pages of the staff listener."""
    kazashi = KazashiEndingService(store=store, linking=linking, offer=offer, clock=clock)
    return LinkDeskRoutes(linking, kazashi, offer, renderer)


async def run_link_desk(settings: Settings, work: Callable[[LinkDesk], Awaitable[Answer]]) -> Answer:
    """One use-case, from the command line."""
    migrate(settings.data)
    store = SqlStore(settings.data)
    try:
        return await work(build_link_desk(settings, store))
    finally:
        await store.close()
