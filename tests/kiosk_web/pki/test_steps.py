"""The steps behind an answer: the one that failed is the one whose rule said no, and every word belongs to one."""

from __future__ import annotations

import ast
import inspect
import re
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp as library

from kiosk_web.pki import ocsp
from kiosk_web.pki.ocsp import OcspResponderPolicy, build_ocsp_request, judge_ocsp_response
from kiosk_web.pki.plan import FailureKind
from kiosk_web.pki.steps import OCSP_STEP_OF, OCSP_STEPS, TRUST_STEPS, Step, trace, trace_ocsp, trace_trust
from kiosk_web.pki.trust import TrustPolicy, TrustStore, judge_trust, judge_trust_of_bytes
from tests.support.jpki import NOW, Issued, build_name, build_root, issue, rsa_key, trust
from tests.support.ocsp_answers import AnswerShape, answer

ROOT = build_root()
STORE = TrustStore([ROOT.anchor, build_root(2015).anchor])
CERTIFICATE = trust(issue(ROOT), ROOT)
POLICY = OcspResponderPolicy(url="http://127.0.0.1/ocsp")
REQUEST = build_ocsp_request(CERTIFICATE, bytes(32), POLICY)
UNKNOWN_EXTENSION = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")

UNTRUSTED: dict[str, list[Issued]] = {
    "trust.1.key": [issue(ROOT, key=rsa_key("short", 1024))],
    "trust.2.issuer_key": [issue(ROOT, authority_key_id="absent"), issue(build_root(2023, label="stranger"))],
    "trust.3.issuer_name": [issue(ROOT, issuer_name=build_name("digital_signature"))],
    "trust.4.signature": [issue(ROOT, signing_key=rsa_key("forger")), issue(ROOT, algorithm=hashes.SHA384())],
    "trust.5.critical_extensions": [issue(ROOT, extra=[(UNKNOWN_EXTENSION, True)])],
    "trust.6.kind": [issue(ROOT, ca=True), issue(ROOT, policy=None), issue(ROOT, extended=None)],
    "trust.7.validity": [issue(ROOT, not_after=NOW - timedelta(days=1)), issue(ROOT, not_before=NOW + timedelta(1))],
    "trust.8.issuer_validity": [issue(build_root(2015))],
}


def failed(steps: tuple[Step, ...]) -> list[str]:
    return [step.name for step in steps if step.result == "failed"]


def test_a_step_that_failed_stands_between_passed_and_skipped_ones() -> None:
    steps = trace(("a", "b", "c", "d"), "c", "no", aside={"a": "not here", "d": "never"}, evidence=b"x")
    assert [(step.name, step.result, step.detail) for step in steps] == [
        ("a", "skipped", "not here"),
        ("b", "passed", ""),
        ("c", "failed", "no"),
        ("d", "skipped", ""),
    ]
    assert {step.evidence for step in steps} == {b"x"}
    assert [step.result for step in trace(("a", "b"), None)] == ["passed", "passed"]


@pytest.mark.parametrize(("step", "issued"), [(step, issued) for step, cases in UNTRUSTED.items() for issued in cases])
def test_trust_fails_in_the_step_that_says_no(step: str, issued: Issued) -> None:
    steps = trace_trust(judge_trust(issued.parsed, STORE, TrustPolicy(), NOW), issued.parsed.sha256)
    assert tuple(traced.name for traced in steps) == TRUST_STEPS
    assert failed(steps) == [step]


def test_bytes_that_are_no_certificate_fail_in_the_first_step() -> None:
    steps = trace_trust(judge_trust_of_bytes(b"\x30\x00", STORE, TrustPolicy(), NOW), b"")
    assert failed(steps) == ["trust.0.form"]
    assert failed(trace_trust(CERTIFICATE, b"")) == []


@pytest.mark.parametrize(
    ("shape", "step"),
    [
        (AnswerShape(), None),
        (AnswerShape(status="revoked"), "ocsp.1.certificate_status"),
        (AnswerShape(status="revoked", reason=x509.ReasonFlags.certificate_hold), "ocsp.1.certificate_status"),
        (AnswerShape(status="unknown"), "ocsp.1.certificate_status"),
        (AnswerShape(repeat=2), "ocsp.2.single_response"),
        (AnswerShape(serial=9), "ocsp.2.certificate_id"),
        (AnswerShape(nonce=bytes(31)), "ocsp.4.nonce"),
        (AnswerShape(this_update=NOW - timedelta(hours=1)), "ocsp.5.times"),
        (AnswerShape(algorithm=hashes.SHA512()), "ocsp.6.signature"),
    ],
)
def test_an_answer_fails_in_the_rule_that_says_no(shape: AnswerShape, step: str | None) -> None:
    status = judge_ocsp_response(CERTIFICATE, REQUEST, answer(REQUEST, ROOT, None, shape), POLICY, NOW, None)
    steps = trace_ocsp(status, {"ocsp.8.exchange": "from a file"})
    assert tuple(traced.name for traced in steps) == OCSP_STEPS
    assert failed(steps) == ([] if step is None else [step])
    assert steps[1].detail == "from a file"


def test_each_rule_is_among_the_steps() -> None:
    assert {int(step.split(".")[1]) for step in OCSP_STEPS} == set(range(1, 11))
    assert [int(step.split(".")[1]) for step in TRUST_STEPS] == list(range(9))


def words_of_the_source() -> set[str]:
    """Every word a rule refuses with, as it stands in the code."""
    words = set(get_args(FailureKind)) | {"no_responder", "no_answer", "clock_unreliable"}
    words |= {
        f"responder_{status.name.lower()}"
        for status in library.OCSPResponseStatus
        if status is not library.OCSPResponseStatus.SUCCESSFUL
    }
    for node in ast.walk(ast.parse(inspect.getsource(ocsp))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("_Refused", "Stale", "Unavailable"):
            words |= {value.value for value in node.args if isinstance(value, ast.Constant)}
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant):
            words |= {node.value.value} if isinstance(node.value.value, str) else set()
    return {word for word in words if isinstance(word, str)} - {"issuer"}


def test_every_word_of_a_refusal_belongs_to_a_step() -> None:
    assert words_of_the_source() <= OCSP_STEP_OF.keys()
    assert set(OCSP_STEP_OF.values()) <= set(OCSP_STEPS)


def test_every_word_of_a_refusal_is_in_the_manual() -> None:
    manual = (Path(__file__).parents[3] / "docs/validation.md").read_text(encoding="utf-8")
    written = set(re.findall(r"`(?:Stale\(|Unavailable\()?([a-z_]+)\)?`", manual))
    unwritten = {
        word for word in OCSP_STEP_OF if word not in written and not word.startswith(("responder_", "delegate_"))
    }
    assert unwritten == set()
