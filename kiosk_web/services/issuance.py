"""Issue the identifier a service gets:

the PPID of its cooperating system, or the MyKey ID. The same person gets the same one again.
"""

from __future__ import annotations

from datetime import datetime

from kiosk_web.errors import KioskError
from kiosk_web.identity import mykey, persons, ppid
from kiosk_web.identity.offer import Service
from kiosk_web.pki.trust import TrustedCertificate
from kiosk_web.services.ports import Entropy, Transaction

ATTEMPTS = 8


class IssuanceService:
    """Looks persons up and issues identifiers, inside the caller's transaction."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy

    async def issue_identifier(
        self, transaction: Transaction, certificate: TrustedCertificate, service: Service, now: datetime
    ) -> str:
        """The identifier of the certificate's holder for this service. The verdict must have accepted before."""
        person = await self._find_or_add(transaction, certificate, now)
        await transaction.persons.clear_check_again(person)
        if service.terms.identifier_kind == "ppid":
            return await self._issue_ppid(transaction, person, service.system, now)
        return await self._issue_mykey_id(transaction, person, now)

    async def _find_or_add(self, transaction: Transaction, certificate: TrustedCertificate, now: datetime) -> str:
        known = await transaction.persons.find(certificate.issuer_key_id, certificate.serial)
        if known is not None:
            return known
        person = persons.build_person_id(self._entropy(persons.ENTROPY))
        await transaction.persons.add(person, certificate.issuer_key_id, certificate.serial, now)
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

    async def _issue_mykey_id(self, transaction: Transaction, person: str, now: datetime) -> str:
        known = await transaction.persons.find_mykey_id(person)
        if known is not None:
            return known[0]
        for _ in range(ATTEMPTS):
            fresh = mykey.build_mykey_id(self._entropy(mykey.ENTROPY))
            if await transaction.persons.add_mykey_id(person, fresh, now):
                return fresh
        raise KioskError("no unused MyKey ID was drawn")
