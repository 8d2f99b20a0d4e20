"""Renewal keeps the person: when a certificate is new here, the register is asked which one it replaced.

Asked beside the status of a PIN visit, outside of any transaction, within a time budget. An answer counts only if it
leads to a certificate that is known here; silence, and a certificate that replaced none, leave the holder a new person.
Nothing is ever guessed from names or dates: what the register does not say, staff settle (`persons/relink.py`).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from kiosk_web.identity.persons import CertificateName
from kiosk_web.pki.status import CertificateStatus, Good
from kiosk_web.pki.status_policy import StatusContext
from kiosk_web.pki.trust import TrustedCertificate, Untrusted
from kiosk_web.services.persons.register import Predecessor, Register
from kiosk_web.services.ports import Store, Transaction, Validation

MOST_STEPS = 8
"""Renewals in a row without a visit between them: forty years of certificates."""

MOST_KEPT = 512


class RenewalService:
    """`look` before a visit is concluded, `recall` when it is. Answers are in this process's memory only."""

    def __init__(self, *, store: Store, register: Register, budget: float) -> None:
        self._store = store
        self._register = register
        self._budget = budget
        self._found: OrderedDict[bytes, CertificateName] = OrderedDict()

    async def is_needed(self, certificate: TrustedCertificate) -> bool:
        """Whether there is anything to `look` for: neither the certificate is known, nor what it replaced."""
        name = CertificateName(certificate.issuer_key_id, certificate.serial)
        return certificate.sha256 not in self._found and not await self._is_known(name)

    async def look(self, certificate: TrustedCertificate) -> None:
        """Learn which known certificate this one replaced. Never raises for trouble of the register."""
        if not await self.is_needed(certificate):
            return
        name = CertificateName(certificate.issuer_key_id, certificate.serial)
        try:
            async with asyncio.timeout(self._budget):
                found = await self._walk_back(name)
        except TimeoutError:
            return
        if found is not None:
            self._found[certificate.sha256] = found
            while len(self._found) > MOST_KEPT:
                self._found.popitem(last=False)

    def recall(self, certificate: TrustedCertificate) -> CertificateName | None:
        """What `look` found for it."""
        return self._found.get(certificate.sha256)

    def forget(self, certificate: TrustedCertificate) -> None:
        """The certificate is its person's now."""
        self._found.pop(certificate.sha256, None)

    async def _walk_back(self, name: CertificateName) -> CertificateName | None:
        seen = {name}
        for _ in range(MOST_STEPS):
            answer = await self._register.find_predecessor(name.issuer_key_id, name.serial)
            if not isinstance(answer, Predecessor) or answer.certificate is None or answer.certificate in seen:
                return None
            name = answer.certificate
            if await self._is_known(name):
                return name
            seen.add(name)
        return None

    async def _is_known(self, name: CertificateName) -> bool:
        async with self._store.read() as transaction:
            return await transaction.persons.find(name.issuer_key_id, name.serial) is not None


class RenewalAwareValidation:
    """A `Validation` that asks the register at the same time as the responder, for a visit with 暗証番号."""

    def __init__(self, validation: Validation, renewals: RenewalService) -> None:
        self._validation = validation
        self._renewals = renewals

    def judge_trust(self, der: bytes) -> TrustedCertificate | Untrusted:
        return self._validation.judge_trust(der)

    async def check_status(self, certificate: TrustedCertificate, context: StatusContext) -> CertificateStatus:
        if context.method != "pin" or not await self._renewals.is_needed(certificate):
            return await self._validation.check_status(certificate, context)
        status, _ = await asyncio.gather(
            self._validation.check_status(certificate, context), self._renewals.look(certificate)
        )
        return status

    async def find_good(
        self, transaction: Transaction, certificate: TrustedCertificate, context: StatusContext
    ) -> Good | None:
        """For a certificate that is known: the register is not asked."""
        return await self._validation.find_good(transaction, certificate, context)
