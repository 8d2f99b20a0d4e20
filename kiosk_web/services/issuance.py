"""Issue the identifier a service gets:

the PPID of its cooperating system, or the MyKey ID. The same person gets the same one again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from kiosk_web.errors import KioskError
from kiosk_web.identity import mykey, persons, ppid
from kiosk_web.identity.offer import Service
from kiosk_web.identity.persons import CertificateName
from kiosk_web.identity.terms import TermsKind, find_unaccepted
from kiosk_web.pki.trust import TrustedCertificate
from kiosk_web.services.link_ports import RecentVisit, StaffAction
from kiosk_web.services.ports import Entropy, Transaction
from kiosk_web.services.renewals import RenewalService

ATTEMPTS = 8
VISIT_KEPT = timedelta(minutes=30)
"""For so long the link desk finds a visit by its reference number (受付番号)."""


class IdentifierRefused(Exception):
    """The certificate is confirmed, and yet this person gets no identifier. `code` is a name of `session/codes.py`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class IssuanceService:
    """Looks persons up and issues identifiers, inside the caller's transaction. Without `renewals` a new certificate
    is always a new person's. `terms` are the versions that the screen of the PIN names.
    """

    def __init__(
        self,
        entropy: Entropy,
        renewals: RenewalService | None = None,
        terms: Mapping[TermsKind, str] | None = None,
    ) -> None:
        self._entropy = entropy
        self._renewals = renewals
        self._terms = terms or {}

    async def issue_identifier(
        self,
        transaction: Transaction,
        certificate: TrustedCertificate,
        service: Service,
        now: datetime,
        *,
        reference: str = "",
        method: str = "pin",
    ) -> str:
        """The identifier of the certificate's holder for this service. The verdict must have accepted before.

        With a `reference` number the link desk finds this visit for a while. Raises `IdentifierRefused`.
        """
        person = await self._find_confirmed(transaction, certificate, now)
        if service.terms.identifier_kind == "ppid":
            identifier = await self._issue_ppid(transaction, person, service.system, now)
        else:
            name = CertificateName(certificate.issuer_key_id, certificate.serial)
            identifier = await self._issue_mykey_id(transaction, person, name, now)
        if method == "pin":
            await self._record_terms(transaction, person, service.system, now)
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
        person = await self._find_confirmed(transaction, certificate, now)
        return await self._issue_ppid(transaction, person, system, now)

    async def _record_terms(self, transaction: Transaction, person: str, system: str, now: datetime) -> None:
        """Who typed the PIN accepted what the screen named; a version that is known is not recorded again."""
        accepted = {known.document: known.version for known in await transaction.terms.find(person, system)}
        fresh = find_unaccepted(self._terms, accepted)
        if fresh:
            await transaction.terms.record(person, system, {kind: self._terms[kind] for kind in fresh}, now)

    async def _find_confirmed(self, transaction: Transaction, certificate: TrustedCertificate, now: datetime) -> str:
        person = await self._find_or_add(transaction, certificate, now)
        await transaction.persons.clear_check_again(person)
        return person

    async def _find_or_add(self, transaction: Transaction, certificate: TrustedCertificate, now: datetime) -> str:
        known = await transaction.persons.find(certificate.issuer_key_id, certificate.serial)
        if known is not None:
            return known
        renewed = await self._find_renewed(transaction, certificate, now)
        if renewed is not None:
            return renewed
        person = persons.build_person_id(self._entropy(persons.ENTROPY))
        await transaction.persons.add(person, certificate.issuer_key_id, certificate.serial, now)
        return person

    async def _find_renewed(
        self, transaction: Transaction, certificate: TrustedCertificate, now: datetime
    ) -> str | None:
        """The person whose certificate this one replaced, by the register's word."""
        before = None if self._renewals is None else self._renewals.recall(certificate)
        person = None if before is None else await transaction.persons.find(before.issuer_key_id, before.serial)
        if person is None:
            return None
        await transaction.persons.add_certificate(person, certificate.issuer_key_id, certificate.serial, now)
        await transaction.staff_audit.add(StaffAction(now, "register", "renewed", "", "done", 1, ""))
        return person

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
