"""Rule 3, where the operator has pinned a responder's key: what a pin forgives, and what it does not."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kiosk_web.pki.ocsp import OcspResponderPolicy, ResponderPin
from kiosk_web.pki.status import CertificateStatus, Good, Unavailable
from tests.kiosk_web.pki.ocsp_question import BAD_DELEGATES, DELEGATE, POLICY, REQUEST, ROOT, judge, why
from tests.support.jpki import Issued, Root, build_root, issue_delegate, rsa_key
from tests.support.ocsp_answers import AnswerShape, answer


def pin(issued: Issued, *roots: Root, ocsp_signing: bool = True) -> OcspResponderPolicy:
    """A policy that believes this key for the certificates of these roots."""
    spki = issued.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key_ids = frozenset(root.anchor.key_id for root in roots)
    return replace(POLICY, pins=(ResponderPin(hashlib.sha256(spki).digest(), key_ids, ocsp_signing),))


def say_pinned(delegate: Issued, policy: OcspResponderPolicy, **shape: object) -> CertificateStatus:
    return judge(answer(REQUEST, ROOT, delegate, AnswerShape(**shape)), policy)  # type: ignore[arg-type]


PINNED = {
    name: BAD_DELEGATES[name][0]
    for name in ("of another generation", "of another authority", "signed by itself", "without nocheck", "that is a CA")
}


@pytest.mark.parametrize("delegate", PINNED.values(), ids=PINNED.keys())
def test_a_pinned_key_may_sign_and_the_evidence_says_that_it_was_pinned(delegate: Issued) -> None:
    policy = pin(delegate, ROOT)
    status = say_pinned(delegate, policy)
    assert isinstance(status, Good)
    assert status.evidence.signer == f"pinned:{policy.pins[0].key_sha256.hex()[:16]}"
    assert isinstance(say_pinned(delegate, policy, by_name=True), Good)


def test_a_pin_is_of_one_key_for_the_issuers_it_names() -> None:
    delegate = PINNED["of another generation"]
    assert isinstance(say_pinned(delegate, pin(delegate, build_root(2019))), Unavailable)
    other = issue_delegate(build_root(2019), key=rsa_key("another delegate"))
    assert why(say_pinned(delegate, pin(other, ROOT))) == "Unavailable: delegate_of_another_issuer"


def test_a_pin_changes_nothing_for_a_delegate_that_the_rules_accept() -> None:
    status = say_pinned(DELEGATE, pin(DELEGATE, ROOT))
    assert isinstance(status, Good)
    assert status.evidence.signer.startswith("delegate:")


@pytest.mark.parametrize(
    ("delegate", "word"),
    [BAD_DELEGATES[name] for name in ("expired", "not yet valid", "with an unknown critical extension")],
)
def test_a_pin_forgives_neither_the_validity_nor_an_unknown_critical_extension(delegate: Issued, word: str) -> None:
    assert why(say_pinned(delegate, pin(delegate, ROOT))) == f"Unavailable: {word}"


def test_a_pin_forgives_a_missing_purpose_only_where_it_says_so() -> None:
    delegate = BAD_DELEGATES["without OCSPSigning"][0]
    assert why(say_pinned(delegate, pin(delegate, ROOT))) == "Unavailable: delegate_not_for_ocsp"
    assert isinstance(say_pinned(delegate, pin(delegate, ROOT, ocsp_signing=False)), Good)


def test_a_pinned_key_must_still_have_signed_with_a_listed_algorithm() -> None:
    delegate = PINNED["without nocheck"]
    policy = pin(delegate, ROOT)
    response = bytearray(answer(REQUEST, ROOT, delegate))
    response[response.rindex(delegate.der) - 40] ^= 1
    assert why(judge(bytes(response), policy)) == "Unavailable: signature_invalid"
    assert why(say_pinned(delegate, policy, algorithm=hashes.SHA512())) == "Unavailable: algorithm_refused"
    weak = issue_delegate(ROOT, key=rsa_key("weak delegate", 1024), nocheck=False)
    assert why(say_pinned(weak, pin(weak, ROOT))) == "Unavailable: algorithm_refused"
