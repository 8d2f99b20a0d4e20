"""Trust: may this certificate speak for a cardholder? `judge_trust` answers with a `TrustedCertificate` or with why
not.

JPKI publishes three generations of each CA under one and the same name, so an issuer is found by the key identifier the
certificate points to and proven by its signature; the name alone finds nothing. Anchors come from the operator's files,
never from a card.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from cryptography.x509.oid import ExtendedKeyUsageOID

from kiosk_web.pki.algorithms import (
    DEFAULT_ALGORITHMS,
    AlgorithmName,
    PublicKey,
    explain_refusal,
    judge_key,
    judge_signed,
)
from kiosk_web.pki.anchors import Anchor, Authority
from kiosk_web.pki.certificates import MalformedCertificate, UnverifiedCertificate, parse_certificate
from kiosk_web.pki.names import match_names

Reason = Literal[
    "certificate_expired",
    "certificate_not_yet_valid",
    "certificate_untrusted",
    "certificate_wrong_kind",
    "certificate_malformed",
]
TrustStep = Literal[
    "trust.0.form",
    "trust.1.key",
    "trust.2.issuer_key",
    "trust.3.issuer_name",
    "trust.4.signature",
    "trust.5.critical_extensions",
    "trust.6.kind",
    "trust.7.validity",
    "trust.8.issuer_validity",
]
"""The steps of `docs/validation.md`, in the order in which they are taken."""


@dataclass(frozen=True, slots=True)
class CertificateProfile:
    """What a certificate must be to be of one kind. `test_policy` is the same kind in the test arc.

    `authority` is the CA that issues this kind. A CA of unknown calling ("other") may issue any, an anchor of JPKI's
    only its own.
    """

    name: str
    authority: Authority
    policy: str
    test_policy: str
    key_usage: frozenset[str]
    extended_key_usage: str


USER_AUTHENTICATION = CertificateProfile(
    name="user_authentication",
    authority="user_authentication",
    policy="1.2.392.200149.8.5.1.3.30",
    test_policy="1.2.392.200149.8.5.1.0.30",
    key_usage=frozenset({"digital_signature"}),
    extended_key_usage=ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string,
)
"""利用者証明用電子証明書, as decoded from issued ones. The value in the test arc is inferred from the signature one."""


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """The settings of `judge_trust`. The defaults are those of production."""

    profile: CertificateProfile = USER_AUTHENTICATION
    allow_test_arc: bool = False
    algorithms: frozenset[AlgorithmName] = DEFAULT_ALGORITHMS

    def names_kind(self, policy: str) -> bool:
        """Is this certificate policy one of the wanted kind?"""
        return policy == self.profile.policy or (self.allow_test_arc and policy == self.profile.test_policy)


class AnchorConflict(ValueError):
    """Two anchors claim one key identifier for two keys: looking an issuer up would be ambiguous."""


class TrustStore:
    """The anchors, found by the identifier of their key. Several certificates of one key are one issuer."""

    def __init__(self, anchors: Iterable[Anchor] = ()) -> None:
        by_key_id: dict[bytes, tuple[Anchor, ...]] = {}
        for anchor in anchors:
            known = by_key_id.get(anchor.key_id, ())
            if any(other.spki != anchor.spki for other in known):
                raise AnchorConflict("two anchors have one key identifier and different keys")
            if all(other.sha256 != anchor.sha256 for other in known):
                by_key_id[anchor.key_id] = (*known, anchor)
        self._by_key_id = by_key_id

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        """All anchors, each once, in the order in which they were given."""
        return tuple(anchor for anchors in self._by_key_id.values() for anchor in anchors)

    def find_issuers(self, key_id: bytes) -> tuple[Anchor, ...]:
        """The anchors with this key identifier: certificates of one key, or none."""
        return self._by_key_id.get(key_id, ())


@dataclass(frozen=True, slots=True, repr=False)
class TrustedCertificate:
    """A certificate of the wanted kind, in its validity, signed by an anchor's key. Made by `judge_trust` alone.

    Says nothing about revocation. (`issuer_key_id`, `serial`) is what identifies it; names are not unique among
    generations.
    """

    certificate: UnverifiedCertificate
    anchor: Anchor
    public_key: PublicKey = field(compare=False)

    @property
    def issuer_key_id(self) -> bytes:
        return self.anchor.key_id

    @property
    def serial(self) -> int:
        return self.certificate.serial

    @property
    def not_after(self) -> datetime:
        return self.certificate.not_after

    @property
    def sha256(self) -> bytes:
        return self.certificate.sha256

    def __repr__(self) -> str:
        return "TrustedCertificate(…)"


@dataclass(frozen=True, slots=True)
class Untrusted:
    """Why it is refused: `reason` is a name of `session/codes.py`; `detail`, for staff, holds no personal data.

    `step` is the one that failed: all before it passed, none after it was taken.
    """

    reason: Reason
    detail: str
    step: TrustStep


def judge_trust(
    certificate: UnverifiedCertificate, store: TrustStore, policy: TrustPolicy, now: datetime
) -> TrustedCertificate | Untrusted:
    """Judge the one-step path from a certificate to an anchor (RFC 5280 6.1, narrowed to JPKI); `now` is aware.

    The steps, in order; the first that fails is the answer:

    1. the key is on the allow-list of algorithms;
    2. authorityKeyIdentifier names the key of an anchor;
    3. the issuer name is that anchor's subject (a condition, never a way to find it);
    4. the signature verifies with that anchor's key, by a listed algorithm;
    5. no critical extension is left unprocessed;
    6. it is the wanted kind: issued by the CA for it, not a CA, keyUsage, extendedKeyUsage and certificatePolicies of
       the profile;
    7. `now` is in its validity, to the second;
    8. `now` is in the validity of the anchor's own certificate.
    """
    key = certificate.public_key
    if not judge_key(key):
        return Untrusted("certificate_untrusted", "its key is not on the list of algorithms", "trust.1.key")
    issuers: Sequence[Anchor] = store.find_issuers(certificate.authority_key_id or b"")
    if not issuers:
        return Untrusted("certificate_untrusted", "its issuer's key is no anchor of ours", "trust.2.issuer_key")
    issuers = [anchor for anchor in issuers if match_names(anchor.name, certificate.issuer)]
    if not issuers:
        return Untrusted("certificate_untrusted", "its issuer has another name than the anchor", "trust.3.issuer_name")
    refusal = (
        _judge_issuance(certificate, issuers[0], policy)
        or _judge_critical(certificate)
        or _judge_kind(certificate, issuers[0], policy)
        or judge_validity(certificate, now)
    )
    if refusal:
        return refusal
    for anchor in issuers:
        if judge_window(anchor.not_before, anchor.not_after, now) == "within":
            return TrustedCertificate(certificate, anchor, key)
    return Untrusted(
        "certificate_untrusted", "the anchor's own certificate is not in its validity", "trust.8.issuer_validity"
    )


def judge_trust_of_bytes(
    der: bytes, store: TrustStore, policy: TrustPolicy, now: datetime
) -> TrustedCertificate | Untrusted:
    """`parse_certificate` and `judge_trust` in one: bytes that are no certificate are refused as malformed."""
    try:
        certificate = parse_certificate(der)
    except MalformedCertificate as error:
        return Untrusted("certificate_malformed", str(error), "trust.0.form")
    return judge_trust(certificate, store, policy, now)


def judge_window(not_before: datetime, not_after: datetime, now: datetime) -> Literal["before", "within", "after"]:
    """Where `now` lies in a validity, whose ends are whole seconds. Both belong to it, the last second wholly (RFC 5280
    4.1.2.5).
    """
    if now < not_before:
        return "before"
    return "after" if now > not_after and now.replace(microsecond=0) > not_after else "within"


def _judge_issuance(certificate: UnverifiedCertificate, anchor: Anchor, policy: TrustPolicy) -> Untrusted | None:
    judgement = judge_signed(
        certificate.signature_oid, anchor.public_key, certificate.signature, certificate.tbs, policy.algorithms
    )
    match judgement:
        case "good":
            return None
        case "algorithm_refused":
            return Untrusted("certificate_untrusted", explain_refusal(certificate.signature_oid), "trust.4.signature")
        case "signature_invalid":
            return Untrusted(
                "certificate_untrusted", "its signature was not made by the anchor it names", "trust.4.signature"
            )


def _judge_critical(certificate: UnverifiedCertificate) -> Untrusted | None:
    if certificate.unprocessed_critical:
        return Untrusted(
            "certificate_untrusted", "a critical extension is not known here", "trust.5.critical_extensions"
        )
    return None


def _judge_kind(certificate: UnverifiedCertificate, anchor: Anchor, policy: TrustPolicy) -> Untrusted | None:
    profile = policy.profile
    if anchor.authority not in (profile.authority, "other"):
        return Untrusted("certificate_wrong_kind", "its issuer is the CA of another kind", "trust.6.kind")
    if certificate.is_ca:
        return Untrusted("certificate_wrong_kind", "it is a CA certificate", "trust.6.kind")
    if certificate.key_usage != profile.key_usage:
        return Untrusted("certificate_wrong_kind", "its keyUsage is not that of the wanted kind", "trust.6.kind")
    if certificate.extended_key_usage is None or profile.extended_key_usage not in certificate.extended_key_usage:
        return Untrusted(
            "certificate_wrong_kind", "its extendedKeyUsage is not that of the wanted kind", "trust.6.kind"
        )
    if not certificate.policies or not all(map(policy.names_kind, certificate.policies)):
        return Untrusted(
            "certificate_wrong_kind", "its certificate policy is not that of the wanted kind", "trust.6.kind"
        )
    if not certificate.plain_qualifiers:
        return Untrusted(
            "certificate_wrong_kind",
            "its certificate policy has a qualifier other than a statement address",
            "trust.6.kind",
        )
    return None


def judge_validity(certificate: UnverifiedCertificate, now: datetime) -> Untrusted | None:
    """Step 7: None while `now` is in the certificate's validity."""
    match judge_window(certificate.not_before, certificate.not_after, now):
        case "before":
            return Untrusted("certificate_not_yet_valid", "its validity has not begun", "trust.7.validity")
        case "after":
            return Untrusted("certificate_expired", "its validity has ended", "trust.7.validity")
        case "within":
            return None
