"""Algorithms: the two on the list from the root to the result, every other refused and called by its name."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Literal

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding

from kiosk_web.pki.algorithms import AlgorithmName
from kiosk_web.pki.fallback import FallbackState
from kiosk_web.pki.ocsp import OcspResponderPolicy, build_ocsp_request, judge_ocsp_response
from kiosk_web.pki.signature import judge_pin_proof
from kiosk_web.pki.status import Good, Unavailable
from kiosk_web.pki.status_policy import StatusContext, StatusPolicy
from kiosk_web.pki.trust import TrustedCertificate, TrustPolicy, TrustStore, Untrusted, judge_trust_of_bytes
from kiosk_web.pki.verdict import VerdictPolicy, judge_verdict
from tests.support.der import SEQUENCE, content, split, tlv
from tests.support.jpki import NOW, Issued, Root, build_root, ec_key, issue, issue_delegate, rsa_key
from tests.support.ocsp_answers import answer
from tests.support.signed_der import EC_ALGORITHMS, RSA_ALGORITHMS, build_signed

Kind = Literal["rsa", "ec"]
POLICY = OcspResponderPolicy(url="http://127.0.0.1/ocsp")
VERDICT = VerdictPolicy(StatusContext(StatusPolicy("ocsp"), "pin", "identify"), FallbackState())
NONCE = bytes(range(32))
MESSAGE = b"what the card signs"


def build_hierarchy(kind: Kind) -> tuple[Root, Issued, Issued]:
    """A root, a card and a responder whose keys are all of one kind."""
    root = build_root(label=f"all {kind}", algorithm=kind)
    card_key, responder_key = (
        (ec_key("next card"), ec_key("next responder")) if kind == "ec" else (rsa_key("card"), rsa_key("delegate"))
    )
    return root, issue(root, key=card_key), issue_delegate(root, key=responder_key)


def sign_as_card(card: Issued) -> bytes:
    if isinstance(card.key, ec.EllipticCurvePrivateKey):
        return card.key.sign(MESSAGE, ec.ECDSA(hashes.SHA384()))
    return card.key.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())


def judge_trust(der: bytes, root: Root, policy: TrustPolicy | None = None) -> TrustedCertificate | Untrusted:
    return judge_trust_of_bytes(der, TrustStore([root.anchor]), policy or TrustPolicy(), NOW)


@pytest.mark.parametrize("signed_by", ["delegate", "issuer"])
@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_a_hierarchy_of_one_kind_works_from_the_root_to_the_verdict(kind: Kind, signed_by: str) -> None:
    root, card, responder = build_hierarchy(kind)
    trusted = judge_trust(card.der, root)
    assert isinstance(trusted, TrustedCertificate)
    request = build_ocsp_request(trusted, NONCE, POLICY)
    response = answer(request, root, responder if signed_by == "delegate" else root)
    status = judge_ocsp_response(trusted, request, response, POLICY, NOW, None)
    assert isinstance(status, Good)
    expected = f"delegate:{hashlib.sha256(responder.der).hexdigest()[:16]}" if signed_by == "delegate" else "issuer"
    assert status.evidence.signer == expected
    proof = judge_pin_proof(trusted, MESSAGE, sign_as_card(card))
    assert judge_verdict(trusted, status, proof, VERDICT, NOW).accepted


@pytest.mark.parametrize(("kind", "other"), [("rsa", "ecdsa-p384-sha384"), ("ec", "rsa-sha256")])
def test_where_only_the_other_algorithm_is_allowed_nothing_of_a_hierarchy_counts(
    kind: Kind, other: AlgorithmName
) -> None:
    root, card, responder = build_hierarchy(kind)
    refused = judge_trust(card.der, root, TrustPolicy(algorithms=frozenset({other})))
    assert isinstance(refused, Untrusted)
    assert "not allowed here" in refused.detail
    trusted = judge_trust(card.der, root)
    assert isinstance(trusted, TrustedCertificate)
    request = build_ocsp_request(trusted, NONCE, POLICY)
    policy = replace(POLICY, algorithms=frozenset({other}))
    status = judge_ocsp_response(trusted, request, answer(request, root), policy, NOW, None)
    assert isinstance(status, Unavailable)
    assert status.why == "algorithm_refused"
    status = judge_ocsp_response(trusted, request, answer(request, root, responder), policy, NOW, None)
    assert isinstance(status, Unavailable)
    assert status.why == "delegate_of_another_issuer"


REFUSED = {
    ("rsa", "SHA-1"): "RSA with SHA-1",
    ("rsa", "MD5"): "RSA with MD5",
    ("rsa", "SHA-384"): "RSA with SHA-384",
    ("rsa", "SHA-512"): "RSA with SHA-512",
    ("rsa", "PSS"): "RSASSA-PSS",
    ("ec", "SHA-1"): "ECDSA with SHA-1",
    ("ec", "SHA-256"): "ECDSA with SHA-256",
}


def sign_again(der: bytes, root: Root, kind: str, algorithm: str) -> bytes:
    """The same certificate, rightly signed by its root in another way, which it announces inside as well."""
    usual = (RSA_ALGORITHMS["SHA-256"] if kind == "rsa" else EC_ALGORITHMS["SHA-384"]).identifier
    chosen = (RSA_ALGORITHMS if kind == "rsa" else EC_ALGORITHMS)[algorithm]
    fields = split(content(split(content(der))[0]))
    assert fields[2] == usual
    fields[2] = chosen.identifier
    return build_signed(tlv(SEQUENCE, b"".join(fields)), root.key, chosen)


@pytest.mark.parametrize(("case", "name"), REFUSED.items(), ids=[" ".join(case) for case in REFUSED])
def test_every_other_algorithm_is_refused_by_its_name(case: tuple[Kind, str], name: str) -> None:
    root, card, _ = build_hierarchy(case[0])
    refused = judge_trust(sign_again(card.der, root, *case), root)
    assert isinstance(refused, Untrusted)
    assert refused.step == "trust.4.signature"
    assert refused.detail == f"its signature algorithm, {name}, is not on the list"


def test_an_algorithm_without_a_name_here_is_refused_by_its_identifier() -> None:
    root, card, _ = build_hierarchy("rsa")
    refused = judge_trust(card.der.replace(b"\x01\x01\x0b\x05\x00", b"\x01\x01\x63\x05\x00"), root)
    assert isinstance(refused, Untrusted)
    assert refused.detail == "its signature algorithm, 1.2.840.113549.1.1.99, is not on the list"
