"""Trust for certificates that are not JPKI's: `judge_general_trust`, the one-step path of RFC 5280 6.1 and no profile.

For tests with other people's certificates and for engineers (`kiosk verify --profile any`). The server never uses it:
the issuers are taken as they are given, an issuer may be found by its name, and nothing is asked of the certificate's
purpose. The steps and the algorithms are those of `trust.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kiosk_web.pki.algorithms import (
    DEFAULT_ALGORITHMS,
    AlgorithmName,
    Judgement,
    explain_refusal,
    judge_key,
    judge_signed,
)
from kiosk_web.pki.anchors import build_issuer
from kiosk_web.pki.certificates import MalformedCertificate, UnverifiedCertificate, parse_certificate
from kiosk_web.pki.der import MalformedDer
from kiosk_web.pki.names import canonicalise_name
from kiosk_web.pki.trust import TrustedCertificate, TrustStep, Untrusted, judge_validity, judge_window


def judge_general_trust(
    der: bytes,
    issuers: Sequence[UnverifiedCertificate],
    now: datetime,
    algorithms: frozenset[AlgorithmName] = DEFAULT_ALGORITHMS,
) -> TrustedCertificate | Untrusted:
    """Judge whether one of `issuers` issued the certificate `der`; `now` is aware. The first step that fails answers:

    0. one certificate in strict DER;
    1. its key is on the allow-list of algorithms;
    2. authorityKeyIdentifier names the key of an issuer; without one, all issuers are candidates;
    3. the issuer's name is equal by RFC 5280 7.1;
    4. the signature verifies with that issuer's key, by a listed algorithm;
    5. no critical extension is left unprocessed;
    6. the issuer may issue: a CA by basicConstraints, keyCertSign where it has a keyUsage, no critical extension of its
       own left unprocessed;
    7. `now` is in its validity, to the second;
    8. `now` is in the issuer's.
    """
    try:
        certificate = parse_certificate(der)
        canonicalise_name(certificate.issuer)
    except (MalformedCertificate, MalformedDer) as error:
        return Untrusted("certificate_malformed", str(error), "trust.0.form")
    key = certificate.public_key
    if not judge_key(key):
        return _refuse("its key is not on the list of algorithms", "trust.1.key")
    signers = _find_signers(certificate, issuers, algorithms)
    if isinstance(signers, Untrusted):
        return signers
    if certificate.unprocessed_critical:
        return _refuse("a critical extension is not known here", "trust.5.critical_extensions")
    unfit = [_find_unfitness(issuer) for issuer in signers]
    candidates = [issuer for issuer, why in zip(signers, unfit, strict=True) if not why]
    if not candidates:
        return _refuse(unfit[0], "trust.6.kind")
    refusal = judge_validity(certificate, now)
    if refusal:
        return refusal
    for issuer in candidates:
        if judge_window(issuer.not_before, issuer.not_after, now) == "within":
            return TrustedCertificate(certificate, build_issuer(issuer), key)
    return _refuse("the issuer's own certificate is not in its validity", "trust.8.issuer_validity")


def _find_signers(
    certificate: UnverifiedCertificate, issuers: Sequence[UnverifiedCertificate], algorithms: frozenset[AlgorithmName]
) -> list[UnverifiedCertificate] | Untrusted:
    """Steps 2 to 4: those whose key made the signature, one at least."""
    candidates = [issuer for issuer in issuers if _may_have_issued(issuer, certificate)]
    if not candidates:
        return _refuse("its issuer's key is none of those given", "trust.2.issuer_key")
    name = canonicalise_name(certificate.issuer)
    candidates = [issuer for issuer in candidates if canonicalise_name(issuer.subject) == name]
    if not candidates:
        return _refuse("its issuer has another name than those given", "trust.3.issuer_name")
    judgements = [_judge_issuance(issuer, certificate, algorithms) for issuer in candidates]
    if "good" in judgements:
        return [issuer for issuer, said in zip(candidates, judgements, strict=True) if said == "good"]
    if "signature_invalid" in judgements:
        return _refuse("its signature was not made by the issuer it names", "trust.4.signature")
    return _refuse(explain_refusal(certificate.signature_oid), "trust.4.signature")


def _refuse(detail: str, step: TrustStep) -> Untrusted:
    return Untrusted("certificate_untrusted", detail, step)


def _may_have_issued(issuer: UnverifiedCertificate, certificate: UnverifiedCertificate) -> bool:
    """By key identifier, where both certificates carry one (RFC 5280 4.2.1.1)."""
    return None in (issuer.subject_key_id, certificate.authority_key_id) or (
        issuer.subject_key_id == certificate.authority_key_id
    )


def _judge_issuance(
    issuer: UnverifiedCertificate, certificate: UnverifiedCertificate, algorithms: frozenset[AlgorithmName]
) -> Judgement:
    return judge_signed(
        certificate.signature_oid, issuer.public_key, certificate.signature, certificate.tbs, algorithms
    )


def _find_unfitness(issuer: UnverifiedCertificate) -> str:
    """Why a certificate may not issue others, or nothing (RFC 5280 6.1.4 k, n, o)."""
    if not issuer.is_ca:
        return "the issuer is not a CA"
    if issuer.key_usage is not None and "key_cert_sign" not in issuer.key_usage:
        return "the issuer may not sign certificates"
    if issuer.unprocessed_critical:
        return "a critical extension of the issuer is not known here"
    return ""
