"""Certificates of every shape that `cryptography` builds, likely or not, drawn from a seeded generator."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from random import Random
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import AuthorityInformationAccessOID

from tests.support.jpki import ec_key, rsa_key

T = TypeVar("T")

_SIGNER = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
_KEYS = (rsa_key("card").public_key(), ec_key("next card").public_key(), ec_key("small", "secp256r1").public_key())
_OIDS = tuple(
    map(
        x509.ObjectIdentifier,
        ("1.2.3.4.5", "2.5.29.32.0", "1.2.392.200149.8.5.1.3.30", "1.3.6.1.5.5.7.3.2", "2.999.4294967295", "0.39.128"),
    )
)
_ATTRIBUTES = tuple(map(x509.ObjectIdentifier, ("2.5.4.3", "2.5.4.10", "2.5.4.11", "2.5.4.7", "1.2.3.4")))
_TEXTS = {
    _ASN1Type.UTF8String: "公的個人認証 Ünïcødé 𠮷",
    _ASN1Type.BMPString: "公的 Ü x",
    _ASN1Type.UniversalString: "公的 𠮷",
    _ASN1Type.PrintableString: "ABCxyz019 '()+,-./:=?",
    _ASN1Type.IA5String: "abc@example_!*",
    _ASN1Type.T61String: "abc",
    _ASN1Type.VisibleString: "abc~",
    _ASN1Type.NumericString: "019 ",
}
_EPOCH = datetime(1951, 1, 1, tzinfo=UTC)
_DAYS = 150 * 365


def build_any_certificate(random: Random) -> bytes:
    """The DER of one. Its signature is Ed25519, which is quick and says nothing here."""
    begin, end = sorted(_EPOCH + timedelta(seconds=random.randrange(_DAYS * 86_400)) for _ in range(2))
    builder = (
        x509.CertificateBuilder()
        .issuer_name(_name(random))
        .subject_name(_name(random))
        .public_key(random.choice(_KEYS))
        .serial_number(random.randint(1, 2 ** random.randint(1, 159)))
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    for build in random.sample(_EXTENSIONS, random.randint(0, len(_EXTENSIONS))):
        builder = builder.add_extension(build(random), critical=random.random() < 0.3)
    return builder.sign(_SIGNER, None).public_bytes(Encoding.DER)


def _some(random: Random, build: Callable[[Random], T], most: int = 3, least: int = 1) -> list[T]:
    return [build(random) for _ in range(random.randint(least, most))]


def _maybe(random: Random, build: Callable[[Random], T]) -> T | None:
    return build(random) if random.random() < 0.5 else None


def _text(random: Random, letters: str) -> str:
    return "".join(random.choices(letters, k=random.choice((1, 5, 12))))


def _oid(random: Random) -> x509.ObjectIdentifier:
    return random.choice(_OIDS)


def _address(random: Random) -> str:
    return _text(random, "abc:/.-%?&=~")


def _attribute(random: Random, kind: x509.ObjectIdentifier) -> x509.NameAttribute[str]:
    form = random.choice(tuple(_TEXTS))
    return x509.NameAttribute(kind, _text(random, _TEXTS[form]), form)


def _relative_name(random: Random) -> x509.RelativeDistinguishedName:
    kinds = random.sample(_ATTRIBUTES, random.choice((1, 1, 1, 2, 3)))
    return x509.RelativeDistinguishedName(_attribute(random, kind) for kind in kinds)


def _name(random: Random) -> x509.Name:
    return x509.Name(_some(random, _relative_name, 5, 0))


_GENERAL_NAMES: tuple[Callable[[Random], x509.GeneralName], ...] = (
    lambda random: x509.DirectoryName(_name(random)),
    lambda random: x509.UniformResourceIdentifier(_address(random)),
    lambda random: x509.DNSName(_address(random)),
    lambda random: x509.RFC822Name("someone@example.invalid"),
    lambda random: x509.RegisteredID(_oid(random)),
    lambda random: x509.IPAddress(ip_address(random.choice(("192.0.2.1", "2001:db8::1")))),
    lambda random: x509.OtherName(_oid(random), random.choice((b"\x0c\x01x", b"\x30\x00"))),
)


def _general_name(random: Random) -> x509.GeneralName:
    return random.choice(_GENERAL_NAMES)(random)


def _general_names(random: Random) -> list[x509.GeneralName]:
    return _some(random, _general_name)


def _point(random: Random) -> x509.DistributionPoint:
    reasons = _maybe(random, lambda _: frozenset({x509.ReasonFlags.key_compromise}))
    match random.randrange(3):
        case 0:
            return x509.DistributionPoint(_general_names(random), None, reasons, _maybe(random, _general_names))
        case 1:
            return x509.DistributionPoint(None, _relative_name(random), reasons, None)
        case _:
            return x509.DistributionPoint(None, None, reasons, _general_names(random))


def _qualifier(random: Random) -> str | x509.UserNotice:
    if random.random() < 0.7:
        return _address(random)
    reference = _maybe(random, lambda _: x509.NoticeReference("organisation", [1, 2]))
    return x509.UserNotice(reference, _maybe(random, lambda _: "公的"))


def _policy(random: Random) -> x509.PolicyInformation:
    return x509.PolicyInformation(_oid(random), _maybe(random, lambda _: _some(random, _qualifier, 2)))


def _key_usage(random: Random) -> x509.KeyUsage:
    bits = [random.random() < 0.4 for _ in range(9)]
    return x509.KeyUsage(*bits[:7], bits[4] and bits[7], bits[4] and bits[8])


def _authority_key_identifier(random: Random) -> x509.AuthorityKeyIdentifier:
    key_id = _maybe(random, lambda _: random.randbytes(20))
    if random.random() < 0.5:
        return x509.AuthorityKeyIdentifier(key_id, None, None)
    return x509.AuthorityKeyIdentifier(key_id, _general_names(random), random.randint(1, 2**160))


def _access(random: Random) -> x509.AccessDescription:
    method = random.choice((AuthorityInformationAccessOID.OCSP, _oid(random)))
    return x509.AccessDescription(method, _general_name(random))


_EXTENSIONS: tuple[Callable[[Random], x509.ExtensionType], ...] = (
    lambda random: x509.BasicConstraints(*random.choice(((False, None), (True, None), (True, 0), (True, 300)))),
    _key_usage,
    lambda random: x509.ExtendedKeyUsage(random.sample(_OIDS, random.randint(1, 3))),
    lambda random: x509.CertificatePolicies(_some(random, _policy)),
    _authority_key_identifier,
    lambda random: x509.SubjectKeyIdentifier(random.randbytes(random.choice((0, 20, 140)))),
    lambda random: x509.AuthorityInformationAccess(_some(random, _access)),
    lambda random: x509.CRLDistributionPoints(_some(random, _point)),
    lambda random: x509.FreshestCRL(_some(random, _point)),
    lambda random: x509.SubjectAlternativeName(_general_names(random)),
    lambda random: x509.IssuerAlternativeName(_general_names(random)),
    lambda random: x509.OCSPNoCheck(),
    lambda random: x509.PolicyConstraints(0, 1),
    lambda random: x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), random.randbytes(3)),
)
