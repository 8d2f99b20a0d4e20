"""The lists of `cryptography_vectors`: as they are, and with each one's content signed anew by an issuer of ours.

Nobody has the keys of their issuers. As they are, their signer is unknown, or they are no lists at all; signed anew
(under another issuer's name and without a key identifier) everything else in them is judged as well.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cryptography_vectors
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from kiosk_web.pki.anchors import build_issuer
from kiosk_web.pki.certificates import parse_certificate
from kiosk_web.pki.crl import MalformedCrl, read_crl
from kiosk_web.pki.crl_trust import CrlPolicy, RefusedCrl, TrustedCrl, judge_crl
from kiosk_web.pki.trust import TrustStore
from kiosk_web.verify.judgement import begin, conclude
from kiosk_web.verify.question import ANY_AGE, Authorities, GivenFile, Question
from tests.support.der import BIT_STRING, EXPLICIT_0, SEQUENCE, content, split, tlv
from tests.support.jpki import build_root, issue

FOLDER = Path(cryptography_vectors.__file__).parent / "x509/custom"
ROOT = build_root(2015)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
CERTIFICATE = issue(ROOT, serial=1, not_before=LONG_AGO, not_after=ROOT.certificate.not_valid_after_utc)
RSA_SHA256 = bytes.fromhex("300d06092a864886f70d01010b0500")
AUTHORITY_KEY_IDENTIFIER = bytes.fromhex("0603551d23")

EXPECTED = {
    "crl_all_reasons.pem": ("issuer_name", "unavailable: entry_serial"),
    "crl_almost_10k.pem": ("issuer_name", "revoked: None"),
    "crl_bad_version.pem": ("malformed", "unavailable: malformed"),
    "crl_delta_crl_indicator.pem": ("issuer_name", "unavailable: delta"),
    "crl_dup_entry_ext.pem": ("issuer_name", "unavailable: entry_malformed"),
    "crl_empty.pem": ("issuer_name", "good: None"),
    "crl_empty_no_sequence.der": ("issuer_name", "good: None"),
    "crl_ian_aia_aki.pem": ("issuer_unknown", "good: None"),
    "crl_idp_fullname_indirect_crl.pem": ("issuer_name", "unavailable: indirect"),
    "crl_idp_fullname_only.pem": ("issuer_name", "unavailable: no_list"),
    "crl_idp_fullname_only_aa.pem": ("issuer_name", "unavailable: attribute_certificates"),
    "crl_idp_fullname_only_user.pem": ("issuer_name", "unavailable: no_list"),
    "crl_idp_only_ca.pem": ("issuer_name", "unavailable: no_list"),
    "crl_idp_reasons_only.pem": ("issuer_name", "unavailable: some_reasons"),
    "crl_idp_relative_user_all_reasons.pem": ("issuer_name", "unavailable: some_reasons"),
    "crl_idp_relativename_only.pem": ("issuer_name", "unavailable: no_list"),
    "crl_inner_outer_mismatch.der": ("issuer_name", "good: None"),
    "crl_inval_cert_issuer_entry_ext.pem": ("issuer_name", "unavailable: entry_certificate_issuer"),
    "crl_inval_date_fractional_seconds.der": ("issuer_name", "unavailable: no_next_update"),
    "crl_invalid_time.der": ("malformed", "unavailable: malformed"),
    "crl_issuer_invalid_printable_string.der": ("issuer_name", "good: None"),
    "crl_md2_unknown_crit_entry_ext.pem": ("issuer_name", "unavailable: entry_critical_extension"),
    "crl_no_next_update.pem": ("issuer_name", "unavailable: no_next_update"),
    "crl_unrecognized_extension.der": ("issuer_name", "good: None"),
    "crl_unsupported_reason.pem": ("issuer_name", "unavailable: entry_malformed"),
    "invalid_signature_crl.pem": ("issuer_name", "good: None"),
    "valid_signature_crl.pem": ("issuer_name", "good: None"),
}
"""What the file itself is refused with, and what a certificate with serial number 1 is told by its content."""


def load(name: str) -> bytes:
    data = (FOLDER / name).read_bytes()
    if b"-----BEGIN" not in data:
        return data
    return base64.b64decode(b"".join(line for line in data.splitlines() if line and not line.startswith(b"-----")))


def judge(data: bytes, now: datetime) -> str:
    """Outcome and reason for our certificate, with this one list."""
    question = Question(
        certificate=GivenFile(CERTIFICATE.der, "certificate"),
        profile="any",
        authorities=Authorities(issuers=(parse_certificate(ROOT.der),)),
        policy="crl",
        crls=(GivenFile(data, "list"),),
    )
    verification = conclude(question, begin(question, now, bytes(32)), None, now)
    return f"{verification.outcome}: {verification.reason}"


def sign_anew(data: bytes) -> bytes:
    """The same list by our issuer: its name, no key identifier, one algorithm, its signature."""
    body, *_ = split(content(data))
    parts = split(content(body))
    first = 0 if parts[0][0] == SEQUENCE else 1
    parts[first] = RSA_SHA256
    parts[first + 1] = ROOT.name.public_bytes()
    if parts[-1][0] == EXPLICIT_0:
        kept = [one for one in split(content(content(parts[-1]))) if AUTHORITY_KEY_IDENTIFIER not in one[:16]]
        parts[-1:] = [tlv(EXPLICIT_0, tlv(SEQUENCE, b"".join(kept)))] if kept else []
    body = tlv(SEQUENCE, b"".join(parts))
    assert isinstance(ROOT.key, rsa.RSAPrivateKey)
    signature = ROOT.key.sign(body, padding.PKCS1v15(), hashes.SHA256())
    return tlv(SEQUENCE, body + RSA_SHA256 + tlv(BIT_STRING, b"\0" + signature))


def choose_moment(data: bytes) -> datetime:
    """An hour after the list was made, and not before our issuer was."""
    try:
        begin = read_crl(data).this_update
    except MalformedCrl:
        begin = LONG_AGO
    return max(begin, ROOT.certificate.not_valid_before_utc) + timedelta(hours=1)


def test_every_list_is_in_the_table() -> None:
    files = {path.name for path in FOLDER.glob("*crl*") if b"CERTIFICATE--" not in path.read_bytes()}
    assert files == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_as_it_is_no_list_is_believed(name: str) -> None:
    data = load(name)
    assert judge(data, choose_moment(data)) == f"unavailable: {EXPECTED[name][0]}"


@pytest.mark.parametrize("name", EXPECTED)
def test_signed_anew_its_content_is_judged(name: str) -> None:
    data = sign_anew(load(name))
    assert judge(data, choose_moment(data)) == EXPECTED[name][1]


@pytest.mark.parametrize("word", ["valid", "invalid"])
def test_the_two_whose_signer_is_known_are_told_apart(word: str) -> None:
    pem = (FOLDER / f"{word}_signature_cert.pem").read_bytes()
    signer = build_issuer(parse_certificate(x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)))
    crl = read_crl(load(f"{word}_signature_crl.pem"))
    policy = CrlPolicy(max_age=ANY_AGE, allow_missing_key_id=True)
    judged = judge_crl(crl, TrustStore([signer]), policy, crl.this_update + timedelta(hours=1), {})
    if word == "valid":
        assert isinstance(judged, TrustedCrl)
    else:
        assert judged == RefusedCrl("signature_invalid", "its signature was not made by the anchor it names")
