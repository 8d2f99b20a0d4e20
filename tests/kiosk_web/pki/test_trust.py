"""Trust: only a certificate of the right kind, from the right key, at the right time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from kiosk_web.pki.certificates import parse_certificate
from kiosk_web.pki.trust import (
    AnchorConflict,
    TrustedCertificate,
    TrustPolicy,
    TrustStore,
    Untrusted,
    judge_trust,
    judge_trust_of_bytes,
)
from tests.support.jpki import (
    NOW,
    SIGNATURE_POLICY,
    TEST_SIGNATURE_POLICY,
    Issued,
    build_name,
    build_root,
    ec_key,
    issue,
    rsa_key,
)

ROOT = build_root(2023)
ALL = TrustStore(
    build_root(generation, authority).anchor
    for generation in (2015, 2019, 2023)
    for authority in ("user_authentication", "digital_signature")
)
UNKNOWN_EXTENSION = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")


def judge(issued: Issued, now: datetime = NOW, policy: TrustPolicy | None = None) -> TrustedCertificate | Untrusted:
    return judge_trust(issued.parsed, ALL, policy or TrustPolicy(), now)


def refusal(issued: Issued, now: datetime = NOW) -> str:
    verdict = judge(issued, now)
    assert isinstance(verdict, Untrusted)
    return verdict.reason


def test_a_user_authentication_certificate_is_trusted() -> None:
    issued = issue(ROOT, serial=77)
    trusted = judge(issued)
    assert isinstance(trusted, TrustedCertificate)
    assert trusted.anchor.sha256 == ROOT.anchor.sha256
    assert (trusted.serial, trusted.issuer_key_id) == (77, ROOT.anchor.key_id)
    assert trusted.not_after == issued.certificate.not_valid_after_utc


@pytest.mark.parametrize("generation", [2019, 2023])
def test_the_issuer_is_found_among_generations_of_one_name(generation: int) -> None:
    trusted = judge(issue(build_root(generation)))
    assert isinstance(trusted, TrustedCertificate)
    assert trusted.anchor.generation == generation


def test_the_name_of_the_issuer_proves_nothing() -> None:
    stranger = build_root(2023, label="stranger")
    assert stranger.name == ROOT.name
    assert refusal(issue(stranger)) == "certificate_untrusted"


def test_the_key_identifier_of_an_anchor_without_its_signature_proves_nothing() -> None:
    assert refusal(issue(ROOT, signing_key=rsa_key("forger"))) == "certificate_untrusted"


def test_the_signature_of_another_generation_does_not_count() -> None:
    assert refusal(issue(ROOT, signing_key=build_root(2019).key)) == "certificate_untrusted"


def test_a_certificate_that_points_to_another_generation_than_the_one_that_signed_is_refused() -> None:
    assert refusal(issue(ROOT, authority_key_id=build_root(2019).anchor.key_id)) == "certificate_untrusted"


def test_a_certificate_without_authority_key_identifier_is_refused() -> None:
    assert refusal(issue(ROOT, authority_key_id="absent")) == "certificate_untrusted"


def test_a_certificate_under_another_issuer_name_is_refused() -> None:
    assert refusal(issue(ROOT, issuer_name=build_name("digital_signature"))) == "certificate_untrusted"


def test_a_ca_certificate_from_the_card_is_no_anchor_and_no_cardholder() -> None:
    assert refusal(Issued(ROOT.key, ROOT.certificate)) == "certificate_untrusted"


def test_a_leaf_that_acts_as_a_ca_issues_nothing() -> None:
    leaf = issue(ROOT)
    below = issue(ROOT, signing_key=leaf.key, authority_key_id=leaf.parsed.subject_key_id or b"")
    assert refusal(below) == "certificate_untrusted"


@pytest.mark.parametrize(
    ("moment", "outcome"),
    [
        (datetime(2024, 4, 5, 1, 2, 2, 999999, tzinfo=UTC), "certificate_not_yet_valid"),
        (datetime(2024, 4, 5, 1, 2, 3, tzinfo=UTC), "trusted"),
        (datetime(2029, 5, 6, 14, 59, 59, 999999, tzinfo=UTC), "trusted"),
        (datetime(2029, 5, 6, 15, 0, 0, tzinfo=UTC), "certificate_expired"),
    ],
)
def test_the_validity_is_kept_to_the_second(moment: datetime, outcome: str) -> None:
    verdict = judge(issue(ROOT), moment)
    assert (verdict.reason if isinstance(verdict, Untrusted) else "trusted") == outcome


def test_an_expired_certificate_of_an_expired_root_is_called_expired() -> None:
    begin = datetime(2016, 1, 1, tzinfo=UTC)
    old = issue(build_root(2015), not_before=begin, not_after=begin + timedelta(days=1800))
    assert refusal(old) == "certificate_expired"


def test_a_certificate_that_outlives_its_root_is_refused() -> None:
    assert refusal(issue(build_root(2015))) == "certificate_untrusted"


SIGNATURE_ROOT = build_root(2023, "digital_signature")
SIGNATURE_USAGES = ("digital_signature", "content_commitment")
WRONG_KINDS = {
    "signature certificate": issue(SIGNATURE_ROOT, policy=SIGNATURE_POLICY, usages=SIGNATURE_USAGES, extended=None),
    "signature policy": issue(ROOT, policy=SIGNATURE_POLICY),
    "test signature policy": issue(ROOT, policy=TEST_SIGNATURE_POLICY),
    "test arc": issue(ROOT, policy="1.2.392.200149.8.5.1.0.30"),
    "any policy": issue(ROOT, policy="2.5.29.32.0"),
    "no policy": issue(ROOT, policy=None),
    "user notice": issue(ROOT, qualifiers=[x509.UserNotice(None, "notice")]),
    "no keyUsage": issue(ROOT, usages=None),
    "nonRepudiation": issue(ROOT, usages=SIGNATURE_USAGES),
    "encipherment": issue(ROOT, usages=("key_encipherment",)),
    "no extendedKeyUsage": issue(ROOT, extended=None),
    "OCSP signing": issue(ROOT, extended=(ExtendedKeyUsageOID.OCSP_SIGNING,)),
    "any extendedKeyUsage": issue(ROOT, extended=(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)),
    "CA": issue(ROOT, ca=True),
}


def test_the_ca_for_signatures_issues_nobody_who_may_log_in() -> None:
    """Whatever it says of its kind: the roots of both CAs may be anchors, and each speaks for its own kind."""
    other = build_root(authority="digital_signature")
    store = TrustStore([build_root().anchor, other.anchor])
    judged = judge_trust(issue(other).parsed, store, TrustPolicy(), NOW)
    assert isinstance(judged, Untrusted)
    assert (judged.reason, judged.step) == ("certificate_wrong_kind", "trust.6.kind")


@pytest.mark.parametrize("issued", WRONG_KINDS.values(), ids=WRONG_KINDS.keys())
def test_another_kind_of_certificate_is_refused(issued: Issued) -> None:
    assert refusal(issued) == "certificate_wrong_kind"


def test_ca_false_is_as_good_as_no_basic_constraints() -> None:
    assert isinstance(judge(issue(ROOT, ca=False)), TrustedCertificate)


def test_the_test_arc_is_accepted_where_it_is_allowed_and_the_signature_one_is_not() -> None:
    policy = TrustPolicy(allow_test_arc=True)
    assert isinstance(judge(issue(ROOT, policy="1.2.392.200149.8.5.1.0.30"), policy=policy), TrustedCertificate)
    assert isinstance(judge(issue(ROOT, policy=TEST_SIGNATURE_POLICY), policy=policy), Untrusted)


def test_an_unknown_critical_extension_is_refused_and_an_uncritical_one_is_not() -> None:
    assert refusal(issue(ROOT, extra=[(UNKNOWN_EXTENSION, True)])) == "certificate_untrusted"
    assert isinstance(judge(issue(ROOT, extra=[(UNKNOWN_EXTENSION, False)])), TrustedCertificate)


@pytest.mark.parametrize(
    "issued",
    [
        issue(ROOT, key=rsa_key("short", 1024)),
        issue(ROOT, key=ec_key("small", "secp256r1")),
        issue(ROOT, algorithm=hashes.SHA384()),
        issue(ROOT, algorithm=hashes.SHA512()),
    ],
    ids=["RSA-1024", "P-256", "RSA with SHA-384", "RSA with SHA-512"],
)
def test_algorithms_off_the_list_are_refused(issued: Issued) -> None:
    assert refusal(issued) == "certificate_untrusted"


def test_the_next_card_with_p384_and_sha384_is_trusted() -> None:
    root = build_root(2023, label="next", algorithm="ec")
    issued = issue(root, key=ec_key("next card"))
    verdict = judge_trust(issued.parsed, TrustStore([root.anchor]), TrustPolicy(), NOW)
    assert isinstance(verdict, TrustedCertificate)
    narrow = TrustPolicy(algorithms=frozenset({"rsa-sha256"}))
    assert isinstance(judge_trust(issued.parsed, TrustStore([root.anchor]), narrow, NOW), Untrusted)


def test_an_empty_store_trusts_nobody() -> None:
    assert isinstance(judge_trust(issue(ROOT).parsed, TrustStore(), TrustPolicy(), NOW), Untrusted)


def test_two_keys_under_one_identifier_are_refused_when_the_store_is_built() -> None:
    honest = ROOT.anchor
    other = build_root(2019).anchor
    object.__setattr__(other, "key_id", honest.key_id)
    with pytest.raises(AnchorConflict):
        TrustStore([honest, other])


def test_an_anchor_given_twice_counts_once() -> None:
    assert TrustStore([ROOT.anchor, ROOT.anchor]).anchors[0].sha256 == ROOT.anchor.sha256
    assert len(TrustStore([ROOT.anchor, ROOT.anchor]).anchors) == 1


def test_bytes_that_are_no_certificate_are_refused_as_malformed() -> None:
    verdict = judge_trust_of_bytes(b"\x30\x03\x02\x01\x01", ALL, TrustPolicy(), NOW)
    assert isinstance(verdict, Untrusted)
    assert verdict.reason == "certificate_malformed"


def test_nothing_of_a_certificate_shows_in_its_repr() -> None:
    issued = issue(ROOT, serial=123456789)
    shown = repr(judge(issued)) + repr(issued.parsed) + str(parse_certificate(issued.der))
    assert "123456789" not in shown
    assert "TEST" not in shown


def test_no_single_changed_byte_of_a_certificate_is_trusted() -> None:
    der = issue(ROOT).der
    for position in range(len(der)):
        changed = der[:position] + bytes([der[position] ^ 0x01]) + der[position + 1 :]
        assert isinstance(judge_trust_of_bytes(changed, ALL, TrustPolicy(), NOW), Untrusted), position
