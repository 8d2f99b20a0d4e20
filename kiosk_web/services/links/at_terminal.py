"""連携登録 at a terminal: after the 暗証番号 a resident types or scans the number of an old card, and staff confirm it.

A number that waits for its confirmation is in the memory of this process, while its visit lasts, and nowhere else.
"""

from __future__ import annotations

from datetime import datetime

from kiosk_web.identity.links import LINK_REFUSALS, RESIDENT, LinkRefusal
from kiosk_web.identity.offer import Offer, Service
from kiosk_web.services.links.linking import LinkingService
from kiosk_web.services.ports import Transaction
from kiosk_web.services.ports.links import RecentVisit, StaffAction
from kiosk_web.services.staff.leases import LeaseService
from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import facts
from kiosk_web.session import states as s

REASON = "at the terminal"

CODES: dict[LinkRefusal, str] = {
    "number_malformed": "link_number_malformed",
    "number_check_digit": "link_number_malformed",
    "number_not_listed": "link_number_unknown",
    "number_taken": "link_number_taken",
}
"""What the resident is told; everything else is `link_not_possible`."""


def derive_link_offer(offer: Offer, service: Service, method: str) -> facts.LinkOffer:
    """May a number be linked after such a visit? Only where the links are kept here (row 13 of the profiles' table)."""
    system = offer.find_system(service.system)
    here = system is not None and system.link_holder == "platform"
    return "open" if here and method == "pin" else ""


class TerminalLinking:
    """Executes the machine's commands, inside the caller's transaction."""

    def __init__(self, *, linking: LinkingService, leases: LeaseService, offer: Offer) -> None:
        self._linking = linking
        self._leases = leases
        self._offer = offer
        self._typed: dict[str, str] = {}

    def find_typed(self, visit: s.Visit) -> str | None:
        """The number that waits for its confirmation."""
        return self._typed.get(visit.id)

    def forget(self, visit: s.Visit) -> None:
        self._typed.pop(visit.id, None)

    async def check(self, transaction: Transaction, command: c.CheckNumber, now: datetime) -> e.Event:
        """Refused, linked, or waiting for staff."""
        seen = await self._find_visit(transaction, command.visit, now)
        if isinstance(seen, str):
            return await self._refuse(transaction, "", seen, RESIDENT, now)
        number = await self._linking.judge_within(transaction, seen.person, seen.system, command.number)
        system = self._offer.find_system(seen.system)
        alone = system is not None and system.link_confirmation == "none"
        if alone and number not in LINK_REFUSALS and not await _is_listed(transaction, seen.system, number):
            number = "number_not_listed"
        if number in LINK_REFUSALS:
            return await self._refuse(transaction, seen.system, number, RESIDENT, now)
        if alone:
            return await self._link(transaction, seen, number, RESIDENT, now)
        self._typed[command.visit.id] = number
        return e.NumberAccepted()

    async def confirm(self, transaction: Transaction, terminal: str, command: c.ConfirmLink, now: datetime) -> e.Event:
        """Staff first: without their code nothing is told about the number any more."""
        staff = await self._leases.identify(transaction, terminal, command.number, command.code, now)
        if isinstance(staff, str):
            return e.LeaseRefused(staff)
        seen, number = await self._find_visit(transaction, command.visit, now), self.find_typed(command.visit)
        if isinstance(seen, str) or number is None:
            return await self._refuse(transaction, "", "visit_unknown", staff.name, now)
        return await self._link(transaction, seen, number, staff.name, now)

    async def _link(self, transaction: Transaction, seen: RecentVisit, number: str, by: str, now: datetime) -> e.Event:
        link = await self._linking.link_within(transaction, seen.person, seen.system, number, "terminal", now)
        if isinstance(link, str):
            return await self._refuse(transaction, seen.system, link, by, now)
        await transaction.staff_audit.add(StaffAction(now, by, "link", seen.system, "done", 1, REASON, link.id))
        return e.NumberLinked()

    async def _refuse(
        self, transaction: Transaction, system: str, refusal: LinkRefusal, by: str, now: datetime
    ) -> e.Event:
        await transaction.staff_audit.add(StaffAction(now, by, "link", system, refusal, 0, REASON))
        if refusal == "already_linked":  # by the link desk, while the resident typed
            return e.NumberLinked()
        return e.NumberRefused(CODES.get(refusal, "link_not_possible"))

    async def _find_visit(self, transaction: Transaction, visit: s.Visit, now: datetime) -> LinkRefusal | RecentVisit:
        """Who was confirmed in this visit. A tap proves less, and is not enough."""
        seen = await transaction.links.find_visit(visit.reference, now)
        return seen if seen is not None and seen.method == "pin" else "visit_unknown"


async def _is_listed(transaction: Transaction, system: str, number: str) -> bool:
    return await transaction.links.is_number_listed(system, number) is True
