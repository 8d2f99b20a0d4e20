"""Certificates: bytes as a card could send them, and bytes signed by the CA itself, so that no signature stops them."""

from __future__ import annotations

from datetime import UTC
from functools import cache

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from kiosk_web.pki.certificates import MalformedCertificate, UnverifiedCertificate, parse_certificate
from kiosk_web.pki.names import canonicalise_name
from kiosk_web.pki.trust import TrustedCertificate, TrustPolicy, TrustStore, Untrusted, judge_trust
from tests.fuzz.target import Target
from tests.support.der import SEQUENCE, content, split, tlv
from tests.support.generated_case import ROOTS
from tests.support.generated_chains import FIELDS, build_chain
from tests.support.jpki import AUTHENTICATION_POLICY, NOW, build_root, issue_delegate
from tests.support.signed_der import build_signed, choose_algorithm

ROOT = build_root(2023)
STORE = TrustStore(root.anchor for root in ROOTS.values())
ALGORITHM = choose_algorithm(ROOT.key)


@cache
def build_certificates() -> tuple[bytes, ...]:
    """A certificate of each single deviation, and one of a responder; none with bytes around it."""
    around = ("a byte after", "length not minimal")
    cases = [{field: value} for field, values in FIELDS.items() if field != "moment" for value in values]
    ders = [build_chain(case).der for case in cases if case.get("encoding") not in around]
    return (*ders, issue_delegate(ROOT).der)


@cache
def find_signed() -> frozenset[bytes]:
    """What a root has signed."""
    return frozenset(split(content(der))[0] for der in build_certificates())


def read(data: bytes) -> UnverifiedCertificate | None:
    """Parse, and hold every field against the other library's."""
    try:
        ours = parse_certificate(data)
    except MalformedCertificate:
        return None
    theirs = x509.load_der_x509_certificate(data)
    assert ours.der == data
    assert ours.serial == theirs.serial_number
    assert ours.tbs == theirs.tbs_certificate_bytes
    assert ours.signature == theirs.signature
    assert ours.signature_oid == theirs.signature_algorithm_oid.dotted_string
    assert (ours.not_before, ours.not_after) == (theirs.not_valid_before_utc, theirs.not_valid_after_utc)
    assert ours.not_before.tzinfo is UTC
    return ours


def judge_any(data: bytes) -> None:
    """Whatever the bytes: a named error or a judgement, and trust only for what a root has signed."""
    certificate = read(data)
    if certificate is None:
        return
    judgement = judge_trust(certificate, STORE, TrustPolicy(), NOW)
    assert isinstance(judgement, TrustedCertificate | Untrusted)
    if isinstance(judgement, TrustedCertificate):
        assert certificate.tbs in find_signed()


def judge_signed_by_root(data: bytes) -> None:
    """Any signed part, rightly signed: who is trusted is what the profile says, read by the other library."""
    der = build_signed(tlv(SEQUENCE, data), ROOT.key, ALGORITHM)
    certificate = read(der)
    if certificate is None:
        return
    if isinstance(judge_trust(certificate, STORE, TrustPolicy(), NOW), TrustedCertificate):
        assert_profile(x509.load_der_x509_certificate(der))


def assert_profile(certificate: x509.Certificate) -> None:
    extensions = certificate.extensions
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert not any((usage.content_commitment, usage.key_encipherment, usage.key_cert_sign, usage.crl_sign))
    extended = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert ExtendedKeyUsageOID.CLIENT_AUTH in extended
    policies = extensions.get_extension_for_class(x509.CertificatePolicies).value
    assert {policy.policy_identifier.dotted_string for policy in policies} == {AUTHENTICATION_POLICY}
    for extension in extensions:
        if isinstance(extension.value, x509.BasicConstraints):
            assert not extension.value.ca
        if isinstance(extension.value, x509.AuthorityKeyIdentifier):
            assert extension.value.key_identifier == ROOT.anchor.key_id
    assert canonicalise_name(certificate.issuer.public_bytes()) == ROOT.anchor.canonical_name
    assert certificate.not_valid_before_utc <= NOW <= certificate.not_valid_after_utc


TARGETS = (
    Target("certificate", judge_any, build_certificates),
    Target("signed_certificate", judge_signed_by_root, lambda: map(content, find_signed())),
)
