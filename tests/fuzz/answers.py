"""OCSP answers: bytes as a network could bring them, and bytes signed by the right responder."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

from cryptography.x509 import ocsp

from kiosk_web.pki.ocsp import judge_ocsp_response
from kiosk_web.pki.status import CertificateStatus, Good, HighWaterMark, OnHold, Revoked
from tests.fuzz.target import Target
from tests.support.der import SEQUENCE, content, split, tlv
from tests.support.generated_answers import FIELDS, NONCE, build_answer, close_response, open_response
from tests.support.jpki import NOW, build_root, issue_delegate
from tests.support.signed_der import build_signed, choose_algorithm

ROOT = build_root(2023)
ORDINARY = build_answer({})
CERTIFICATE, POLICY, REQUEST = ORDINARY.certificate, ORDINARY.policy, ORDINARY.request
DELEGATE = issue_delegate(ROOT)
ALGORITHM = choose_algorithm(DELEGATE.key)
EMBEDDED = tlv(0xA0, tlv(SEQUENCE, DELEGATE.der))
TRY_LATER = b"\x30\x03\x0a\x01\x03"
STATUS, KIND, _BASIC = open_response(ORDINARY.response)


@cache
def build_answers() -> tuple[bytes, ...]:
    """An answer of each single deviation about one certificate."""
    cases = [{field: value} for field, values in FIELDS.items() if field != "root" for value in values]
    return tuple(build_answer(case).response for case in cases)


@cache
def find_signed() -> frozenset[bytes]:
    """What a responder has signed, or tried to."""
    return frozenset(open_response(der)[2][0] for der in build_answers())


def judge(data: bytes, mark: HighWaterMark | None = None) -> CertificateStatus:
    status = judge_ocsp_response(CERTIFICATE, REQUEST, data, POLICY, NOW, mark)
    assert status.evidence.certificate_sha256 == CERTIFICATE.sha256
    return status


def judge_any(data: bytes) -> None:
    """Whatever the bytes: an outcome, and one that says something only for what was signed."""
    status = judge(data)
    if isinstance(status, Good | Revoked | OnHold):
        assert open_response(data)[2][0] in find_signed()
    held = judge(data, HighWaterMark(NOW, revoked_at=NOW))
    assert not isinstance(held, Good)


def judge_signed_by_responder(data: bytes) -> None:
    """Any signed part, rightly signed: what is good has passed the rules, read by the other library."""
    basic = build_signed(tlv(SEQUENCE, data), DELEGATE.key, ALGORITHM, EMBEDDED)
    response = close_response(STATUS, KIND, split(content(basic)))
    status = judge(response)
    if isinstance(status, Good):
        assert_rules(ocsp.load_der_ocsp_response(response))


def assert_rules(answer: ocsp.OCSPResponse) -> None:
    asked = ocsp.load_der_ocsp_request(REQUEST)
    assert answer.certificate_status is ocsp.OCSPCertStatus.GOOD
    assert len(list(answer.responses)) == 1
    assert answer.serial_number == asked.serial_number
    assert answer.issuer_key_hash == asked.issuer_key_hash
    assert answer.issuer_name_hash == asked.issuer_name_hash
    nonces = [extension.value.nonce for extension in answer.extensions if hasattr(extension.value, "nonce")]
    assert nonces == [NONCE]
    assert NOW - timedelta(minutes=22) <= answer.this_update_utc <= NOW + timedelta(minutes=2)
    assert NOW - timedelta(minutes=22) <= answer.produced_at_utc <= NOW + timedelta(minutes=2)
    assert answer.next_update_utc is None or answer.next_update_utc >= NOW


TARGETS = (
    Target("answer", judge_any, lambda: (TRY_LATER, *build_answers())),
    Target("signed_answer", judge_signed_by_responder, lambda: map(content, find_signed())),
)
