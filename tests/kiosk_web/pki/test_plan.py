"""The plan: whom to ask is decided by the configuration, and by a certificate only within a list."""

from __future__ import annotations

import pytest

from kiosk_web.pki.ocsp import OcspResponderPolicy
from kiosk_web.pki.plan import AskResponder, CannotAsk, FetchFailure, judge_answer, plan_status_check
from kiosk_web.pki.status import Good, Unavailable
from tests.support.jpki import NOW, RESPONDER, build_root, issue, trust
from tests.support.ocsp_answers import answer

ROOT = build_root()
CERTIFICATE = trust(issue(ROOT), ROOT)
NONCE = bytes(range(32))
CONFIGURED = OcspResponderPolicy(url="http://127.0.0.1:1/ocsp")
FROM_CERTIFICATE = OcspResponderPolicy(url=None)


def test_the_configured_address_comes_first() -> None:
    plan = plan_status_check(CERTIFICATE, CONFIGURED, NONCE)
    assert isinstance(plan, AskResponder)
    assert plan.address == "http://127.0.0.1:1/ocsp"


def test_without_one_the_certificate_may_send_us_to_a_listed_host() -> None:
    plan = plan_status_check(CERTIFICATE, FROM_CERTIFICATE, NONCE)
    assert isinstance(plan, AskResponder)
    assert plan.address == RESPONDER


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/",
        "https://ocspauthnorm.jpki.go.jp",
        "http://ocspauthnorm.jpki.go.jp:8080",
        "http://ocspauthnorm.jpki.go.jp:99999",
        "http://user@ocspauthnorm.jpki.go.jp",
        "http://ocspauthnorm.jpki.go.jp.example/",
        "file:///etc/passwd",
        "ldap://ocspauthnorm.jpki.go.jp",
        "http://[::1",
    ],
)
def test_a_certificate_sends_us_nowhere_else(address: str) -> None:
    certificate = trust(issue(ROOT, addresses=(address,)), ROOT)
    assert plan_status_check(certificate, FROM_CERTIFICATE, NONCE) == CannotAsk("no_responder")


def test_nobody_to_ask_is_unavailable() -> None:
    status = judge_answer(CERTIFICATE, CannotAsk("no_responder"), None, FROM_CERTIFICATE, NOW, None)
    assert isinstance(status, Unavailable)
    assert status.why == "no_responder"


@pytest.mark.parametrize(
    "kind", ["refused", "timeout", "reset", "http_status", "too_large", "content_type", "redirect"]
)
def test_a_failed_exchange_is_unavailable_by_its_name(kind: str) -> None:
    plan = plan_status_check(CERTIFICATE, CONFIGURED, NONCE)
    status = judge_answer(CERTIFICATE, plan, FetchFailure(kind), CONFIGURED, NOW, None)  # type: ignore[arg-type]
    assert isinstance(status, Unavailable)
    assert (status.why, status.evidence.responder) == (kind, "http://127.0.0.1:1/ocsp")
    assert status.evidence.certificate_sha256 == CERTIFICATE.sha256


def test_the_answer_is_judged_and_the_evidence_names_who_was_asked() -> None:
    plan = plan_status_check(CERTIFICATE, FROM_CERTIFICATE, NONCE)
    assert isinstance(plan, AskResponder)
    status = judge_answer(CERTIFICATE, plan, answer(plan.request, ROOT), FROM_CERTIFICATE, NOW, None)
    assert isinstance(status, Good)
    assert status.evidence.responder == RESPONDER
