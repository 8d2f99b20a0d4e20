"""Link and unlink a person and a user number (連携登録・連携解除), and look one link up by an exact match.

Staff and commands give a name and a reason, and every attempt is in the staff audit, refused ones too. There is no way
to list people: what cannot be named exactly is not found.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kiosk_web.errors import IdentityError
from kiosk_web.identity.links import (
    LINK_REFUSALS,
    LinkRefusal,
    LinkWay,
    Standing,
    judge_link,
    judge_system,
    judge_words,
)
from kiosk_web.identity.offer import Offer
from kiosk_web.identity.reference import read_reference
from kiosk_web.identity.systems import CooperatingSystem
from kiosk_web.identity.user_numbers import NumberRefused, read_user_number
from kiosk_web.services.ports import Clock, Store, Transaction
from kiosk_web.services.ports.links import LinkRecord, RecentVisit, StaffAction
from kiosk_web.services.staff.audit import find_look_up_limit


@dataclass(frozen=True, repr=False)
class FoundLink:
    """What the link desk may know. `user_number` and `linked_at` are None where the visitor has no link."""

    system: str
    user_number: str | None
    linked_at: datetime | None
    reference: str = ""


class LinkingService:
    """Every method that refuses raises `IdentityError` with a name of `identity/links.py`."""

    def __init__(self, *, store: Store, offer: Offer, clock: Clock) -> None:
        self._store = store
        self._offer = offer
        self._clock = clock

    def find_system(self, system: str) -> CooperatingSystem | None:
        """The cooperating system of this id, whoever keeps its links."""
        return self._offer.find_system(system)

    def read_number(self, system: str, text: str) -> str | LinkRefusal:
        """The number in its one form, or why it is none of this system's."""
        known = self._offer.find_system(system)
        refusal = judge_system(known)
        if refusal is not None or known is None:
            return refusal or "system_unknown"
        try:
            return read_user_number(text, known.user_number)
        except NumberRefused as refused:
            return refused.name

    async def link_within(
        self, transaction: Transaction, person: str, system: str, text: str, way: LinkWay, now: datetime
    ) -> LinkRefusal | LinkRecord:
        """Link inside the caller's transaction; for the terminal, where the caller has proven who the person is."""
        number = await self.judge_within(transaction, person, system, text)
        if number in LINK_REFUSALS:
            return number  # a refusal is never a number: it has small letters
        link = await transaction.links.add(system, person, number, way, now)
        return LinkRecord(link, system, person, number, "active", way, now)

    async def judge_within(self, transaction: Transaction, person: str, system: str, text: str) -> LinkRefusal | str:
        """The number in its one form, if it may be linked to this person; nothing is changed."""
        number = self.read_number(system, text)
        if number in LINK_REFUSALS:
            return number
        owner = await transaction.links.find_by_number(system, number)
        own = await transaction.links.find_by_person(system, person)
        standing = Standing(
            listed=await transaction.links.is_number_listed(system, number),
            owner=None if owner is None else owner.person,
            own=None if own is None else own.user_number,
        )
        return judge_link(person, number, standing) or number

    async def link_visit(self, reference: str, system: str, text: str, by: str, reason: str, way: LinkWay) -> FoundLink:
        """Link the person of a visit of the last half hour, found by its reference number (受付番号)."""
        now = self._clock()
        async with self._store.write() as transaction:
            answer: LinkRefusal | LinkRecord
            limit = await find_look_up_limit(transaction, by, now)  # a refusal tells whether the number is linked
            visit = limit or await self._find_visit(transaction, reference, system, by, reason, now)
            if isinstance(visit, RecentVisit):
                answer = await self.link_within(transaction, visit.person, system, text, way, now)
            else:
                answer = visit
            await _note(transaction, "link", system, answer, by, reason, now)
        record = _require(answer)
        return FoundLink(system, record.user_number, record.linked_at, reference)

    async def unlink(self, system: str, text: str, by: str, reason: str) -> FoundLink:
        """End the link of this very number. The person keeps the identifier, and may be linked anew."""
        now = self._clock()
        async with self._store.write() as transaction:
            limit = await find_look_up_limit(transaction, by, now)
            answer = limit or await self._find_number(transaction, system, text, by, reason)
            if isinstance(answer, LinkRecord):
                await transaction.links.end(answer.id, now)
            await _note(transaction, "unlink", system, answer, by, reason, now)
        record = _require(answer)
        return FoundLink(system, record.user_number, record.linked_at)

    async def look_up_number(self, system: str, text: str, by: str, reason: str) -> FoundLink:
        """Is this very number linked, and since when?"""
        now = self._clock()
        async with self._store.write() as transaction:
            limit = await find_look_up_limit(transaction, by, now)
            answer = limit or await self._find_number(transaction, system, text, by, reason)
            await _note(transaction, "look_up", system, answer, by, reason, now)
        record = _require(answer)
        return FoundLink(system, record.user_number, record.linked_at)

    async def look_up_visit(self, reference: str, system: str, by: str, reason: str) -> FoundLink:
        """Which number has the person of this visit, if any?"""
        now = self._clock()
        async with self._store.write() as transaction:
            limit = await find_look_up_limit(transaction, by, now)
            visit = limit or await self._find_visit(transaction, reference, system, by, reason, now)
            record = None
            if isinstance(visit, RecentVisit):
                record = await transaction.links.find_by_person(system, visit.person)
            await _note(transaction, "look_up", system, record or visit, by, reason, now)
        if not isinstance(visit, RecentVisit):
            raise IdentityError(visit)
        if record is None:
            return FoundLink(system, None, None, reference)
        return FoundLink(system, record.user_number, record.linked_at, reference)

    async def _find_number(
        self, transaction: Transaction, system: str, text: str, by: str, reason: str
    ) -> LinkRefusal | LinkRecord:
        refusal = judge_words(by, reason)
        number = self.read_number(system, text)
        if refusal is not None or number in LINK_REFUSALS:
            return refusal or number  # type: ignore[return-value]  # as above
        return await transaction.links.find_by_number(system, number) or "not_linked"

    async def _find_visit(
        self, transaction: Transaction, reference: str, system: str, by: str, reason: str, now: datetime
    ) -> LinkRefusal | RecentVisit:
        refusal = judge_words(by, reason) or judge_system(self._offer.find_system(system))
        if refusal is not None:
            return refusal
        visit = await transaction.links.find_visit(read_reference(reference), now)
        # Only who typed the 暗証番号 may be linked: a tap proves less.
        if visit is None or visit.method != "pin":
            return "visit_unknown"
        return visit if visit.system == system else "visit_of_another_system"


async def _note(
    transaction: Transaction,
    action: str,
    system: str,
    answer: LinkRefusal | LinkRecord | RecentVisit,
    by: str,
    reason: str,
    now: datetime,
) -> None:
    outcome = answer if isinstance(answer, str) else "done"
    link = answer.id if isinstance(answer, LinkRecord) else None
    known = system if outcome not in ("system_unknown",) else ""
    await transaction.staff_audit.add(
        StaffAction(now, by.strip()[:200], action, known, outcome, int(outcome == "done"), reason.strip()[:200], link)
    )


def _require(answer: LinkRefusal | LinkRecord) -> LinkRecord:
    if isinstance(answer, str):
        raise IdentityError(answer)
    return answer
