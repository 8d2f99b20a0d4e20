"""The certification authorities of the virtual JPKI: one `Authority` is one generation of one CA, with its key.

The shape of every certificate follows pki.md 1.1 to 1.3: extension by extension, string type by string type. All
generations of a CA have the same name; only key and key identifier tell them apart.
"""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from kiosk_web.simulator.lifetimes import Lifetime, end_of_day, era_birth
from kiosk_web.simulator.names import (
    CPS_URL,
    OCSP_URLS,
    Arc,
    Kind,
    authority_name,
    authority_name_ja,
    distribution_point_name,
    holder_name,
    policy_identifier,
    responder_name,
)
from kiosk_web.simulator.people import Municipality, Person

_SERIAL_FLOOR = 0x0100_0000
_SERIAL_SPAN = 0x7F00_0000 - _SERIAL_FLOOR
_CN_ALPHABET = string.digits + string.ascii_uppercase


@dataclass(frozen=True, slots=True)
class Authority:
    """One generation of one CA. `id` is like the published file names: `authca03`, `signca01`."""

    id: str
    kind: Kind
    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @property
    def lifetime(self) -> Lifetime:
        """Validity of the CA certificate."""
        return Lifetime(self.certificate.not_valid_before_utc, self.certificate.not_valid_after_utc)

    @property
    def key_id(self) -> bytes:
        """Subject key identifier (SHA-1 of the public key, RFC 5280 4.2.1.2 method 1)."""
        return x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()).digest


def draw_serial() -> int:
    """A serial of exactly four octets, positive."""
    return _SERIAL_FLOOR + secrets.randbelow(_SERIAL_SPAN)


def draw_common_name(municipality: Municipality) -> str:
    """23 characters: 14 of `[0-9A-Z]`, the municipality code, and `003A`."""
    return "".join(secrets.choice(_CN_ALPHABET) for _ in range(14)) + municipality.code + "003A"


def issue_root(kind: Kind, generation: int, key: rsa.RSAPrivateKey, lifetime: Lifetime) -> x509.Certificate:
    """A self-signed CA certificate; basicConstraints has no path length, and there is no AKI, AIA or policy."""
    name = authority_name(kind)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1 if generation == 1 else draw_serial())
        .not_valid_before(lifetime.not_before)
        .not_valid_after(lifetime.not_after)
        .add_extension(_key_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DirectoryName(authority_name_ja(kind))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_distribution_points(name), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def issue_authentication_certificate(
    authority: Authority,
    public_key: rsa.RSAPublicKey,
    person: Person,
    lifetime: Lifetime,
    serial: int,
    arc: Arc = Arc.PRODUCTION,
) -> x509.Certificate:
    """A user-authentication certificate (pki.md 1.2): no name, no address; C and CN alone."""
    subject = holder_name(draw_common_name(person.municipality))
    builder = _leaf(authority, subject, public_key, lifetime, serial)
    builder = builder.add_extension(_key_usage("digital_signature"), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    return _finish(builder, authority, person.municipality, public_key, arc)


def issue_signature_certificate(
    authority: Authority,
    public_key: rsa.RSAPublicKey,
    person: Person,
    lifetime: Lifetime,
    serial: int,
    arc: Arc = Arc.PRODUCTION,
) -> x509.Certificate:
    """A signature certificate (pki.md 1.3): the basic 4 information in otherNames, the city in the subject."""
    subject = holder_name(draw_common_name(person.municipality), person.municipality.romaji)
    builder = _leaf(authority, subject, public_key, lifetime, serial)
    builder = builder.add_extension(_key_usage("digital_signature", "content_commitment"), critical=True)
    builder = builder.add_extension(x509.SubjectAlternativeName(_holder_items(person)), critical=False)
    return _finish(builder, authority, person.municipality, public_key, arc)


def issue_responder_certificate(
    authority: Authority,
    public_key: rsa.RSAPublicKey,
    not_before: datetime,
    not_after: datetime,
    *,
    delegated: bool = True,
) -> x509.Certificate:
    """A delegated OCSP signer, issued directly by this key (RFC 6960 4.2.2.2).

    `delegated=False` leaves out what makes it one.
    """
    builder = (
        x509.CertificateBuilder()
        .subject_name(responder_name(authority.kind))
        .issuer_name(authority.certificate.subject)
        .public_key(public_key)
        .serial_number(draw_serial())
        .not_valid_before(not_before)
        .not_valid_after(min(end_of_day(not_after.date()), authority.lifetime.not_after))
        .add_extension(_key_usage("digital_signature"), critical=True)
    )
    if delegated:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False)
        builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    return (
        builder.add_extension(authority_key_identifier(authority), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def authority_key_identifier(authority: Authority) -> x509.AuthorityKeyIdentifier:
    """Key identifier and, beside it, issuer name and serial of the CA certificate, as the real ones carry both."""
    certificate = authority.certificate
    return x509.AuthorityKeyIdentifier(
        authority.key_id, [x509.DirectoryName(certificate.issuer)], certificate.serial_number
    )


def _leaf(
    authority: Authority, subject: x509.Name, public_key: rsa.RSAPublicKey, lifetime: Lifetime, serial: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.certificate.subject)
        .public_key(public_key)
        .serial_number(serial)
        .not_valid_before(lifetime.not_before)
        .not_valid_after(lifetime.not_after)
    )


def _finish(
    builder: x509.CertificateBuilder,
    authority: Authority,
    municipality: Municipality,
    public_key: rsa.RSAPublicKey,
    arc: Arc,
) -> x509.Certificate:
    kind = authority.kind
    policy = x509.PolicyInformation(policy_identifier(kind, arc), [CPS_URL])
    ocsp = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(OCSP_URLS[kind]))
    return (
        builder.add_extension(x509.CertificatePolicies([policy]), critical=True)
        .add_extension(x509.IssuerAlternativeName([x509.DirectoryName(authority_name_ja(kind))]), critical=False)
        .add_extension(_distribution_points(distribution_point_name(kind, municipality)), critical=False)
        .add_extension(x509.AuthorityInformationAccess([ocsp]), critical=False)
        .add_extension(authority_key_identifier(authority), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def _distribution_points(name: x509.Name) -> x509.CRLDistributionPoints:
    point = x509.DistributionPoint(
        full_name=[x509.DirectoryName(name)], relative_name=None, reasons=None, crl_issuer=None
    )
    return x509.CRLDistributionPoints([point])


def _key_usage(*on: str) -> x509.KeyUsage:
    bits = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{bit: bit in on for bit in bits})


def _holder_items(person: Person) -> list[x509.GeneralName]:
    """otherNames 1.2.392.200149.8.5.5.x in the order a card has them: 1, 4, 3, 5, 2, 6; every value is a UTF8String."""
    name, name_flags = person.substitute(person.name)
    address, address_flags = person.substitute(person.address)
    values = (
        (1, name),
        (4, era_birth(person.birth)),
        (3, person.sex),
        (5, address),
        (2, name_flags),
        (6, address_flags),
    )
    return [
        x509.OtherName(x509.ObjectIdentifier(f"1.2.392.200149.8.5.5.{number}"), _utf8_string(value))
        for number, value in values
    ]


def _utf8_string(text: str) -> bytes:
    """DER of a UTF8String (X.690 8.23)."""
    data = text.encode()
    if len(data) < 0x80:
        return bytes((0x0C, len(data))) + data
    length = len(data).to_bytes((len(data).bit_length() + 7) // 8, "big")
    return bytes((0x0C, 0x80 | len(length))) + length + data
