"""かざし利用: whom a tap may confirm, what an enrolment keeps, and how it ends (`docs/kazashi.md`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from kiosk_web.identity.offer import Service
from kiosk_web.pki.card_issuer import CardIssuers, judge_surface_key
from kiosk_web.pki.signature import Proof, judge_kazashi_proof
from kiosk_web.pki.trust import TrustedCertificate
from kiosk_web.services.ports import Transaction
from kiosk_web.services.ports.kazashi import KazashiEnrolment
from kiosk_web.services.ports.sessions import ChallengeRecord
from kiosk_web.services.ports.staff import LeaseRecord
from kiosk_web.services.staff.leases import LeaseService
from kiosk_web.session.facts import KazashiOffer


@dataclass(frozen=True)
class KazashiRules:
    """`permitted`: there are taps here at all (production: only with a legal basis). `issuers` vouch for cards."""

    permitted: bool
    issuers: CardIssuers
    unused: timedelta


class KazashiService:
    """Works inside the caller's transaction."""

    def __init__(self, rules: KazashiRules, leases: LeaseService) -> None:
        self._rules = rules
        self._leases = leases
        self._log = structlog.get_logger()

    async def find_lease(
        self, transaction: Transaction, terminal: str, service: Service | None, now: datetime
    ) -> LeaseRecord | None:
        """The lease under which a card may be tapped for this service now; the 暗証番号 is asked without one."""
        if service is None or not service.terms.kazashi or not self._rules.permitted:
            return None
        lease = await self._leases.find(transaction, terminal, now)
        if lease is not None:
            await transaction.leases.touch(lease.id, now)
        return lease

    async def judge_tap(
        self,
        transaction: Transaction,
        challenge: ChallengeRecord,
        certificate: TrustedCertificate,
        message: bytes,
        signature: bytes,
        now: datetime,
    ) -> Proof:
        """The signature under the key that was kept for this certificate, and everything else a tap needs.

        Somebody who is not enrolled costs the same work as another card: the certificate's own key stands in.
        """
        known = await transaction.kazashi.find(certificate.sha256)
        key = certificate.public_key if known is None else _load_key(known.public_key)
        signed = judge_kazashi_proof(certificate, key, message, signature)
        refusal = await self._find_refusal(transaction, challenge, known, now)
        if not signed.verified:
            refusal = refusal or "another_card"
        if refusal:
            self._log.info("kazashi_declined", terminal=challenge.terminal, reason=refusal)
            return Proof("kazashi", False, certificate.sha256)
        return signed

    async def _find_refusal(
        self, transaction: Transaction, challenge: ChallengeRecord, known: KazashiEnrolment | None, now: datetime
    ) -> str:
        if not self._rules.permitted:
            return "not_permitted"
        if not await self._leases.holds(transaction, challenge.terminal, challenge.lease, now):
            return "lease_over"
        marked = await transaction.persons.must_check_again("" if known is None else known.person)
        if known is None:
            return "not_enrolled"
        if now - known.used_at > self._rules.unused:
            return "not_used_for_long"
        return "check_again" if marked else ""

    async def may_still_count(
        self,
        transaction: Transaction,
        challenge: ChallengeRecord,
        certificate: TrustedCertificate,
        now: datetime,
        *,
        agreed: bool,
    ) -> bool:
        """Until the status is known, staff may have ended the registration of a lost card. Reading new terms (`agreed`)
        takes its time: a tap needs its lease at the end of it too. A 暗証番号 needs none of this.
        """
        if challenge.method == "pin":
            return True
        known = await transaction.kazashi.find(certificate.sha256)
        if known is None or await transaction.persons.must_check_again(known.person):
            return False
        return not agreed or await self._leases.holds(transaction, challenge.terminal, challenge.lease, now)

    def judge_enrolment(
        self, certificate: TrustedCertificate, record: bytes, issuer: bytes, message: bytes, signature: bytes
    ) -> tuple[Proof, bytes]:
        """The proof by the key in the age record, and this key as DER; empty unless a card issuer vouches for it."""
        key = judge_surface_key(record, issuer, self._rules.issuers)
        if key is None:
            return Proof("kazashi", False, certificate.sha256), b""
        proof = judge_kazashi_proof(certificate, key, message, signature)
        return proof, key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    async def record_enrolment(
        self, transaction: Transaction, certificate: TrustedCertificate, key: bytes, now: datetime
    ) -> bool:
        """Keep the key; the verdict must have accepted before. False for somebody whom no 暗証番号 has confirmed."""
        person = await transaction.persons.find(certificate.issuer_key_id, certificate.serial)
        if person is None:
            return False
        await transaction.kazashi.replace(KazashiEnrolment(certificate.sha256, person, key, now, now))
        return True

    async def note_pin(
        self, transaction: Transaction, certificate: TrustedCertificate, service: Service, now: datetime
    ) -> KazashiOffer:
        """What a result by 暗証番号 says of かざし利用. Using the card counts as use."""
        if not service.terms.kazashi or not self._rules.permitted or not self._rules.issuers:
            return ""
        if await transaction.kazashi.find(certificate.sha256) is None:
            return "offered"
        await transaction.kazashi.touch(certificate.sha256, now)
        return "on"

    async def note_tap(self, transaction: Transaction, certificate: TrustedCertificate, now: datetime) -> None:
        await transaction.kazashi.touch(certificate.sha256, now)

    async def note_suspension(self, transaction: Transaction, certificate: TrustedCertificate) -> None:
        """Whoever was suspended or revoked is asked for the 暗証番号 first, should the certificate come back."""
        person = await transaction.persons.find(certificate.issuer_key_id, certificate.serial)
        if person is not None:
            await transaction.persons.mark_check_again([person])


def _load_key(der: bytes) -> RSAPublicKey:
    key = load_der_public_key(der)
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not an RSA key")
    return key
