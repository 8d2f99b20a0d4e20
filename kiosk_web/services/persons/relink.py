"""Make one person of two, where the register did not say that a card replaced the other: a new card, a lost answer.

Three things together: a 暗証番号 signature by the new card (a visit of the last half hour, by its reference number), a
member of staff who knows whose user number or identifier it is, and proof that the old certificate is not good.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from kiosk_web.errors import IdentityError
from kiosk_web.identity.links import LINK_REFUSALS, judge_words
from kiosk_web.identity.persons import CertificateName
from kiosk_web.identity.reference import read_reference
from kiosk_web.services.links.linking import LinkingService
from kiosk_web.services.persons.holders import find_by_identifier
from kiosk_web.services.ports import Clock, Store, Transaction
from kiosk_web.services.ports.links import StaffAction
from kiosk_web.services.staff.audit import find_look_up_limit, recording_refusals

SerialOutcome = Literal["revoked", "on_hold", "not_listed", "stale", "unavailable"]
JudgeCertificate = Callable[[CertificateName], Awaitable[str]]


@dataclass(frozen=True)
class Relinked:
    """`ended`: the systems in which the new card's own PPID ended, "" for a MyKey ID: those must be told."""

    ended: tuple[str, ...]


class RelinkService:
    """`judge` says what the revocation lists in force tell of a certificate, named by issuer key and serial."""

    def __init__(self, *, store: Store, linking: LinkingService, judge: JudgeCertificate, clock: Clock) -> None:
        self._store = store
        self._linking = linking
        self._judge = judge
        self._clock = clock

    async def relink(
        self, reference: str, system: str, number: str, by: str, reason: str, *, identifier: str = ""
    ) -> Relinked:
        """The person of the visit `reference` becomes the one who has this user number in `system`.

        `identifier` (PPID, of a library the MyKey ID) may name the person instead, where no number is kept here.
        Raises `IdentityError`: a name of `identity/links.py`, `same_person`, `not_a_new_card`, `old_certificate_good`
        (no list names it, so it may be), `old_certificate_on_hold`, `old_certificate_unconfirmed`. Refused attempts are
        in the staff audit too.
        """
        async with recording_refusals(self._store, self._clock, "relink", system, by, reason):
            return await self._relink(reference, system, number, identifier, by, reason)

    async def _relink(
        self, reference: str, system: str, number: str, identifier: str, by: str, reason: str
    ) -> Relinked:
        refusal = judge_words(by, reason)
        if refusal is not None:
            raise IdentityError(refusal)
        if self._linking.find_system(system) is None:
            raise IdentityError("system_unknown")
        async with self._store.read() as reading:
            refusal = await find_look_up_limit(reading, by, self._clock())  # what follows tells whether it is linked
            if refusal is not None:
                raise IdentityError(refusal)
            stranger, person, old = await self._find(reading, reference, system, number, identifier)
        outcome = await self._judge(old)  # outside of the transaction: it reads whole lists
        if outcome != "revoked":
            raise IdentityError(_REFUSALS.get(outcome, "old_certificate_unconfirmed"))
        now = self._clock()
        async with self._store.write() as transaction:
            if await self._find(transaction, reference, system, number, identifier) != (stranger, person, old):
                raise IdentityError("visit_unknown")  # somebody else was faster
            ended = await transaction.persons.absorb(stranger, person, now)
            await transaction.staff_audit.add(StaffAction(now, by, "relink", system, "done", 1, reason))
        return Relinked(ended)

    async def _find(
        self, transaction: Transaction, reference: str, system: str, number: str, identifier: str
    ) -> tuple[str, str, CertificateName]:
        """In the caller's transaction: one that writes must not rest on what another one saw."""
        visit = await transaction.links.find_visit(read_reference(reference), self._clock())
        if visit is None or visit.method != "pin":
            raise IdentityError("visit_unknown")
        person = await self._find_person(transaction, system, number, identifier)
        if person == visit.person:
            raise IdentityError("same_person")
        if await transaction.persons.count_certificates(visit.person) != 1:
            raise IdentityError("not_a_new_card")
        if await transaction.links.has_any(visit.person):
            raise IdentityError("person_has_another")
        old = await transaction.persons.find_newest_certificate(person)
        if old is None:
            raise IdentityError("old_certificate_unconfirmed")
        return visit.person, person, old

    async def _find_person(self, transaction: Transaction, system: str, number: str, identifier: str) -> str:
        if identifier:
            known = self._linking.find_system(system)
            if known is None:
                raise IdentityError("system_unknown")
            person = await find_by_identifier(transaction, known, identifier)
            if person is None:
                raise IdentityError("identifier_unknown")
            return person
        text = self._linking.read_number(system, number)
        if text in LINK_REFUSALS:
            raise IdentityError(text)
        link = await transaction.links.find_by_number(system, text)
        if link is None:
            raise IdentityError("not_linked")
        return link.person


_REFUSALS = {"not_listed": "old_certificate_good", "on_hold": "old_certificate_on_hold"}
