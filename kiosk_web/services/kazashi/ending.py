"""Staff end the かざし利用 of somebody who asks for it without their card (`docs/kazashi.md`).

Who it is must be named exactly: by the user number, by the reference number of a visit of the last half hour, or by the
identifier that the system has (PPID or MyKey ID). Every attempt is in the staff audit, refused ones too.
"""

from __future__ import annotations

from dataclasses import dataclass

from kiosk_web.errors import IdentityError
from kiosk_web.identity.links import LINK_REFUSALS, LinkRefusal, judge_words
from kiosk_web.identity.offer import Offer
from kiosk_web.identity.reference import read_reference
from kiosk_web.services.links.linking import LinkingService
from kiosk_web.services.persons.holders import find_by_identifier
from kiosk_web.services.ports import Clock, Store, Transaction
from kiosk_web.services.ports.links import StaffAction
from kiosk_web.services.staff.audit import find_look_up_limit


@dataclass(frozen=True, repr=False)
class Holder:
    """Who is meant, in one of three ways; the first that is given counts: reference, identifier, number."""

    number: str = ""
    reference: str = ""
    identifier: str = ""


@dataclass(frozen=True, repr=False)
class _Person:
    key: str


class KazashiEndingService:
    """Raises `IdentityError` with a name of `identity/links.py`."""

    def __init__(self, *, store: Store, linking: LinkingService, offer: Offer, clock: Clock) -> None:
        self._store = store
        self._linking = linking
        self._offer = offer
        self._clock = clock

    async def end(self, system: str, holder: Holder, by: str, reason: str) -> None:
        """The stored key is deleted: the card is asked for its 暗証番号 at the next visit, in every system."""
        now = self._clock()
        async with self._store.write() as transaction:
            refusal = judge_words(by, reason)
            if refusal is None and not (holder.reference or holder.identifier):  # nobody can try those two out
                refusal = await find_look_up_limit(transaction, by, now)
            found = refusal or await self._find_person(transaction, system, holder)
            if isinstance(found, _Person) and not await transaction.kazashi.end_of_person(found.key):
                found = "kazashi_not_registered"
            outcome = "done" if isinstance(found, _Person) else found
            named = "" if outcome == "system_unknown" else system
            await transaction.staff_audit.add(
                StaffAction(
                    now,
                    by.strip()[:200],
                    "end_kazashi",
                    named,
                    outcome,
                    int(outcome == "done"),
                    reason.strip()[:200],
                )
            )
        if not isinstance(found, _Person):
            raise IdentityError(found)

    async def _find_person(self, transaction: Transaction, system: str, holder: Holder) -> LinkRefusal | _Person:
        known = self._offer.find_system(system)
        if known is None:
            return "system_unknown"
        if holder.reference:
            # a tap is enough here: what it leads to can only end
            visit = await transaction.links.find_visit(read_reference(holder.reference), self._clock())
            if visit is None:
                return "visit_unknown"
            return _Person(visit.person) if visit.system == system else "visit_of_another_system"
        if holder.identifier:
            person = await find_by_identifier(transaction, known, holder.identifier)
            return "identifier_unknown" if person is None else _Person(person)
        number = self._linking.read_number(system, holder.number)
        if number in LINK_REFUSALS:
            return number
        link = await transaction.links.find_by_number(system, number)
        return "not_linked" if link is None else _Person(link.person)
