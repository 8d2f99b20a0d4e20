"""Judges what a terminal says of a card: its certificate, and its signature over a stored challenge."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from kiosk_web.pki.signature import Proof, build_card_message, judge_pin_proof
from kiosk_web.pki.terminal import (
    build_certificate_evidence_bytes,
    build_enrolment_evidence_bytes,
    build_result_evidence_bytes,
    judge_ed25519,
)
from kiosk_web.pki.trust import TrustedCertificate, Untrusted
from kiosk_web.services.kazashi.taps import KazashiService
from kiosk_web.services.ports import Transaction, Validation
from kiosk_web.services.ports.sessions import ChallengeRecord
from kiosk_web.session import commands as c
from kiosk_web.session import events as e


@dataclass
class Held:
    """What must not be stored and is needed again before the visit ends: in this process's memory only."""

    certificate: TrustedCertificate
    proof: Proof | None = None
    surface_key: bytes = b""


class ProofService:
    """What was judged good is held under its challenge until `forget`. Works inside the caller's transaction."""

    def __init__(self, *, validation: Validation, kazashi: KazashiService, early_check: bool = True) -> None:
        self._validation = validation
        self._kazashi = kazashi
        self._early_check = early_check
        self._held: dict[str, Held] = {}

    def find(self, challenge: str) -> Held | None:
        """None after a restart too."""
        return self._held.get(challenge)

    def forget(self, challenge: str) -> None:
        self._held.pop(challenge, None)

    async def judge_countersignature(
        self, transaction: Transaction, terminal: str, message: bytes, counter: int, signature: bytes
    ) -> bool:
        """The terminal's own key, and a counter above all before it. A wrong signature does not move the counter."""
        record = await transaction.terminals.find(terminal)
        if record is None or record.revoked_at is not None or record.public_key is None:
            return False
        if not judge_ed25519(record.public_key, message, signature):
            return False
        return await transaction.terminals.raise_counter(terminal, counter)

    async def judge_certificate(self, transaction: Transaction, terminal: str, command: c.JudgeCertificate) -> e.Event:
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
        if not await self.judge_countersignature(transaction, terminal, message, command.counter, command.signature):
            return e.CertificateRejected(command.challenge, "evidence_refused")
        trust = self._validation.judge_trust(command.certificate)
        if isinstance(trust, Untrusted):
            return e.CertificateRejected(command.challenge, trust.reason)
        self._held[command.challenge] = Held(trust)
        return e.CertificateTrusted(command.challenge, trust.sha256.hex(), command.tries_left, self._early_check)

    async def judge_proof(
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
        if not await self.judge_countersignature(transaction, terminal, evidence, command.counter, command.signature):
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
