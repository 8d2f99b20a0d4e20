"""Changed answers: whatever happens to the bytes of one, it never becomes another yes."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import ocsp
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
GOOD_OF_ISSUER = answer(REQUEST, ROOT)
REVOKED_OF_ISSUER = answer(REQUEST, ROOT, shape=AnswerShape(status="revoked", reason=x509.ReasonFlags.key_compromise))
UNKNOWN = answer(REQUEST, ROOT, DELEGATE, AnswerShape(status="unknown"))


def judge(response: bytes) -> CertificateStatus:
    return judge_ocsp_response(CERTIFICATE, REQUEST, response, POLICY, NOW, None)


def change_each_byte(response: bytes, opaque: Container[int] = ()) -> Iterator[tuple[int, bytes]]:
    """Every other value of every byte, with its place; of the `opaque` bytes, those that differ by one bit."""
    changed = bytearray(response)
    for position, byte in enumerate(response):
        others = (byte ^ 1 << bit for bit in range(8)) if position in opaque else range(256)
        for other in others:
            if other != byte:
                changed[position] = other
                yield position, bytes(changed)
        changed[position] = byte


def check_every_change(response: bytes, opaque: Container[int] = ()) -> set[int]:
    """Each is refused, or says and rests on the very same; returns the places where something was the same."""
    before = judge(response)
    same = set()
    for position, changed in change_each_byte(response, opaque):
        status = judge(changed)
        if isinstance(status, Unavailable):
            continue
        evidence = replace(status.evidence, sha256=before.evidence.sha256)
        assert replace(status, evidence=evidence) == before, position
        same.add(position)
    return same


@pytest.mark.long
@pytest.mark.parametrize(
    ("response", "opaque"), [(GOOD_OF_ISSUER, ()), (REVOKED_OF_ISSUER, range(1 << 16))], ids=["good", "revoked"]
)
def test_every_value_of_every_byte_of_an_answer_is_refused_or_changes_nothing(
    response: bytes, opaque: Container[int]
) -> None:
    """Of the one that revokes, every bit."""
    assert isinstance(judge(response), Good | Revoked)
    assert len(check_every_change(response, opaque)) < 8  # only bytes that nobody signs and nobody reads


@pytest.mark.long
def test_every_value_of_every_byte_beside_the_certificate_of_a_delegate_as_well() -> None:
    """Of signatures and of the delegate's key, which are compared or computed with as a whole, every bit."""
    key = DELEGATE.key
    assert isinstance(key, rsa.RSAPrivateKey)
    modulus = key.public_key().public_numbers().n.to_bytes(256, "big")
    signatures = (ocsp.load_der_ocsp_response(GOOD).signature, DELEGATE.certificate.signature)
    numbers = [*signatures, modulus]
    opaque = {GOOD.index(number) + place for number in numbers for place in range(len(number))}
    assert len(check_every_change(GOOD, opaque)) < 8


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
