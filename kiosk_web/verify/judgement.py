"""The judgement of one certificate as `kiosk verify` tells it: outcome, reason, every step, the evidence. PURE.

Two halves with the network between them, as everywhere: `begin` judges trust and says whom to ask, `conclude` judges
what came back. The rules are the server's, called one after the other; nothing is decided here but what an engineer is
told when several of them say something.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from kiosk_web.pki.fallback import DatedWindow, FallbackState, Route, is_out_of_reach, plan_route
from kiosk_web.pki.general_trust import judge_general_trust
from kiosk_web.pki.outcomes import OUTCOMES, Outcome
from kiosk_web.pki.plan import FetchFailure, Plan, build_unavailable, plan_status_check
from kiosk_web.pki.signature import judge_signature
from kiosk_web.pki.status import CertificateStatus, Good, OnHold, Revoked, Stale, Unavailable, Unknown
from kiosk_web.pki.status_policy import IDENTIFY, StatusContext, StatusPolicy
from kiosk_web.pki.steps import Step, trace_trust
from kiosk_web.pki.trust import TrustedCertificate, Untrusted, judge_trust_of_bytes
from kiosk_web.verify.evidence import Exhibit, describe_answer
from kiosk_web.verify.lists import judge_lists
from kiosk_web.verify.question import Question
from kiosk_web.verify.responder import build_responder_policy, judge_responder

POLICY_STEP, OCSP_STEP, LISTS_STEP, PROOF_STEP, VERDICT_STEP = "policy", "ocsp", "lists", "proof.signature", "verdict"
"""`ocsp` and `lists` stand for all steps of a method that was not used."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer. `reason` is a word of the lists in docs/verify.md, or None where the outcome says it all."""

    outcome: Outcome
    reason: str | None
    steps: tuple[Step, ...]
    evidence: tuple[Exhibit, ...]
    judged_at: datetime

    @property
    def exit_status(self) -> int:
        """0 good, 1 refused, 2 could not be confirmed. 3 is for a command that cannot be carried out."""
        if self.outcome == "good":
            return 0
        return 2 if self.outcome in ("unknown", "unavailable", "stale") else 1


@dataclass(frozen=True, slots=True)
class Beginning:
    """After the first half: is the certificate trusted, which way leads to its status, and whom to ask (`plan`)."""

    trust: TrustedCertificate | Untrusted
    route: Route
    plan: Plan | None


def begin(question: Question, now: datetime, nonce: bytes) -> Beginning:
    """Judge trust and plan the route. `nonce` is 32 fresh random bytes; `plan` is None where nobody is to be asked."""
    given, authorities = question.certificate.data, question.authorities
    trust = (
        judge_trust_of_bytes(given, authorities.anchors, question.trust_policy, now)
        if question.profile == "jpki"
        else judge_general_trust(given, authorities.issuers, now)
    )
    route = _plan_route(question, now)
    plan = None
    if isinstance(trust, TrustedCertificate) and route.ask_responder and question.ocsp_response is None:
        plan = plan_status_check(trust, build_responder_policy(question), nonce)
    return Beginning(trust, route, plan)


def conclude(
    question: Question, beginning: Beginning, answer: bytes | FetchFailure | None, now: datetime
) -> Verification:
    """Judge all there is at the aware time `now`; `answer` is what came of the plan, None where nobody was asked."""
    trust = beginning.trust
    sha256 = hashlib.sha256(question.certificate.data).digest()
    steps = list(trace_trust(trust, sha256))
    evidence = [Exhibit("certificate", sha256, question.certificate.source)]
    if isinstance(trust, Untrusted):
        steps += _skip("the certificate is not trusted", POLICY_STEP, OCSP_STEP, LISTS_STEP, PROOF_STEP)
        return _decide(OUTCOMES[trust.reason], trust.step, steps, evidence, now)
    evidence.append(Exhibit("issuer", trust.anchor.sha256, trust.anchor.label))
    status, told, seen = _judge_status(question, beginning, trust, answer, now)
    proof = _judge_proof(question, trust)
    steps += [*told, proof]
    evidence += seen
    if question.message is not None:
        evidence.append(Exhibit("message", hashlib.sha256(question.message.data).digest(), question.message.source))
    return _decide(*_weigh(status, proof), steps, evidence, now)


def _weigh(status: CertificateStatus, proof: Step) -> tuple[Outcome, str | None]:
    """A definite no comes first, from the issuer before one from the signature; then what could not be confirmed."""
    match status:
        case Revoked(_, reason):
            return "revoked", reason
        case OnHold():
            return "on_hold", "certificateHold"
        case _ if proof.result == "failed":
            return "signature_invalid", None
        case Good():
            return "good", None
        case Unknown():
            return "unknown", None
        case Unavailable(why):
            return "unavailable", why
        case Stale(why):
            return "stale", why
        case _:
            assert_never(status)


def _judge_status(
    question: Question,
    beginning: Beginning,
    trust: TrustedCertificate,
    answer: bytes | FetchFailure | None,
    now: datetime,
) -> tuple[CertificateStatus, list[Step], list[Exhibit]]:
    """By the route: the responder, the lists, or the lists where the responder is out of reach in an opening."""
    if question.policy is None:
        nothing = "neither a policy nor anything to judge by was given, and nothing is accepted then"
        steps = [Step(POLICY_STEP, "failed", nothing), *_skip("nothing is accepted", OCSP_STEP, LISTS_STEP)]
        return build_unavailable(trust, "no_policy", "", now), steps, []
    route = beginning.route
    steps = [Step(POLICY_STEP, "passed", question.policy + (", fallback open" if route.opening else ""))]
    evidence: list[Exhibit] = []
    status: CertificateStatus | None = None
    if route.ask_responder:
        status, told = judge_responder(question, trust, beginning.plan, answer, now)
        steps += told
        evidence.append(describe_answer(status, question.ocsp_response.source if question.ocsp_response else ""))
    else:
        steps += _skip("the policy asks nobody" if question.policy == "crl" else "there is nobody to ask", OCSP_STEP)
    if route.consult_lists and (status is None or is_out_of_reach(status)):
        status, looked, lists = judge_lists(question, trust, now)
        steps += looked
        evidence = [*(replace(exhibit, decisive=False) for exhibit in evidence), *lists]
    else:
        steps += _skip(_say_why_not_consulted(question, route), LISTS_STEP)
    if status is None:
        raise ValueError("a policy with nobody to ask")
    return status, steps, evidence


def _judge_proof(question: Question, trust: TrustedCertificate) -> Step:
    if question.signature is None or question.message is None:
        return Step(PROOF_STEP, "skipped", "no signature was given")
    if judge_signature(trust.public_key, question.message.data, question.signature):
        return Step(PROOF_STEP, "passed")
    return Step(PROOF_STEP, "failed", "the signature was not made over this message by the certificate's key")


def _plan_route(question: Question, now: datetime) -> Route:
    """As for a visit with a PIN, at a service that may use lists."""
    context = StatusContext(StatusPolicy(question.policy), "pin", IDENTIFY, lists_permitted=True)
    windows: tuple[DatedWindow, ...] = ()
    if question.fallback_open:
        day = timedelta(days=1)
        windows = (DatedWindow(now - day, now + day, ask_responder=question.has_responder),)
    return plan_route(context, FallbackState(windows), now)


def _say_why_not_consulted(question: Question, route: Route) -> str:
    if route.consult_lists:
        return "the responder answered"
    if question.policy == "ocsp-then-crl":
        return "the responder is not out of service (--fallback-open says that it is)"
    return "the policy consults no list"


def _skip(why: str, *names: str) -> list[Step]:
    return [Step(name, "skipped", why) for name in names]


def _decide(
    outcome: Outcome, reason: str | None, steps: list[Step], evidence: list[Exhibit], now: datetime
) -> Verification:
    verdict = Step(VERDICT_STEP, "passed" if outcome == "good" else "failed", outcome)
    return Verification(outcome, reason, (*steps, verdict), tuple(evidence), now)
