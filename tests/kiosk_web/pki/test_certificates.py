"""Parsing: one DER certificate or a named error, whatever the bytes are."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk_web.pki.certificates import MAX_CERTIFICATE, MalformedCertificate, parse_certificate
from tests.support.der import SEQUENCE, content, split, tlv
from tests.support.jpki import AUTHENTICATION_POLICY, NOW, RESPONDER, build_root, issue

ROOT = build_root()
CARD = issue(ROOT, serial=0x0102)
DER = CARD.der


def test_every_field_a_judge_needs_is_there() -> None:
    certificate = parse_certificate(DER)
    assert certificate.serial == 0x0102
    assert certificate.issuer == ROOT.name.public_bytes()
    assert certificate.spki == CARD.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert certificate.authority_key_id == ROOT.anchor.key_id
    assert certificate.key_usage == {"digital_signature"}
    assert certificate.policies == (AUTHENTICATION_POLICY,)
    assert certificate.ocsp_addresses == (RESPONDER,)
    assert not certificate.is_ca
    assert not certificate.ocsp_nocheck
    assert certificate.tbs in DER
    assert certificate.not_after.utcoffset() is not None


@pytest.mark.parametrize(
    "data",
    [b"", b"\x30", b"\x30\x80\x00\x00", b"-----BEGIN CERTIFICATE-----", DER[:-1], DER + b"\x00", DER + DER, DER[1:]],
    ids=["empty", "one byte", "indefinite", "PEM", "cut", "trailing byte", "two", "shifted"],
)
def test_what_is_not_exactly_one_certificate_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedCertificate):
        parse_certificate(data)


def test_a_certificate_longer_than_any_is_not_even_parsed() -> None:
    with pytest.raises(MalformedCertificate, match="longer"):
        parse_certificate(DER + bytes(MAX_CERTIFICATE))


def test_two_different_signature_algorithms_are_malformed() -> None:
    inner = bytes.fromhex("300d06092a864886f70d01010b0500")
    outer = DER.rindex(inner)
    assert DER.index(inner) != outer
    with pytest.raises(MalformedCertificate, match="two signature algorithms"):
        parse_certificate(DER[:outer] + inner.replace(b"\x01\x0b", b"\x01\x0c") + DER[outer + len(inner) :])


@pytest.mark.parametrize("serial", [b"\x02\x02\x81\x02", b"\x02\x02\x00\x00"])
def test_a_serial_that_is_not_positive_is_malformed(serial: bytes) -> None:
    assert DER.count(b"\x02\x02\x01\x02") == 1
    with pytest.raises(MalformedCertificate):
        parse_certificate(DER.replace(b"\x02\x02\x01\x02", serial))


def test_an_extension_given_twice_is_malformed() -> None:
    once = issue(ROOT, extra=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.99"), b"\x05\x00"), False)])
    twice = once.der.replace(bytes.fromhex("0603551d63"), bytes.fromhex("0603551d0f"))
    with pytest.raises(MalformedCertificate):
        parse_certificate(twice)


def test_a_key_of_a_kind_nobody_here_uses_is_parsed_and_left_out() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW)
    assert parse_certificate(builder.sign(key, None).public_bytes(Encoding.DER)).public_key is None


def test_the_error_repeats_nothing_of_the_bytes() -> None:
    with pytest.raises(MalformedCertificate) as caught:
        parse_certificate(DER.replace(b"TESTTEST", b"\xff\xff\xff\xff\xff\xff\xff\xff"))
    assert "TEST" not in str(caught.value)


@pytest.mark.parametrize("mask", [0xFF, 0x80, 0x20, 0x01])
def test_every_changed_byte_is_a_certificate_or_a_named_error(mask: int) -> None:
    parsed = 0
    for position in range(len(DER)):
        changed = DER[:position] + bytes([DER[position] ^ mask]) + DER[position + 1 :]
        try:
            parse_certificate(changed)
            parsed += 1
        except MalformedCertificate:
            pass
    assert 0 < parsed < len(DER)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_bytes_cut_joined_and_changed_at_will_never_break_the_parser(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(DER)))
    end = data.draw(st.integers(start, len(DER)))
    middle = data.draw(st.binary(max_size=40))
    changed = DER[:start] + middle + DER[end:]
    try:
        assert parse_certificate(changed).der == changed
    except MalformedCertificate:
        assert changed != DER


def test_a_key_for_rsassa_pss_alone_is_left_out() -> None:
    rsa_encryption, rsassa_pss = (
        bytes.fromhex("300d06092a864886f70d0101010500"),
        bytes.fromhex("300b06092a864886f70d01010a"),
    )
    tbs, algorithm, signature = split(content(DER))
    fields = split(content(tbs))
    key = fields[6]
    assert content(key).startswith(rsa_encryption)
    fields[6] = tlv(SEQUENCE, rsassa_pss + content(key)[len(rsa_encryption) :])
    changed = tlv(SEQUENCE, tlv(SEQUENCE, b"".join(fields)) + algorithm + signature)
    assert isinstance(x509.load_der_x509_certificate(changed).public_key(), rsa.RSAPublicKey)
    assert parse_certificate(changed).public_key is None


def test_unique_identifiers_which_could_hide_the_extensions_are_malformed() -> None:
    tbs, algorithm, signature = split(content(DER))
    fields = split(content(tbs))
    assert fields[-1][0] == 0xA3
    with_identifier = tlv(SEQUENCE, b"".join([*fields[:-1], tlv(0x81, b"\x00\x01"), fields[-1]]))
    changed = tlv(SEQUENCE, with_identifier + algorithm + signature)
    x509.load_der_x509_certificate(changed)
    with pytest.raises(MalformedCertificate):
        parse_certificate(changed)


@pytest.mark.parametrize(
    ("extension", "readable"),
    [
        (x509.IssuerAlternativeName([x509.DirectoryName(ROOT.name)]), True),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.18"), b"\x30\x00"), False),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.18"), b"\x30\x03\x82\x01\xff"), False),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.5.5.7.48.1.5"), b"\x05\x01\x00"), False),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.36"), b"\x30\x01"), False),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"anything"), True),
    ],
    ids=["issuerAltName", "no name", "name not ASCII", "nocheck with a value", "policyConstraints", "unknown"],
)
def test_an_extension_that_is_not_judged_must_still_be_well_formed(
    extension: x509.ExtensionType, readable: bool
) -> None:
    der = issue(ROOT, extra=[(extension, False)]).der
    if readable:
        assert parse_certificate(der).der == der
    else:
        with pytest.raises(MalformedCertificate):
            parse_certificate(der)
