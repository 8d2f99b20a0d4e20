"""Distribution points: whatever a certificate or a list says of them is read, and everything unusual kept apart."""

from __future__ import annotations

import pytest
from cryptography import x509

from kiosk_web.pki.certificates import MalformedCertificate, parse_certificate
from kiosk_web.pki.der import MalformedDer
from kiosk_web.pki.distribution_points import (
    MAX_NAMES,
    DistributionPoint,
    IssuingPoint,
    read_distribution_points,
    read_issuing_point,
)
from kiosk_web.pki.names import canonicalise_name
from tests.support.crl_writer import encode_point
from tests.support.der import SEQUENCE, tlv
from tests.support.jpki import build_municipal_name, build_name, build_root, issue

ISSUER = build_name().public_bytes()
KASUMI, HARU = build_municipal_name(), build_municipal_name("Haru-shi")
BELOW = x509.RelativeDistinguishedName([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CRL1")])
URI = x509.UniformResourceIdentifier("http://lists.invalid/a.crl")


def canonical(name: x509.Name) -> bytes:
    return canonicalise_name(name.public_bytes())


def read(*points: x509.DistributionPoint) -> tuple[DistributionPoint, ...]:
    return read_distribution_points(x509.CRLDistributionPoints(points).public_bytes(), ISSUER)


def full(*names: x509.GeneralName) -> x509.DistributionPoint:
    return x509.DistributionPoint(list(names), None, None, None)


def test_a_certificate_names_the_list_of_its_municipality() -> None:
    points = issue(build_root()).parsed.distribution_points
    assert points == (DistributionPoint(frozenset({canonical(KASUMI)}), plain=True),)


def test_a_certificate_without_points_has_none() -> None:
    assert issue(build_root(), points=()).parsed.distribution_points == ()


def test_a_broken_point_makes_a_certificate_malformed() -> None:
    good = issue(build_root()).der
    value = x509.CRLDistributionPoints([full(x509.DirectoryName(KASUMI))]).public_bytes()
    with pytest.raises(MalformedCertificate):
        parse_certificate(good.replace(value, value[:2] + b"\x31" + value[3:]))


def test_all_names_of_a_point_and_all_points_are_read() -> None:
    points = read(full(x509.DirectoryName(KASUMI), URI), full(x509.DirectoryName(HARU)))
    assert points == (
        DistributionPoint(frozenset({canonical(KASUMI), b"uri:http://lists.invalid/a.crl"}), plain=True),
        DistributionPoint(frozenset({canonical(HARU)}), plain=True),
    )


def test_a_name_below_the_issuer_is_read_whole() -> None:
    whole = x509.Name([*build_name(), *BELOW])
    (point,) = read(x509.DistributionPoint(None, BELOW, None, None))
    assert point == DistributionPoint(frozenset({canonical(whole)}), plain=True)
    issuing = x509.IssuingDistributionPoint(None, BELOW, False, False, None, False, False).public_bytes()
    assert read_issuing_point(issuing, ISSUER).names == point.names


@pytest.mark.parametrize(
    "point",
    [
        x509.DistributionPoint([x509.DirectoryName(KASUMI)], None, frozenset({x509.ReasonFlags.key_compromise}), None),
        x509.DistributionPoint([x509.DirectoryName(KASUMI)], None, None, [x509.DirectoryName(HARU)]),
        x509.DistributionPoint([x509.DirectoryName(KASUMI)], None, None, [x509.DirectoryName(build_name())]),
        x509.DistributionPoint(None, None, None, [x509.DirectoryName(build_name())]),
    ],
)
def test_a_point_for_some_reasons_or_of_another_issuer_is_not_plain(point: x509.DistributionPoint) -> None:
    assert [found.plain for found in read(point)] == [False]


def test_names_of_other_kinds_are_kept_apart() -> None:
    text = KASUMI.rfc4514_string()
    kinds = [
        x509.DirectoryName(KASUMI),
        x509.DNSName(text),
        x509.RFC822Name(text),
        x509.UniformResourceIdentifier(text),
    ]
    (point,) = read(full(*kinds))
    assert len(point.names) == len(kinds)
    assert sorted(name[:1] for name in point.names) == [b"0", b"u", b"\x81", b"\x82"]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({}, IssuingPoint(frozenset({canonical(KASUMI)}))),
        ({"only_contains_user_certs": True}, IssuingPoint(frozenset({canonical(KASUMI)}), only_user=True)),
        ({"only_contains_ca_certs": True}, IssuingPoint(frozenset({canonical(KASUMI)}), only_ca=True)),
        ({"only_contains_attribute_certs": True}, IssuingPoint(frozenset({canonical(KASUMI)}), only_attribute=True)),
        ({"indirect_crl": True}, IssuingPoint(frozenset({canonical(KASUMI)}), indirect=True)),
    ],
)
def test_a_list_says_what_it_is_about(flags: dict[str, bool], expected: IssuingPoint) -> None:
    assert read_issuing_point(encode_point([x509.DirectoryName(KASUMI)], **flags), ISSUER) == expected


def test_a_list_without_a_name_is_about_the_whole_ca() -> None:
    found = read_issuing_point(encode_point(only_contains_user_certs=True), ISSUER)
    assert found == IssuingPoint(only_user=True)
    assert [IssuingPoint().covers, found.covers, IssuingPoint(only_ca=True).covers] == ["all", "user", "ca"]


def test_a_list_for_some_reasons_says_so() -> None:
    reasons = frozenset({x509.ReasonFlags.key_compromise})
    value = x509.IssuingDistributionPoint(
        [x509.DirectoryName(KASUMI)], None, False, False, reasons, False, False
    ).public_bytes()
    assert read_issuing_point(value, ISSUER).some_reasons


NAME = tlv(0xA0, tlv(0xA0, tlv(0x86, b"http://a")))


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        tlv(SEQUENCE, NAME) + b"\0",
        tlv(0x31, NAME),
        tlv(SEQUENCE, tlv(0xA0, b"")),
        tlv(SEQUENCE, tlv(0xA0, tlv(0xA0, b""))),
        tlv(SEQUENCE, tlv(0xA0, tlv(0xA0, tlv(0x30, b"")))),
        tlv(SEQUENCE, tlv(0xA0, tlv(0xA0, tlv(0x86, b"a") * (MAX_NAMES + 1)))),
        tlv(SEQUENCE, tlv(0xA0, tlv(0xA2, tlv(0x86, b"a")))),
        tlv(SEQUENCE, NAME + NAME),
        tlv(SEQUENCE, tlv(0x81, b"\xff") + NAME),
        tlv(SEQUENCE, tlv(0x81, b"\x00")),
        tlv(SEQUENCE, tlv(0x81, b"\x01")),
        tlv(SEQUENCE, tlv(0x81, b"\xff") + tlv(0x82, b"\xff")),
        tlv(SEQUENCE, tlv(0x86, b"\xff")),
    ],
)
def test_what_is_no_issuing_point_is_refused(broken: bytes) -> None:
    with pytest.raises(MalformedDer):
        read_issuing_point(broken, ISSUER)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        tlv(SEQUENCE, b""),
        tlv(SEQUENCE, tlv(SEQUENCE, b"")),
        tlv(SEQUENCE, NAME),
        tlv(SEQUENCE, tlv(SEQUENCE, tlv(0x81, b"\0\x80"))),
    ],
)
def test_what_is_no_distribution_point_is_refused(broken: bytes) -> None:
    with pytest.raises(MalformedDer):
        read_distribution_points(broken, ISSUER)
