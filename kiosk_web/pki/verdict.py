"""The verdict: trust, status and proof combined. It accepts on exactly one path; everything else is a refusal with its
code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import assert_never

from kiosk_web.pki.fallback import FallbackState, plan_route
from kiosk_web.pki.signature import Proof
from kiosk_web.pki.status import (
    CertificateStatus,
    Evidence,
    Good,
    OnHold,
    Revoked,
    Stale,
    Unavailable,
    Unknown,
)
from kiosk_web.pki.status_policy import StatusContext, may_use_kept_answer
from kiosk_web.pki.trust import TrustedCertificate, Untrusted, judge_window


@dataclass(frozen=True, slots=True)
class VerdictPolicy:
    """What a service accepts: the proof that `context` names, and a status on the route that `context` and `fallback`
    lay down. Both are empty by default, and an empty policy refuses everybody.

    Evidence older than `max_evidence_age` at the verdict must be fetched again.
    """

    context: StatusContext = field(default_factory=StatusContext)
    fallback: FallbackState = field(default_factory=FallbackState)
    max_evidence_age: timedelta = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision. `refusal_code` is empty exactly when `accepted`; otherwise a name of `session/codes.py`."""

    accepted: bool
    refusal_code: str
    evidence: Evidence | None = None

    def __post_init__(self) -> None:
        if self.accepted != (self.refusal_code == ""):
            raise ValueError("a verdict is accepted, or it has a refusal code")


def judge_verdict(
    trust: TrustedCertificate | Untrusted | None,
    status: CertificateStatus | None,
    proof: Proof | None,
    policy: VerdictPolicy,
    now: datetime,
) -> Verdict:
    """Combine the evidence at the moment of decision. None stands for evidence that never came.

    Accepts exactly when: the certificate is trusted and still in its validity; its own status is `Good`, no longer ago
    than the policy allows, from an answer that was not too old, learned on the route that the policy lays down for the
    moment of the evidence; and the card proved itself, for this certificate, by the method the policy names. What the
    evidence says of an opening of the fallback is compared with the openings themselves, not believed.
    """
    evidence = status.evidence if status is not None else None
    refusal = _find_trust_refusal(trust, now)
    if isinstance(trust, TrustedCertificate):
        refusal = (
            refusal or _find_status_refusal(trust, status, policy, now) or _find_proof_refusal(trust, proof, policy)
        )
    return Verdict(accepted=not refusal, refusal_code=refusal, evidence=evidence)


def name_refusal(status: CertificateStatus) -> str:
    """The code of a status that is not good; empty for `Good`."""
    match status:
        case Good():
            return ""
        case Revoked():
            return "certificate_revoked"
        case OnHold():
            return "certificate_on_hold"
        case Unknown():
            return "status_unknown"
        case Unavailable("clock_unreliable"):
            return "clock_unreliable"
        case Unavailable():
            return "status_unavailable"
        case Stale():
            return "status_stale"
        case _:
            assert_never(status)


def _find_trust_refusal(trust: TrustedCertificate | Untrusted | None, now: datetime) -> str:
    if trust is None:
        return "certificate_untrusted"
    if isinstance(trust, Untrusted):
        return trust.reason
    if judge_window(trust.anchor.not_before, trust.anchor.not_after, now) != "within":
        return "certificate_untrusted"
    match judge_window(trust.certificate.not_before, trust.certificate.not_after, now):
        case "before":
            return "certificate_not_yet_valid"
        case "after":
            return "certificate_expired"
        case "within":
            return ""


def _find_status_refusal(
    trust: TrustedCertificate, status: CertificateStatus | None, policy: VerdictPolicy, now: datetime
) -> str:
    if status is None:
        return "status_unavailable"
    evidence = status.evidence
    if evidence.certificate_sha256 != trust.sha256 or not _is_on_route(evidence, policy):
        return "status_unavailable"
    if not isinstance(status, Good):
        return name_refusal(status)
    if evidence.checked_at > now:
        return "clock_unreliable"
    return "status_stale" if now - evidence.checked_at > policy.max_evidence_age or _is_old(evidence, policy) else ""


def _is_on_route(evidence: Evidence, policy: VerdictPolicy) -> bool:
    """Was it learned as the policy has it, at the moment it was learned? The route is planned again for that moment."""
    route = plan_route(policy.context, policy.fallback, evidence.checked_at)
    if evidence.method == "ocsp":
        asked = not evidence.cached or may_use_kept_answer(policy.context)
        return route.ask_responder and evidence.opening is None and asked
    return route.consult_lists and evidence.opening == route.opening


def _is_old(evidence: Evidence, policy: VerdictPolicy) -> bool:
    """Was the answer too old when it was judged?"""
    limit = policy.context.policy.limit_age(evidence.method)
    return evidence.this_update is None or evidence.checked_at - evidence.this_update > limit


def _find_proof_refusal(trust: TrustedCertificate, proof: Proof | None, policy: VerdictPolicy) -> str:
    if proof is None or proof.certificate_sha256 != trust.sha256 or not proof.verified:
        return "evidence_refused"
    if proof.method != policy.context.method:
        return "kazashi_unavailable" if proof.method == "kazashi" else "evidence_refused"
    return ""
