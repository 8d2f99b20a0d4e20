"""Issue the identifier a service gets:

the PPID of its cooperating system, or the MyKey ID. The same person gets the same one again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from kiosk_web.errors import KioskError
from kiosk_web.identity import mykey, persons, ppid
from kiosk_web.identity.offer import Service
from kiosk_web.identity.persons import CertificateName
from kiosk_web.identity.terms import TermsKind
from kiosk_web.pki.trust import TrustedCertificate
from kiosk_web.services.persons.renewals import RenewalService
from kiosk_web.services.persons.terms_acceptance import TermsAcceptance
from kiosk_web.services.ports import Entropy, Transaction
from kiosk_web.services.ports.links import RecentVisit, StaffAction

ATTEMPTS = 8
VISIT_KEPT = timedelta(minutes=30)
"""For so long the link desk finds a visit by its reference number (受付番号)."""


class IdentifierRefused(Exception):
    """The certificate is confirmed, and yet this person gets no identifier. `code` is a name of `session/codes.py`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class _Known:
    """Somebody who was here before. `renewed`: with the certificate that this one replaced."""

    person: str
    renewed: bool = False


class IssuanceService:
    """Looks persons up and issues identifiers, inside the caller's transaction. Without `renewals` a new certificate
    is always a new person's. `terms` are the versions that are shown now.
    """

    def __init__(
        self,
        entropy: Entropy,
        renewals: RenewalService | None = None,
        terms: Mapping[TermsKind, str] | None = None,
    ) -> None:
        self._entropy = entropy
        self._renewals = renewals
        self._terms = TermsAcceptance(terms or {})

    async def issue_identifier(
        self,
        transaction: Transaction,
        certificate: TrustedCertificate,
        service: Service,
        now: datetime,
        *,
        reference: str = "",
        method: str = "pin",
        agreed: bool = False,
    ) -> str:
        """The identifier of the certificate's holder for this service. The verdict must have accepted before.

        With a `reference` number the link desk finds this visit for a while. Raises `IdentifierRefused`, and
        `TermsUnaccepted` before anything is written, unless they have `agreed` on a screen of its own.
        """
        known = await self._find_known(transaction, certificate)
        accepted = await self._terms.judge(
            transaction, None if known is None else known.person, service.system, method, agreed
        )
        person = await self._find_confirmed(transaction, certificate, now, known)
        if service.terms.identifier_kind == "ppid":
            identifier = await self._issue_ppid(transaction, person, service.system, now)
        else:
            name = CertificateName(certificate.issuer_key_id, certificate.serial)
            identifier = await self._issue_mykey_id(transaction, person, name, now)
        await self._terms.record(transaction, person, service.system, accepted, now)
        if reference:
            await transaction.links.add_visit(RecentVisit(reference, person, service.system, method, now + VISIT_KEPT))
        return identifier

    async def replace_mykey_id(self, transaction: Transaction, person: str, now: datetime) -> str:
        """Another MyKey ID, issued to the newest certificate of a person who has none any more."""
        newest = await transaction.persons.find_newest_certificate(person)
        if newest is None:
            raise KioskError("the person has no certificate")
        return await self._draw_mykey_id(transaction, person, newest, now)

    async def issue_ppid(
        self, transaction: Transaction, certificate: TrustedCertificate, system: str, now: datetime
    ) -> str:
        """The holder's PPID for this cooperating system, the same at every counter and by the API."""
        known = await self._find_known(transaction, certificate)
        person = await self._find_confirmed(transaction, certificate, now, known)
        return await self._issue_ppid(transaction, person, system, now)

    async def find_settled_ppid(
        self, transaction: Transaction, certificate: TrustedCertificate, system: str
    ) -> str | None:
        """What `issue_ppid` would answer where it would write nothing, and ask nobody before; None elsewhere."""
        return await transaction.persons.find_settled_ppid(certificate.issuer_key_id, certificate.serial, system)

    async def _find_known(self, transaction: Transaction, certificate: TrustedCertificate) -> _Known | None:
        """Whose certificate this is, or whose it replaced by the register's word. Writes nothing."""
        person = await transaction.persons.find(certificate.issuer_key_id, certificate.serial)
        if person is not None:
            return _Known(person)
        before = None if self._renewals is None else self._renewals.recall(certificate)
        person = None if before is None else await transaction.persons.find(before.issuer_key_id, before.serial)
        if person is None or await transaction.persons.find_newest_certificate(person) != before:
            return None  # a certificate is replaced once: by another one before, and staff have to settle it
        return _Known(person, renewed=True)

    async def _find_confirmed(
        self, transaction: Transaction, certificate: TrustedCertificate, now: datetime, known: _Known | None
    ) -> str:
        person = await self._keep(transaction, certificate, now, known)
        await transaction.persons.clear_check_again(person)
        return person

    async def _keep(
        self, transaction: Transaction, certificate: TrustedCertificate, now: datetime, known: _Known | None
    ) -> str:
        if known is None:
            person = persons.build_person_id(self._entropy(persons.ENTROPY))
            await transaction.persons.add(person, certificate.issuer_key_id, certificate.serial, now)
            return person
        if known.renewed:
            name = (certificate.issuer_key_id, certificate.serial)
            await transaction.persons.add_certificate(known.person, *name, now)
            await transaction.staff_audit.add(StaffAction(now, "register", "renewed", "", "done", 1, ""))
        return known.person

    async def _issue_ppid(self, transaction: Transaction, person: str, system: str, now: datetime) -> str:
        known = await transaction.persons.find_ppid(person, system)
        if known is not None:
            return known
        for _ in range(ATTEMPTS):
            fresh = ppid.build_ppid(self._entropy(ppid.ENTROPY))
            if await transaction.persons.add_ppid(person, system, fresh, now):
                return fresh
        raise KioskError("no unused PPID was drawn")

    async def _issue_mykey_id(
        self, transaction: Transaction, person: str, certificate: CertificateName, now: datetime
    ) -> str:
        known = await transaction.persons.find_mykey_id(person)
        if known is None:
            return await self._draw_mykey_id(transaction, person, certificate, now)
        if known[1] == "stopped":
            raise IdentifierRefused("mykey_id_stopped")
        return known[0]

    async def _draw_mykey_id(
        self, transaction: Transaction, person: str, certificate: CertificateName, now: datetime
    ) -> str:
        for _ in range(ATTEMPTS):
            fresh = mykey.build_mykey_id(self._entropy(mykey.ENTROPY))
            if await transaction.persons.add_mykey_id(person, fresh, now, certificate):
                return fresh
        raise KioskError("no unused MyKey ID was drawn")
