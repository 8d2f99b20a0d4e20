"""The product's reader of certificates against `cryptography`'s: the same fields from every certificate that can be
built, and nothing accepted that the other one cannot read, whatever single byte is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_address
from random import Random

import pytest
from cryptography import x509

from kiosk_web.pki.certificates import MalformedCertificate, parse_certificate
from tests.support.any_certificate import build_any_certificate
from tests.support.jpki import build_name, build_root, ec_key, issue, issue_delegate
from tests.support.x509_reader import describe, read_with_cryptography


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.long) for part in (1, 2, 3))])
def test_both_read_the_same_from_every_certificate(part: int) -> None:
    random = Random(part)
    for _ in range(1000):
        der = build_any_certificate(random)
        assert describe(parse_certificate(der)) == read_with_cryptography(der), der.hex()


JPKI_SHAPED = issue(
    build_root(),
    extra=[
        (
            x509.IssuerAlternativeName([x509.DirectoryName(build_name(organisation="公的個人認証サービス"))]),
            False,
        )
    ],
).der
RICH = issue_delegate(
    build_root(algorithm="ec", label="rich"),
    key=ec_key("rich"),
    ca=False,
    extra=[
        (
            x509.SubjectAlternativeName(
                [
                    x509.DNSName("a.invalid"),
                    x509.IPAddress(ip_address("192.0.2.1")),
                    x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x0c\x01x"),
                    x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
                ]
            ),
            False,
        ),
        (
            x509.CertificatePolicies(
                [x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), ["http://a", x509.UserNotice(None, "b")])]
            ),
            False,
        ),
        (
            x509.CRLDistributionPoints(
                [
                    x509.DistributionPoint(
                        None,
                        x509.RelativeDistinguishedName([x509.NameAttribute(x509.NameOID.COMMON_NAME, "list")]),
                        frozenset({x509.ReasonFlags.key_compromise}),
                        None,
                    ),
                ]
            ),
            False,
        ),
        (x509.NameConstraints([x509.DNSName("a.invalid")], None), False),
    ],
).der


def judge_changed(der: bytes, position: int, octet: int) -> bool:
    """Is the certificate with this byte at this position accepted? Then the other reader says the same of it."""
    changed = der[:position] + bytes([octet]) + der[position + 1 :]
    try:
        certificate = parse_certificate(changed)
    except MalformedCertificate:
        return False
    expected = read_with_cryptography(changed)
    found = describe(certificate)
    if found["public_key"] is None:  # a key of a kind that is not taken out
        expected["public_key"] = None
    assert found == expected, (position, octet)
    return True


def flip_each_bit(octet: int) -> list[int]:
    return [octet ^ 1 << bit for bit in range(8)]


def count_accepted(der: bytes, positions: Iterable[int], change: Callable[[int], list[int]]) -> tuple[int, int]:
    judged = [judge_changed(der, position, octet) for position in positions for octet in change(der[position])]
    return sum(judged), len(judged)


@pytest.mark.long
@pytest.mark.parametrize("part", range(4))
def test_every_change_of_one_byte_is_refused_or_read_alike(part: int) -> None:
    """Every other value of every octet; of those of key and signature, which nobody reads, eight."""
    certificate = parse_certificate(JPKI_SHAPED)
    key = JPKI_SHAPED.index(certificate.spki)
    opaque = {
        *range(key + 40, key + len(certificate.spki) - 10),
        *range(len(JPKI_SHAPED) - len(certificate.signature), len(JPKI_SHAPED)),
    }
    read = sorted(set(range(len(JPKI_SHAPED))) - opaque)
    accepted, judged = count_accepted(
        JPKI_SHAPED, read[part::4], lambda octet: [other for other in range(256) if other != octet]
    )
    assert judged > 50_000
    assert judged // 10 < accepted < judged
    accepted, judged = count_accepted(JPKI_SHAPED, sorted(opaque)[part::4], flip_each_bit)
    assert accepted > judged * 9 // 10


@pytest.mark.long
def test_every_changed_bit_of_a_rich_certificate_is_refused_or_read_alike() -> None:
    accepted, judged = count_accepted(RICH, range(len(RICH)), flip_each_bit)
    assert judged // 10 < accepted < judged


@pytest.mark.parametrize("name", ["one", "another"])
def test_a_point_in_the_forbidden_hybrid_form_is_refused(name: str) -> None:
    """06 or 07 in place of 04, which of them depends on the key, and both coordinates: `cryptography` reads it."""
    der = issue(build_root(), key=ec_key(name)).der
    at = der.index(parse_certificate(der).spki) + len(parse_certificate(der).spki) - 97
    assert der[at] == 4
    for first in (6, 7):
        with pytest.raises(MalformedCertificate):
            parse_certificate(der[:at] + bytes([first]) + der[at + 1 :])
