"""plan → fetch → judge: what must be asked, decided before anything is sent, and the judgement of whatever came back.

The middle step alone touches the network, and all it may bring back is bytes or a `FetchFailure`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from kiosk_web.pki.ocsp import OcspResponderPolicy, build_ocsp_request, judge_ocsp_response
from kiosk_web.pki.status import CertificateStatus, Evidence, HighWaterMark, Unavailable
from kiosk_web.pki.trust import TrustedCertificate

FailureKind = Literal[
    "refused", "timeout", "reset", "circuit_open", "http_status", "too_large", "content_type", "redirect", "address"
]


@dataclass(frozen=True, slots=True)
class FetchFailure:
    """Why an exchange brought no answer. `detail` is for staff: a status number; never a byte of the body."""

    kind: FailureKind
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AskResponder:
    """Post `request` to `address` and bring back the body."""

    address: str
    request: bytes


@dataclass(frozen=True, slots=True)
class CannotAsk:
    """There is nobody to ask: no configured address, and none the certificate may send us to."""

    why: Literal["no_responder"]


Plan = AskResponder | CannotAsk


def plan_status_check(certificate: TrustedCertificate, policy: OcspResponderPolicy, nonce: bytes) -> Plan:
    """Decide how to learn the status of `certificate`. `nonce` is 32 fresh random bytes.

    The address is the configured one; the certificate's own counts only where none is configured, and only for a listed
    host.
    """
    address = policy.url if policy.url is not None else _find_listed_address(certificate, policy)
    if address is None:
        return CannotAsk("no_responder")
    return AskResponder(address, build_ocsp_request(certificate, nonce, policy))


def judge_answer(
    certificate: TrustedCertificate,
    plan: Plan,
    answer: bytes | FetchFailure | None,
    policy: OcspResponderPolicy,
    now: datetime,
    high_water: HighWaterMark | None,
) -> CertificateStatus:
    """Judge what came of a plan: `answer` is the body, a failure, or None for a plan with nobody to ask."""
    if isinstance(plan, CannotAsk):
        return build_unavailable(certificate, plan.why, "", now)
    if isinstance(answer, bytes):
        return judge_ocsp_response(certificate, plan.request, answer, policy, now, high_water, responder=plan.address)
    return build_unavailable(certificate, answer.kind if answer else "no_answer", plan.address, now)


def build_unavailable(certificate: TrustedCertificate, why: str, address: str, now: datetime) -> Unavailable:
    """`Unavailable` where there are no bytes to point at."""
    evidence = Evidence("ocsp", None, None, None, address, b"", now, certificate_sha256=certificate.sha256)
    return Unavailable(why, evidence)


def _find_listed_address(certificate: TrustedCertificate, policy: OcspResponderPolicy) -> str | None:
    for address in certificate.certificate.ocsp_addresses:
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError:
            continue
        listed = parts.hostname in policy.aia_hosts and parts.username is None and parts.password is None
        if parts.scheme == "http" and listed and port in (None, 80):
            return address
    return None
