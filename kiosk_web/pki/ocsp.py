"""OCSP (RFC 6960): build the one question, and judge the answer by ten numbered rules (docs/validation.md).

`cryptography` parses and builds; it verifies nothing of an answer, so each rule is a step here. Only when every one has
passed does the answer say anything; whatever fails is `Unavailable` or `Stale`, with the rule's word as `why`.

 1. the answer is `successful`, and only a certificate status of good, in it, becomes `Good`;
 2. it holds exactly one single response, whose CertID is recomputed from our certificate and is the one we asked for;
 3. its signer is the issuer's own key, or a delegate issued directly by that key, for OCSP signing, exempt from
    revocation (nocheck), valid now;
 4. its nonce is ours, where the responder's policy requires one;
 5. its times hold: produced and updated neither in the future nor too long ago, not past nextUpdate, not behind an
    answer already seen;
 6. its signature is of a listed algorithm and verifies over the bytes as they came;
 7. it came within the limits of the transport (size here; content type and redirects in `adapters/fetch.py`, the
    address in `plan.py`);
 8. a failed exchange is repeated at most once, within one budget (`adapters/fetch.py`), and then is no answer;
 9. each outcome carries its evidence, and what could not be confirmed is an outcome of its own;
10. all times are compared with the server's `now`, never with one a terminal or a card told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from kiosk_web.pki.algorithms import DEFAULT_ALGORITHMS, AlgorithmName, Judgement, judge_signed
from kiosk_web.pki.anchors import Anchor, HashName, derive_key_hash
from kiosk_web.pki.certificates import (
    PARSE_ERRORS,
    MalformedCertificate,
    UnverifiedCertificate,
    parse_certificate,
)
from kiosk_web.pki.names import match_names
from kiosk_web.pki.ocsp_answer import AnswerRefused, CertificateId, OcspAnswer, read_ocsp_answer
from kiosk_web.pki.status import (
    CertificateStatus,
    Evidence,
    Good,
    HighWaterMark,
    OnHold,
    Revoked,
    Stale,
    Unavailable,
    Unknown,
)
from kiosk_web.pki.trust import TrustedCertificate, judge_window

MAX_RESPONSE = 20 * 1024
"""Bytes of one answer. A delegate's certificate and a 2048-bit signature make about 2 kB."""

NONCE_LENGTH = 32
"""Octets (RFC 9654 2.1)."""

MAX_EMBEDDED_CERTIFICATES = 4

_HASHES: dict[HashName, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 in a CertID it only names a key; the signature protects the answer
    "sha256": hashes.SHA256(),
}


@dataclass(frozen=True, slots=True)
class ResponderPin:
    """A responder's key that the operator believes for the issuer keys he names, although rule 3 would refuse its
    certificate: the "local configuration" of RFC 6960 4.2.2.2. `key_sha256` is of the SubjectPublicKeyInfo.

    Its signature, its validity and, with `ocsp_signing`, its extendedKeyUsage still count.
    """

    key_sha256: bytes
    issuer_key_ids: frozenset[bytes]
    ocsp_signing: bool = True


@dataclass(frozen=True, slots=True)
class OcspResponderPolicy:
    """How one responder is asked and believed. `url` is configured; None: the address in a trusted certificate.

    `aia_hosts` are the only hosts a certificate may send us to. JPKI refreshes every 15 minutes, so `max_age` is above
    that. `trust_next_update`: an answer with a nextUpdate counts until then, whatever its age (for other issuers).
    Without `pins` rule 3 has no exception.
    """

    url: str | None
    nonce: Literal["required", "none"] = "required"
    max_age: timedelta = timedelta(minutes=20)
    skew: timedelta = timedelta(minutes=2)
    hash_algorithm: HashName = "sha1"
    algorithms: frozenset[AlgorithmName] = DEFAULT_ALGORITHMS
    aia_hosts: frozenset[str] = frozenset({"ocspauthnorm.jpki.go.jp"})
    trust_next_update: bool = False
    pins: tuple[ResponderPin, ...] = ()


def derive_certificate_id(certificate: TrustedCertificate, hash_algorithm: HashName) -> CertificateId:
    """The CertID of our certificate, computed from the anchor and never taken from a message."""
    anchor = certificate.anchor
    return CertificateId(
        hash_algorithm, anchor.name_hashes[hash_algorithm], anchor.key_hashes[hash_algorithm], certificate.serial
    )


def build_ocsp_request(certificate: TrustedCertificate, nonce: bytes, policy: OcspResponderPolicy) -> bytes:
    """The DER of an unsigned request for one certificate, with `nonce` (32 fresh bytes) where the policy wants one."""
    if len(nonce) != NONCE_LENGTH:
        raise ValueError("a nonce has 32 bytes")
    wanted = derive_certificate_id(certificate, policy.hash_algorithm)
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        wanted.issuer_name_hash, wanted.issuer_key_hash, wanted.serial, _HASHES[policy.hash_algorithm]
    )
    if policy.nonce == "required":
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def judge_ocsp_response(
    certificate: TrustedCertificate,
    request: bytes,
    response: bytes,
    policy: OcspResponderPolicy,
    now: datetime,
    high_water: HighWaterMark | None,
    *,
    responder: str | None = None,
) -> CertificateStatus:
    """Judge the answer to our own `request` by the ten rules, at the server's aware time `now`.

    `high_water` is what was seen of this certificate before (None: nothing), `responder` the address that was asked.
    Never raises, whatever `response` is.
    """
    judge = _Judge(certificate, request, policy, now, high_water)
    evidence = Evidence(
        method="ocsp",
        this_update=None,
        next_update=None,
        produced_at=None,
        responder=responder or policy.url or "",
        sha256=hashlib.sha256(response).digest(),
        checked_at=now,
        certificate_sha256=certificate.sha256,
    )
    try:
        return judge.judge(response, evidence)
    except PARSE_ERRORS:
        return Unavailable("malformed", evidence)


@dataclass(frozen=True, slots=True)
class _Judge:
    certificate: TrustedCertificate
    request: bytes
    policy: OcspResponderPolicy
    now: datetime
    high_water: HighWaterMark | None

    def judge(self, response: bytes, evidence: Evidence) -> CertificateStatus:
        try:
            answer = self.read_answer(response)
            asked = ocsp.load_der_ocsp_request(self.request)
            self.judge_identity(answer, asked)
            signer = self.judge_signer(answer)
            self.judge_nonce(answer, asked)
        except AnswerRefused as refused:
            return Unavailable(refused.why, evidence)
        evidence = replace(
            evidence,
            this_update=answer.this_update,
            next_update=answer.next_update,
            produced_at=answer.produced_at,
            signer=signer,
        )
        try:
            self.judge_times(answer)
        except AnswerRefused as refused:
            return Stale(refused.why, evidence)
        return self.judge_status(answer, evidence)

    def read_answer(self, response: bytes) -> OcspAnswer:
        """Rules 1 (first half), 2 (first half) and 7: size, answer status, one single response, nothing critical
        unread.
        """
        if len(response) > MAX_RESPONSE:
            raise AnswerRefused("too_large")
        return read_ocsp_answer(response)

    def judge_identity(self, answer: OcspAnswer, asked: ocsp.OCSPRequest) -> None:
        """Rule 2: the CertID of the answer is that of our certificate, and that is what we asked for."""
        wanted = derive_certificate_id(self.certificate, self.policy.hash_algorithm)
        if wanted != CertificateId(
            asked.hash_algorithm.name, asked.issuer_name_hash, asked.issuer_key_hash, asked.serial_number
        ):
            raise AnswerRefused("other_request")
        if answer.identity != wanted:
            raise AnswerRefused("other_certificate")

    def judge_signer(self, answer: OcspAnswer) -> str:
        """Rules 3 and 6: who signed, whether they may speak for this issuer, and the signature itself.

        A responder names itself by name or by the hash of its key; the name finds candidates only, the key decides.
        """
        anchor = self.certificate.anchor
        verdicts: list[str] = []
        if _names(answer, anchor.name, anchor.key_hashes["sha1"]):
            verdicts.append(self.judge_answer_signature(answer, anchor.public_key))
            if verdicts[-1] == "good":
                return "issuer"
        if len(answer.embedded) > MAX_EMBEDDED_CERTIFICATES:
            raise AnswerRefused("too_many_certificates")
        for der in answer.embedded:
            try:
                delegate = _parse_delegate(der)
            except MalformedCertificate:
                verdicts.append("delegate_malformed")
                continue
            if not _names(answer, delegate.subject, derive_key_hash(delegate.spki, "sha1")):
                continue
            signer, why = self.judge_delegate(delegate)
            verdicts.append(why or self.judge_answer_signature(answer, delegate.public_key))
            if verdicts[-1] == "good":
                return signer
        raise AnswerRefused(verdicts[-1] if verdicts else "signer_unknown")

    def judge_delegate(self, delegate: UnverifiedCertificate) -> tuple[str, str | None]:
        """Rule 3: how the evidence names it, and why it may not sign (None: it may).

        A pin counts only where the strict rules say no.
        """
        anchor, policy = self.certificate.anchor, self.policy
        why = judge_delegate(delegate, anchor, policy, self.now)
        pin = find_pin(policy.pins, delegate, anchor) if why is not None and policy.pins else None
        if pin is None:
            return f"delegate:{delegate.sha256.hex()[:16]}", why
        return f"pinned:{pin.key_sha256.hex()[:16]}", judge_pinned(delegate, pin, self.now)

    def judge_answer_signature(self, answer: OcspAnswer, key: object) -> str:
        """Rule 6: a listed algorithm, over the signed bytes."""
        return judge_signed(answer.signature_oid, key, answer.signature, answer.tbs, self.policy.algorithms)

    def judge_nonce(self, answer: OcspAnswer, asked: ocsp.OCSPRequest) -> None:
        """Rule 4: `required` means ours must come back; `none` means that none was sent and none is looked at."""
        if self.policy.nonce == "none":
            return
        sent = asked.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
        if answer.nonce is None:
            raise AnswerRefused("nonce_missing")
        if len(sent) != NONCE_LENGTH or answer.nonce != sent:
            raise AnswerRefused("nonce_wrong")

    def judge_times(self, answer: OcspAnswer) -> None:
        """Rules 5 and 10: fresh by our clock, and not behind what was already seen of this certificate.

        Skew forgives a fast or slow clock at the responder; nextUpdate is its own promise and is taken at its word.
        """
        now, skew, oldest = self.now, self.policy.skew, self.now - self.policy.max_age - self.policy.skew
        if answer.this_update > now + skew or answer.produced_at > now + skew:
            raise AnswerRefused("from_the_future")
        limited = answer.next_update is None or not self.policy.trust_next_update
        if limited and (answer.this_update < oldest or answer.produced_at < oldest):
            raise AnswerRefused("too_old")
        if answer.produced_at < answer.this_update - skew:
            raise AnswerRefused("produced_before_update")
        if answer.next_update is not None and (answer.next_update < now or answer.next_update < answer.this_update):
            raise AnswerRefused("next_update_passed")
        if self.high_water is not None and answer.this_update < self.high_water.this_update:
            raise AnswerRefused("behind_high_water")

    def judge_status(self, answer: OcspAnswer, evidence: Evidence) -> CertificateStatus:
        """Rules 1 (second half) and 9: what the answer says, under what is already known to be revoked or held."""
        mark = self.high_water
        if mark is not None and mark.revoked_at is not None:
            return Revoked(mark.revoked_at, mark.revoked_reason, evidence)
        match answer.status:
            case "good":
                if mark is not None and mark.held and not self.may_lift_hold(answer, mark):
                    return Stale("hold_not_lifted", evidence)
                return Good(evidence)
            case "revoked":
                if answer.revoked_at is None:
                    return Unavailable("malformed", evidence)
                if answer.reason == x509.ReasonFlags.certificate_hold.value:
                    return OnHold(answer.revoked_at, evidence)
                return Revoked(answer.revoked_at, answer.reason, evidence)
            case "unknown":
                return Unknown(evidence)

    def may_lift_hold(self, answer: OcspAnswer, mark: HighWaterMark) -> bool:
        """Is it newer than the hold: by its thisUpdate, or at the same one because our nonce was sent after it?"""
        return self.policy.nonce == "required" or answer.this_update > mark.this_update


def judge_delegate(
    delegate: UnverifiedCertificate, anchor: Anchor, policy: OcspResponderPolicy, now: datetime
) -> str | None:
    """Rule 3 (RFC 6960 4.2.2.2): may it sign answers for the issuer `anchor`? None, or the word of what is missing.

    Issued directly by the same issuer *key*: a responder of another generation of the same name does not count.
    """
    if not match_names(delegate.issuer, anchor.name) or delegate.authority_key_id not in (None, anchor.key_id):
        return "delegate_of_another_issuer"
    if _judge_issued(delegate, anchor, policy.algorithms) != "good":
        return "delegate_of_another_issuer"
    if delegate.is_ca or ExtendedKeyUsageOID.OCSP_SIGNING.dotted_string not in (delegate.extended_key_usage or ()):
        return "delegate_not_for_ocsp"
    if delegate.key_usage is not None and "digital_signature" not in delegate.key_usage:
        return "delegate_not_for_ocsp"
    if not delegate.ocsp_nocheck:
        return "delegate_without_nocheck"
    if delegate.unprocessed_critical:
        return "delegate_critical_extension"
    if judge_window(delegate.not_before, delegate.not_after, now) != "within":
        return "delegate_not_valid_now"
    return None


def find_pin(pins: Iterable[ResponderPin], delegate: UnverifiedCertificate, anchor: Anchor) -> ResponderPin | None:
    """The pin of this key for certificates of this issuer key, if the operator has set one."""
    key_sha256 = hashlib.sha256(delegate.spki).digest()
    for pin in pins:
        if pin.key_sha256 == key_sha256 and anchor.key_id in pin.issuer_key_ids:
            return pin
    return None


def judge_pinned(delegate: UnverifiedCertificate, pin: ResponderPin, now: datetime) -> str | None:
    """What a pin does not forgive: None, or the word of what is missing (RFC 6960 4.2.2.2, the local configuration)."""
    usages = delegate.extended_key_usage or ()
    if pin.ocsp_signing and ExtendedKeyUsageOID.OCSP_SIGNING.dotted_string not in usages:
        return "delegate_not_for_ocsp"
    if delegate.unprocessed_critical:
        return "delegate_critical_extension"
    if judge_window(delegate.not_before, delegate.not_after, now) != "within":
        return "delegate_not_valid_now"
    return None


# A responder shows the same certificate for weeks. What follows from its bytes and the issuer's key alone is
# remembered; its window, like all else, is judged at each answer.

_parse_delegate = lru_cache(maxsize=16)(parse_certificate)


@lru_cache(maxsize=64)
def _judge_issued(delegate: UnverifiedCertificate, anchor: Anchor, algorithms: frozenset[AlgorithmName]) -> Judgement:
    return judge_signed(delegate.signature_oid, anchor.public_key, delegate.signature, delegate.tbs, algorithms)


def _names(answer: OcspAnswer, subject: bytes, key_hash: bytes) -> bool:
    """Does the answer's responderID mean this certificate?"""
    if answer.responder_name is None:
        return answer.responder_key_hash == key_hash
    return match_names(answer.responder_name, subject)
