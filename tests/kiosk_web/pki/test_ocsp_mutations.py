"""Changed answers: whatever happens to the bytes of one, it never becomes another yes."""

from __future__ import annotations

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk_web.pki.ocsp import OcspResponderPolicy, build_ocsp_request, judge_ocsp_response
from kiosk_web.pki.status import CertificateStatus, Good, Revoked, Stale, Unavailable, name_outcome
from tests.support.jpki import NOW, build_root, issue, issue_delegate, trust
from tests.support.ocsp_answers import AnswerShape, answer

POLICY = OcspResponderPolicy(url="http://127.0.0.1/ocsp")
ROOT = build_root()
CERTIFICATE = trust(issue(ROOT), ROOT)
REQUEST = build_ocsp_request(CERTIFICATE, bytes(range(32)), POLICY)
DELEGATE = issue_delegate(ROOT)
GOOD = answer(REQUEST, ROOT, DELEGATE)
REVOKED = answer(REQUEST, ROOT, DELEGATE, AnswerShape(status="revoked", reason=x509.ReasonFlags.cessation_of_operation))
UNKNOWN = answer(REQUEST, ROOT, DELEGATE, AnswerShape(status="unknown"))


def judge(response: bytes) -> CertificateStatus:
    return judge_ocsp_response(CERTIFICATE, REQUEST, response, POLICY, NOW, None)


@pytest.mark.parametrize("mask", [0xFF, 0x80, 0x02, 0x01])
def test_every_changed_byte_of_a_good_answer_is_refused_or_changes_nothing(mask: int) -> None:
    same = 0
    for position in range(len(GOOD)):
        status = judge(GOOD[:position] + bytes([GOOD[position] ^ mask]) + GOOD[position + 1 :])
        if isinstance(status, Good):
            same += 1
            expected = judge(GOOD).evidence
            assert (status.evidence.this_update, status.evidence.produced_at) == (
                expected.this_update,
                expected.produced_at,
            )
        else:
            assert isinstance(status, Unavailable), (position, status)
    assert same < 8  # only bytes that nobody signs and nobody reads


@pytest.mark.parametrize("response", [REVOKED, UNKNOWN], ids=["revoked", "unknown"])
@pytest.mark.parametrize("mask", [0xFF, 0x01])
def test_no_changed_byte_turns_a_refusal_into_a_yes(response: bytes, mask: int) -> None:
    before = name_outcome(judge(response))
    for position in range(len(response)):
        status = judge(response[:position] + bytes([response[position] ^ mask]) + response[position + 1 :])
        assert name_outcome(status) in (before, "unavailable"), position


def test_every_cut_answer_is_no_answer() -> None:
    for end in range(len(GOOD)):
        assert isinstance(judge(GOOD[:end]), Unavailable)
    assert isinstance(judge(GOOD + b"\x00"), Unavailable)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(REVOKED)), st.integers(0, len(GOOD)), st.integers(0, len(GOOD)), st.binary(max_size=16))
def test_pieces_of_answers_put_together_are_never_a_yes(head: int, start: int, end: int, middle: bytes) -> None:
    mixed = REVOKED[:head] + middle + GOOD[min(start, end) : max(start, end)]
    status = judge(mixed)
    assert mixed == GOOD or not isinstance(status, Good)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_at_all_are_an_outcome_and_never_an_exception(data: bytes) -> None:
    assert isinstance(judge(data), Unavailable)
    assert not isinstance(judge(data), Good | Revoked | Stale)
