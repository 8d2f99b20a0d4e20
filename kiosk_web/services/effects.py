"""Executes what the machine commands, inside the transaction of the event. Each command answers with the next event."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from kiosk_web.errors import KioskError
from kiosk_web.identity import reference
from kiosk_web.identity.offer import Offer, Service
from kiosk_web.pki.signature import Proof, build_card_message, judge_pin_proof
from kiosk_web.pki.status import StatusMalformed, from_json
from kiosk_web.pki.status_policy import StatusContext, StatusPolicy
from kiosk_web.pki.terminal import (
    build_certificate_evidence_bytes,
    build_enrolment_evidence_bytes,
    build_result_evidence_bytes,
    judge_ed25519,
)
from kiosk_web.pki.trust import TrustedCertificate, Untrusted
from kiosk_web.pki.verdict import VerdictPolicy, judge_verdict
from kiosk_web.services.audit import record_visit
from kiosk_web.services.fallback import FallbackService
from kiosk_web.services.issuance import IdentifierRefused, IssuanceService
from kiosk_web.services.kazashi import KazashiService
from kiosk_web.services.keys import AUDIENCE, ISSUER, KeyRing, encode_base64url
from kiosk_web.services.leases import LeaseService
from kiosk_web.services.ports import ChallengeRecord, Entropy, Transaction, Validation
from kiosk_web.services.reading_results import end_reading, record_reading
from kiosk_web.services.status_context import build_status_context
from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import states as s

CHALLENGE_TYPE = "kiosk-challenge+jwt"
CHALLENGE_LIFETIME = timedelta(seconds=180)
EXPIRES_SOON = timedelta(days=92)  # 「3か月以内」: renewal is possible from three months before the end
ATTEMPTS = 8
SUSPENDED = frozenset({"certificate_on_hold", "certificate_revoked"})

ConsentHash = Callable[[str, str, Service], bytes]
"""What was shown as (subject, language, service), as the 32 bytes that the card signs."""


@dataclass
class Held:
    """What must not be stored and is needed again before the visit ends: in this process's memory only."""

    certificate: TrustedCertificate
    proof: Proof | None = None
    surface_key: bytes = b""


class EffectService:
    """One method for each command. `held` is keyed by challenge and emptied by `forget`."""

    def __init__(
        self,
        *,
        offer: Offer,
        validation: Validation,
        issuance: IssuanceService,
        keys: KeyRing,
        entropy: Entropy,
        fallback: FallbackService,
        kazashi: KazashiService,
        leases: LeaseService,
        consent_hash: ConsentHash,
        limits: StatusPolicy,
        early_check: bool = True,
    ) -> None:
        self._offer = offer
        self._validation = validation
        self._issuance = issuance
        self._keys = keys
        self._entropy = entropy
        self._fallback = fallback
        self._kazashi = kazashi
        self._leases = leases
        self._consent_hash = consent_hash
        self._limits = limits
        self._early_check = early_check
        self._held: dict[str, Held] = {}

    async def find_question(
        self, transaction: Transaction, challenge: str
    ) -> tuple[TrustedCertificate, StatusContext] | None:
        """The certificate whose status is to be asked, and for what; None after a restart."""
        held, record = self._held.get(challenge), await transaction.sessions.find_challenge(challenge)
        if held is None or record is None:
            return None
        return held.certificate, await self._build_context(transaction, record, held.certificate)

    async def _build_context(
        self, transaction: Transaction, challenge: ChallengeRecord, certificate: TrustedCertificate
    ) -> StatusContext:
        service = self._offer.find(challenge.service)
        if service is None:
            return StatusContext()
        return await build_status_context(transaction, challenge, service, certificate, self._limits)

    def forget(self, challenge: str) -> None:
        """The visit that held it is over."""
        self._held.pop(challenge, None)

    async def execute(
        self, transaction: Transaction, terminal: str, command: c.Command, now: datetime
    ) -> e.Event | None:
        """Do it; the answer is for the machine, None where it waits for no answer in this transaction."""
        match command:
            case c.IssueChallenge():
                return await self._issue_challenge(transaction, terminal, command, now)
            case c.JudgeCertificate():
                return await self._judge_certificate(transaction, terminal, command)
            case c.JudgeProof():
                return await self._judge_proof(transaction, terminal, command, now)
            case c.Conclude():
                return await self._conclude(transaction, command, now)
            case c.RecordAudit():
                lease = (
                    await self._leases.find(transaction, terminal, now) if command.visit.method == "kazashi" else None
                )
                await record_visit(transaction, terminal, command, now, lease="" if lease is None else lease.id)
                await end_reading(transaction, command, now)
                return None
            case c.EndKazashi():
                await transaction.kazashi.end(bytes.fromhex(command.certificate_sha256))
                return e.KazashiEnded()
            case c.OpenLease():
                refusal = await self._leases.open(
                    transaction, terminal, command.page, command.number, command.code, now
                )
                return e.LeaseRefused(refusal) if refusal else e.LeaseOpened()
            case c.CloseLease():
                await self._leases.end(transaction, terminal, "signed_out", now)
                return None
            case c.CheckStatus():
                await transaction.sessions.add_work(terminal, command.challenge, now)
                return None
            case _:
                assert_never(command)

    async def _issue_challenge(
        self, transaction: Transaction, terminal: str, command: c.IssueChallenge, now: datetime
    ) -> e.Event:
        record = await transaction.terminals.find(terminal)
        if record is None:
            raise KioskError("the terminal of a session is gone")
        visit = command.visit
        service = self._offer.find(visit.service)
        jti, nonce = encode_base64url(self._entropy(16)), self._entropy(32)
        number = await self._draw_reference(transaction)
        consent = self._consent_hash(visit.consent, visit.language, service) if visit.consent and service else b""
        lease, method = "", visit.method
        if visit.purpose == "identify":
            held = None if visit.by_pin else await self._kazashi.find_lease(transaction, terminal, service, now)
            lease, method = ("", "pin") if held is None else (held.id, "kazashi")
        issued_at = int(now.timestamp())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "jti": jti,
            "iat": issued_at,
            "exp": issued_at + int(CHALLENGE_LIFETIME.total_seconds()),
            "terminal": terminal,
            "origin": record.origin,
            "session": visit.id,
            "service": visit.service,
            "purpose": visit.purpose,
            "method": method,
            "nonce": encode_base64url(nonce),
            "consent": encode_base64url(consent),
            "lease": lease,
            "card": visit.presence.instance,
        }
        ticket = self._keys.sign_ticket(CHALLENGE_TYPE, claims)
        await transaction.sessions.add_challenge(
            ChallengeRecord(
                id=jti,
                ticket=ticket,
                terminal=terminal,
                origin=record.origin,
                session=visit.id,
                service=visit.service,
                purpose=visit.purpose,
                method=method,
                nonce=nonce,
                consent=consent,
                lease=lease,
                card=visit.presence.instance,
                reference=number,
                issued_at=now,
                expires_at=now + CHALLENGE_LIFETIME,
            )
        )
        return e.ChallengeIssued(jti, ticket, number, method)

    async def _draw_reference(self, transaction: Transaction) -> str:
        for _ in range(ATTEMPTS):
            number = reference.build_reference(self._entropy(reference.ENTROPY))
            if not await transaction.sessions.is_reference_used(number):
                return number
        raise KioskError("no unused reference number was drawn")

    async def _judge_countersignature(
        self, transaction: Transaction, terminal: str, message: bytes, counter: int, signature: bytes
    ) -> bool:
        """The terminal's own key, and a counter above all before it. A wrong signature does not move the counter."""
        record = await transaction.terminals.find(terminal)
        if record is None or record.revoked_at is not None or record.public_key is None:
            return False
        if not judge_ed25519(record.public_key, message, signature):
            return False
        return await transaction.terminals.raise_counter(terminal, counter)

    async def _judge_certificate(self, transaction: Transaction, terminal: str, command: c.JudgeCertificate) -> e.Event:
        challenge = await transaction.sessions.find_challenge(command.challenge)
        if challenge is None:
            return e.CertificateRejected(command.challenge, "evidence_refused")
        message = build_certificate_evidence_bytes(
            ticket=challenge.ticket,
            certificate_sha256=_sha256(command.certificate),
            method=challenge.method,
            tries_left=command.tries_left,
            counter=command.counter,
        )
        if not await self._judge_countersignature(transaction, terminal, message, command.counter, command.signature):
            return e.CertificateRejected(command.challenge, "evidence_refused")
        trust = self._validation.judge_trust(command.certificate)
        if isinstance(trust, Untrusted):
            return e.CertificateRejected(command.challenge, trust.reason)
        self._held[command.challenge] = Held(trust)
        return e.CertificateTrusted(command.challenge, trust.sha256.hex(), command.tries_left, self._early_check)

    async def _judge_proof(
        self, transaction: Transaction, terminal: str, command: c.JudgeProof, now: datetime
    ) -> e.Event:
        challenge = await transaction.sessions.find_challenge(command.challenge)
        sha256 = _sha256(command.certificate)
        if challenge is None:
            return e.ProofRejected(command.challenge, "evidence_refused")
        if sha256.hex() != command.certificate_sha256:
            return e.ProofRejected(command.challenge, "certificate_changed")
        if (challenge.purpose == "enrol") != bool(command.record):
            return e.ProofRejected(command.challenge, "evidence_refused")
        evidence = _build_evidence(challenge, command, sha256)
        if not await self._judge_countersignature(transaction, terminal, evidence, command.counter, command.signature):
            return e.ProofRejected(command.challenge, "evidence_refused")
        trust = self._validation.judge_trust(command.certificate)
        if isinstance(trust, Untrusted):
            return e.ProofRejected(command.challenge, trust.reason)
        message = build_card_message(
            method=challenge.method,
            purpose=challenge.purpose,
            origin=challenge.origin,
            terminal=challenge.terminal,
            session=challenge.session,
            service=challenge.service,
            nonce=challenge.nonce,
            certificate_sha256=sha256,
            consent=challenge.consent,
            lease=challenge.lease,
        )
        held, refusal = await self._judge_signature(transaction, challenge, command, trust, message, now)
        if refusal:
            return e.ProofRejected(command.challenge, refusal)
        self._held[command.challenge] = held
        return e.ProofAccepted(command.challenge)

    async def _judge_signature(
        self,
        transaction: Transaction,
        challenge: ChallengeRecord,
        command: c.JudgeProof,
        trust: TrustedCertificate,
        message: bytes,
        now: datetime,
    ) -> tuple[Held, str]:
        """By the key that the stored challenge calls for; and the code of the refusal, or ""."""
        signature = command.card_signature
        if challenge.method == "pin":
            proof = judge_pin_proof(trust, message, signature)
            return Held(trust, proof), "" if proof.verified else "evidence_refused"
        if challenge.purpose == "enrol":
            proof, key = self._kazashi.judge_enrolment(trust, command.record, command.issuer, message, signature)
            untrusted = "evidence_refused" if key else "card_issuer_untrusted"
            return Held(trust, proof, key), "" if proof.verified else untrusted
        proof = await self._kazashi.judge_tap(transaction, challenge, trust, message, signature, now)
        return Held(trust, proof), "" if proof.verified else "kazashi_unavailable"

    async def note_suspension(self, transaction: Transaction, challenge: str) -> None:
        """The certificate of this visit was found suspended or revoked."""
        held = self._held.get(challenge)
        if held is not None:
            await self._kazashi.note_suspension(transaction, held.certificate)

    async def leave_page(self, transaction: Transaction, terminal: str, now: datetime) -> None:
        """Another page speaks for the terminal now: nobody has proven to attend that one."""
        await self._leases.end(transaction, terminal, "page_lost", now)

    async def _conclude(self, transaction: Transaction, command: c.Conclude, now: datetime) -> e.Event:
        held = self._held.get(command.challenge)
        challenge = await transaction.sessions.find_challenge(command.challenge)
        service = self._offer.find(command.visit.service)
        if held is None or challenge is None or service is None:
            return e.VisitRejected(command.challenge, "internal")
        try:
            status = from_json(command.status_json)
        except StatusMalformed:
            return e.VisitRejected(command.challenge, "internal")
        # What a service accepts is in its settings and in the stored challenge, not in a request.
        policy = VerdictPolicy(
            await self._build_context(transaction, challenge, held.certificate),
            await self._fallback.load_within(transaction),
        )
        verdict = judge_verdict(held.certificate, status, held.proof, policy, now)
        if not verdict.accepted:
            return e.VisitRejected(command.challenge, verdict.refusal_code)
        if challenge.purpose == "enrol":
            kept = await self._kazashi.record_enrolment(transaction, held.certificate, held.surface_key, now)
            return e.EnrolmentConcluded(challenge.id) if kept else e.VisitRejected(challenge.id, "internal")
        asked = command.visit.reading
        if asked is not None and not await transaction.asked_readings.is_open(asked.id, now):
            return e.VisitRejected(challenge.id, "reading_expired")
        try:
            identifier = await self._issuance.issue_identifier(
                transaction,
                held.certificate,
                service,
                now,
                reference=challenge.reference,
                method=challenge.method,
            )
        except IdentifierRefused as refused:
            return e.VisitRejected(command.challenge, refused.code)
        expires_soon = held.certificate.not_after - now <= EXPIRES_SOON
        if asked is not None:
            await record_reading(transaction, asked.id, challenge.reference, identifier, expires_soon, status, now)
        offer: s.KazashiOffer = ""
        if challenge.method == "pin":
            offer = await self._kazashi.note_pin(transaction, held.certificate, service, now)
        else:
            await self._kazashi.note_tap(transaction, held.certificate, now)
        return e.VisitConcluded(
            challenge=command.challenge,
            profile=service.profile,
            identifier_kind=service.terms.identifier_kind,
            identifier=identifier,
            expires_soon=expires_soon,
            checked_at=status.evidence.checked_at,
            status_as_of=status.evidence.this_update,
            status_method=status.evidence.method,
            fallback=status.evidence.opening.cause if status.evidence.opening else "",
            kazashi=offer,
        )


def _build_evidence(challenge: ChallengeRecord, command: c.JudgeProof, certificate_sha256: bytes) -> bytes:
    """What the terminal must have countersigned."""
    if challenge.purpose == "enrol":
        return build_enrolment_evidence_bytes(
            ticket=challenge.ticket,
            certificate_sha256=certificate_sha256,
            method=challenge.method,
            card_signature=command.card_signature,
            record=command.record,
            issuer=command.issuer,
            counter=command.counter,
        )
    return build_result_evidence_bytes(
        ticket=challenge.ticket,
        certificate_sha256=certificate_sha256,
        method=challenge.method,
        card_signature=command.card_signature,
        counter=command.counter,
    )


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
