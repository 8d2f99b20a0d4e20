"""The steps of a judgement, spelled out for people who want to see how an answer came about (`kiosk verify`).

A judge answers with the first rule that says no, and that is all the product needs. Here the same answer is laid out:
the rules stand in the order in which the judges look at them, each word of a refusal belongs to one of them, and so
everything before that one has passed and nothing after it was looked at. No rule is judged a second time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from kiosk_web.pki.crl_trust import RefusedCrl, TrustedCrl
from kiosk_web.pki.status import CertificateStatus, Good, OnHold, Revoked, Stale, Unavailable, Unknown
from kiosk_web.pki.trust import TrustedCertificate, TrustStep, Untrusted

Result = Literal["passed", "failed", "skipped"]

TRUST_STEPS: tuple[str, ...] = get_args(TrustStep)

OCSP_STEPS = (
    "ocsp.7.address",
    "ocsp.8.exchange",
    "ocsp.7.limits",
    "ocsp.1.answer_status",
    "ocsp.2.single_response",
    "ocsp.2.certificate_id",
    "ocsp.3.signer",
    "ocsp.6.signature",
    "ocsp.4.nonce",
    "ocsp.10.clock",
    "ocsp.5.times",
    "ocsp.9.evidence",
    "ocsp.1.certificate_status",
)
"""The ten rules of `docs/validation.md` by their numbers, in the order in which they are looked at."""

_OCSP_WORDS = {
    "ocsp.7.address": ("no_responder", "address"),
    "ocsp.8.exchange": ("refused", "timeout", "reset", "circuit_open", "no_answer"),
    "ocsp.7.limits": ("http_status", "content_type", "redirect", "too_large"),
    "ocsp.1.answer_status": (
        "malformed",
        "responder_malformed_request",
        "responder_internal_error",
        "responder_try_later",
        "responder_sig_required",
        "responder_unauthorized",
    ),
    "ocsp.2.single_response": ("not_single", "critical_extension"),
    "ocsp.2.certificate_id": ("other_request", "other_certificate"),
    "ocsp.3.signer": (
        "signer_unknown",
        "too_many_certificates",
        "delegate_malformed",
        "delegate_of_another_issuer",
        "delegate_not_for_ocsp",
        "delegate_without_nocheck",
        "delegate_critical_extension",
        "delegate_not_valid_now",
    ),
    "ocsp.6.signature": ("algorithm_refused", "signature_invalid"),
    "ocsp.4.nonce": ("nonce_missing", "nonce_wrong"),
    "ocsp.10.clock": ("clock_unreliable",),
    "ocsp.5.times": (
        "too_old",
        "from_the_future",
        "produced_before_update",
        "next_update_passed",
        "behind_high_water",
    ),
    "ocsp.1.certificate_status": ("hold_not_lifted",),
}
OCSP_STEP_OF = {word: step for step, words in _OCSP_WORDS.items() for word in words}
"""Which step each word of `Unavailable` and `Stale` comes from."""

CRL_STEPS = (
    "crl.0.form",
    "crl.1.issuer_key",
    "crl.2.issuer_name",
    "crl.3.issuer_rights",
    "crl.4.algorithm",
    "crl.5.signature",
    "crl.6.completeness",
    "crl.7.times",
    "crl.8.mark",
    "crl.9.entries",
)
"""The steps of `judge_crl`, between reading the list and reading its entries."""

_CRL_WORDS = {
    "crl.0.form": ("malformed",),
    "crl.1.issuer_key": ("no_key_id", "issuer_unknown"),
    "crl.2.issuer_name": ("issuer_name",),
    "crl.3.issuer_rights": ("issuer_may_not_sign", "issuer_not_valid_now"),
    "crl.4.algorithm": ("algorithm_mismatch", "algorithm_refused"),
    "crl.5.signature": ("signature_invalid",),
    "crl.6.completeness": ("critical_extension", "delta", "indirect", "some_reasons", "attribute_certificates"),
    "crl.7.times": ("from_the_future", "no_next_update", "next_update_passed"),
    "crl.8.mark": ("number_behind", "update_behind", "same_number_other_list"),
    "crl.9.entries": (
        "entry_malformed",
        "entry_serial",
        "entry_date",
        "entry_remove_from_crl",
        "entry_certificate_issuer",
        "entry_critical_extension",
    ),
}
CRL_STEP_OF = {word: step for step, words in _CRL_WORDS.items() for word in words}
"""Which step each word of `MalformedCrl` and `RefusedCrl` comes from."""

LOOKUP_STEPS = (
    "lists.1.coverage",
    "lists.2.clock",
    "lists.3.earlier_revocation",
    "lists.4.revocation",
    "lists.6.hold",
    "lists.5.freshness",
    "lists.7.newer_than_any_hold",
    "lists.9.evidence",
)
"""The rules of `judge_crl_status`, in the order in which they decide. Rule 8 is what is said when 1 or 5 fails."""

UNREAD_LIST_WORDS = frozenset(
    {"critical_extension", "delta", "indirect", "some_reasons", "no_next_update", "malformed"}
    | set(_CRL_WORDS["crl.9.entries"])
)
"""Why a well signed list was refused before anybody knew whom it names."""

LOOKUP_STEP_OF = dict.fromkeys(UNREAD_LIST_WORDS, "lists.5.freshness") | {
    "no_list": "lists.1.coverage",
    "clock_unreliable": "lists.2.clock",
    "list_too_old": "lists.5.freshness",
    "next_update_passed": "lists.5.freshness",
    "behind_high_water": "lists.5.freshness",
    "hold_not_lifted": "lists.7.newer_than_any_hold",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step and how it went. `detail` is for people and holds no personal data; `evidence` is the SHA-256 of the
    bytes it looked at, empty where it looked at none.
    """

    name: str
    result: Result
    detail: str = ""
    evidence: bytes = b""


def trace(
    order: Sequence[str],
    failed: str | None,
    detail: str = "",
    *,
    aside: Mapping[str, str] | None = None,
    evidence: bytes = b"",
) -> tuple[Step, ...]:
    """The steps of `order` when `failed` (None: no one) said no, with `detail`; all after it are skipped.

    `aside` are steps this judgement does not take, with the reason why; the one that failed is never one of them.
    """
    aside = aside or {}
    position = len(order) if failed is None else order.index(failed)
    steps = []
    for place, name in enumerate(order):
        if place == position:
            steps.append(Step(name, "failed", detail, evidence))
        elif place > position or name in aside:
            steps.append(Step(name, "skipped", aside.get(name, "") if place < position else "", evidence))
        else:
            steps.append(Step(name, "passed", "", evidence))
    return tuple(steps)


def trace_trust(trust: TrustedCertificate | Untrusted, sha256: bytes) -> tuple[Step, ...]:
    """The steps of `judge_trust` behind its answer; `sha256` is the hash of the certificate that was judged."""
    if isinstance(trust, Untrusted):
        return trace(TRUST_STEPS, trust.step, trust.detail, evidence=sha256)
    return trace(TRUST_STEPS, None, evidence=sha256)


def trace_ocsp(status: CertificateStatus, aside: Mapping[str, str] | None = None) -> tuple[Step, ...]:
    """The ten rules behind a status by OCSP. A certificate that is not good fails in the last step alone."""
    failed, detail = _find_ocsp_failure(status)
    return trace(OCSP_STEPS, failed, detail, aside=aside, evidence=status.evidence.sha256)


def _find_ocsp_failure(status: CertificateStatus) -> tuple[str | None, str]:
    match status:
        case Good():
            return None, ""
        case Revoked(_, reason):
            return "ocsp.1.certificate_status", f"revoked ({reason or 'no reason given'})"
        case OnHold():
            return "ocsp.1.certificate_status", "on hold"
        case Unknown():
            return "ocsp.1.certificate_status", "unknown to the responder"
        case Unavailable(why) | Stale(why):
            return OCSP_STEP_OF[why], why


def trace_crl(
    judged: TrustedCrl | RefusedCrl, sha256: bytes, aside: Mapping[str, str] | None = None
) -> tuple[Step, ...]:
    """The steps of `judge_crl` behind its answer, up to the entries, which nobody has read yet."""
    if isinstance(judged, RefusedCrl):
        return trace(CRL_STEPS, CRL_STEP_OF[judged.why], judged.detail, aside=aside, evidence=sha256)
    return trace(CRL_STEPS[:-1], None, aside=aside, evidence=sha256)


def trace_lookup(status: CertificateStatus, aside: Mapping[str, str] | None = None) -> tuple[Step, ...]:
    """The rules behind a status by lists."""
    failed, detail = _find_lookup_failure(status)
    return trace(LOOKUP_STEPS, failed, detail, aside=aside, evidence=status.evidence.sha256)


def _find_lookup_failure(status: CertificateStatus) -> tuple[str | None, str]:
    match status:
        case Good():
            return None, ""
        case Revoked(_, reason):
            return "lists.4.revocation", f"revoked ({reason or 'no reason given'})"
        case OnHold():
            return "lists.6.hold", "on hold"
        case Unavailable(why) | Stale(why):
            return LOOKUP_STEP_OF[why], why
        case Unknown():
            raise ValueError("lists know no unknown certificates")
