"""An OCSP answer for `kiosk verify`, from a file or from an address: the ten rules, with what a file cannot have. PURE.

An answer from a file was not asked for by us. No nonce of ours can be in it, so the nonce policy is `none` and the step
says that it was skipped; its age and nextUpdate are all that tells it from a replayed one.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from kiosk_web.pki.anchors import HashName
from kiosk_web.pki.ocsp import NONCE_LENGTH, OcspResponderPolicy, build_ocsp_request, judge_ocsp_response
from kiosk_web.pki.plan import FetchFailure, Plan, judge_answer
from kiosk_web.pki.status import CertificateStatus, Unavailable
from kiosk_web.pki.steps import Step, trace_ocsp
from kiosk_web.pki.trust import TrustedCertificate
from kiosk_web.verify.question import Question

_HASHES: tuple[HashName, ...] = ("sha1", "sha256")
_FROM_A_FILE = {
    "ocsp.7.address": "the answer is from a file: nobody was asked",
    "ocsp.8.exchange": "the answer is from a file: nobody was asked",
    "ocsp.4.nonce": "the answer is from a file: it cannot have a nonce of ours (nonce policy none)",
}
_WITHOUT_NONCE = {"ocsp.4.nonce": "no nonce was asked for (--nonce none)"}


def build_responder_policy(question: Question) -> OcspResponderPolicy:
    """How the responder of `question` is asked and believed."""
    return OcspResponderPolicy(
        url=question.ocsp_url,
        nonce="none" if question.ocsp_response is not None else question.nonce,
        hash_algorithm=question.ocsp_hash,
        trust_next_update=question.profile == "any",
    )


def judge_responder(
    question: Question, trust: TrustedCertificate, plan: Plan | None, answer: bytes | FetchFailure | None, now: datetime
) -> tuple[CertificateStatus, tuple[Step, ...]]:
    """Judge the answer in the file, or what came of `plan`."""
    policy = build_responder_policy(question)
    if question.ocsp_response is not None:
        status = _judge_file(trust, question.ocsp_response.data, policy, now)
        return status, trace_ocsp(status, _FROM_A_FILE)
    assert plan is not None, "whoever asks a responder has planned it"
    status = judge_answer(trust, plan, answer, policy, now, None)
    return status, trace_ocsp(status, _WITHOUT_NONCE if policy.nonce == "none" else None)


def _judge_file(
    trust: TrustedCertificate, response: bytes, policy: OcspResponderPolicy, now: datetime
) -> CertificateStatus:
    """By the CertID whose hash the answer uses; it names the certificate and protects nothing, so either will do."""
    status: CertificateStatus | None = None
    for name in _HASHES:
        by_hash = replace(policy, hash_algorithm=name)
        request = build_ocsp_request(trust, bytes(NONCE_LENGTH), by_hash)
        status = judge_ocsp_response(trust, request, response, by_hash, now, None)
        if not (isinstance(status, Unavailable) and status.why == "other_certificate"):
            return status
    assert status is not None
    return status
