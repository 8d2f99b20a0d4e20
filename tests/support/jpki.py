"""A JPKI in miniature for tests: roots of several generations with one name, and certificates to order.

Keys are made once per test run and kept by name. Everything else is cheap, so that a test says exactly what it needs:
`issue(root, policy=...)`. OCSP answers are in `ocsp_answers.py`. All people are fictional.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from kiosk_web.pki.anchors import Anchor, build_anchor
from kiosk_web.pki.certificates import UnverifiedCertificate, parse_certificate
from kiosk_web.pki.trust import TrustedCertificate, TrustPolicy, TrustStore, judge_trust

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
"""The moment at which the tests of this house happen."""

AUTHENTICATION_POLICY = "1.2.392.200149.8.5.1.3.30"
SIGNATURE_POLICY = "1.2.392.200149.8.5.1.1.20"
TEST_SIGNATURE_POLICY = "1.2.392.200149.8.5.1.0.20"
RESPONDER = "http://ocspauthnorm.jpki.go.jp"

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_WINDOWS = {
    2015: (datetime(2015, 10, 20, 3, 8, 13, tzinfo=UTC), datetime(2025, 10, 19, 14, 59, 59, tzinfo=UTC)),
    2019: (datetime(2019, 9, 14, 1, 0, 0, tzinfo=UTC), datetime(2029, 9, 14, 14, 59, 59, tzinfo=UTC)),
    2023: (datetime(2023, 7, 16, 1, 1, 4, tzinfo=UTC), datetime(2033, 7, 15, 14, 59, 59, tzinfo=UTC)),
}
_UNITS = {
    "user_authentication": "JPKI for user authentication",
    "digital_signature": "JPKI for digital signature",
}


@functools.cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The RSA key of that name, made at its first use."""
    key = _keep(f"{name} {bits}", lambda: rsa.generate_private_key(65537, bits))
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


@functools.cache
def ec_key(name: str, curve: str = "secp384r1") -> ec.EllipticCurvePrivateKey:
    """The elliptic-curve key of that name."""
    curves: dict[str, ec.EllipticCurve] = {"secp384r1": ec.SECP384R1(), "secp256r1": ec.SECP256R1()}
    key = _keep(f"{name} {curve}", lambda: ec.generate_private_key(curves[curve]))
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _keep(name: str, generate: Callable[[], Key]) -> Key:
    """Fresh keys in each run; those of an earlier one where `KIOSK_TEST_KEYS` names a folder (`./run fuzz`)."""
    folder = os.environ.get("KIOSK_TEST_KEYS")
    if folder is None:
        return generate()
    path = Path(folder, name.replace(" ", "-") + ".pem")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    return key


@dataclass(frozen=True)
class Root:
    """A self-signed CA with its key."""

    key: Key
    certificate: x509.Certificate

    @property
    def name(self) -> x509.Name:
        return self.certificate.subject

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def anchor(self) -> Anchor:
        return build_anchor(self.der, "test")


def build_name(authority: str = "user_authentication", organisation: str = "JPKI") -> x509.Name:
    """The name that all generations of one CA share."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP", _ASN1Type.PrintableString),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, _UNITS[authority]),
            x509.NameAttribute(
                NameOID.ORGANIZATIONAL_UNIT_NAME, "Japan Agency for Local Authority Information Systems"
            ),
        ]
    )


@functools.cache
def build_root(
    generation: int = 2023,
    authority: Literal["user_authentication", "digital_signature"] = "user_authentication",
    *,
    label: str = "",
    algorithm: Literal["rsa", "ec"] = "rsa",
    ca: bool = True,
    key_cert_sign: bool = True,
) -> Root:
    """The root of one generation, the same object each time. Another `label` gives another key under the same name."""
    name = f"{authority} {generation} {label}"
    key: Key = rsa_key(name) if algorithm == "rsa" else ec_key(name)
    not_before, not_after = _WINDOWS[generation]
    subject = build_name(authority)
    builder = (
        x509.CertificateBuilder(issuer_name=subject, subject_name=subject, public_key=key.public_key())
        .serial_number(int.from_bytes(f"{generation}{label}".encode()))
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(_usage(key_cert_sign=key_cert_sign, crl_sign=True), critical=True)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Root(key, builder.sign(key, choose_hash(key)))


@dataclass(frozen=True)
class Issued:
    """A certificate with its key, as a card holds them."""

    key: Key
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def parsed(self) -> UnverifiedCertificate:
        return parse_certificate(self.der)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def issue(
    root: Root,
    *,
    serial: int = 0x0A1B2C3D,
    not_before: datetime = datetime(2024, 4, 5, 1, 2, 3, tzinfo=UTC),
    not_after: datetime = datetime(2029, 5, 6, 14, 59, 59, tzinfo=UTC),
    key: Key | None = None,
    issuer_name: x509.Name | None = None,
    signing_key: Key | None = None,
    algorithm: hashes.HashAlgorithm | None = None,
    policy: str | None = AUTHENTICATION_POLICY,
    qualifiers: Sequence[str | x509.UserNotice] = ("http://www.jpki.go.jp/cps.html",),
    policy_critical: bool = True,
    usages: Sequence[str] | None = ("digital_signature",),
    extended: Sequence[x509.ObjectIdentifier] | None = (ExtendedKeyUsageOID.CLIENT_AUTH,),
    ca: bool | None = None,
    authority_key_id: bytes | Literal["issuer", "absent"] = "issuer",
    addresses: Sequence[str] = (RESPONDER,),
    point: x509.Name | None = None,
    points: Sequence[x509.DistributionPoint] | None = None,
    extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> Issued:
    """A certificate shaped like a user-authentication certificate of JPKI, with whatever a test wants different.

    `signing_key` signs instead of the root's, `None` leaves an extension out, `point` names another distribution point
    than that of Kasumi-ku, `points` are whole ones in its place, `extra` further extensions with their criticality.
    """
    key = key or rsa_key("card")
    builder = (
        x509.CertificateBuilder(
            issuer_name=issuer_name or root.name,
            subject_name=x509.Name(
                [
                    x509.NameAttribute(NameOID.COUNTRY_NAME, "JP", _ASN1Type.PrintableString),
                    x509.NameAttribute(NameOID.COMMON_NAME, "TESTTESTTEST0113123003A"),
                ]
            ),
            public_key=key.public_key(),
        )
        .serial_number(serial)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    points = [build_distribution_point(point or build_municipal_name())] if points is None else points
    if points:
        builder = builder.add_extension(x509.CRLDistributionPoints(points), critical=False)
    if usages is not None:
        builder = builder.add_extension(_usage(**dict.fromkeys(usages, True)), critical=True)
    if extended is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
    if policy is not None:
        information = x509.PolicyInformation(x509.ObjectIdentifier(policy), list(qualifiers) or None)
        builder = builder.add_extension(x509.CertificatePolicies([information]), critical=policy_critical)
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if authority_key_id != "absent":
        builder = builder.add_extension(_build_authority_key(root, authority_key_id), critical=False)
    if addresses:
        builder = builder.add_extension(
            x509.AuthorityInformationAccess(
                [
                    x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(address))
                    for address in addresses
                ]
            ),
            critical=False,
        )
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical=critical)
    signer = signing_key or root.key
    return Issued(key, builder.sign(signer, algorithm or choose_hash(signer)))


def issue_delegate(
    root: Root,
    *,
    name: str = "OCSP responder",
    key: Key | None = None,
    not_before: datetime = NOW - timedelta(days=10),
    not_after: datetime = NOW + timedelta(days=20),
    extended: Sequence[x509.ObjectIdentifier] | None = (ExtendedKeyUsageOID.OCSP_SIGNING,),
    nocheck: bool = True,
    usages: Sequence[str] | None = ("digital_signature",),
    ca: bool | None = None,
    signing_key: Key | None = None,
    issuer_name: x509.Name | None = None,
    extra: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> Issued:
    """A certificate for a delegated responder (RFC 6960 4.2.2.2) of one root."""
    key = key or rsa_key("delegate")
    builder = (
        x509.CertificateBuilder(
            issuer_name=issuer_name or root.name,
            subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
            public_key=key.public_key(),
        )
        .serial_number(0x7001)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(_build_authority_key(root, "issuer"), critical=False)
    )
    if usages is not None:
        builder = builder.add_extension(_usage(**dict.fromkeys(usages, True)), critical=True)
    if extended is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
    if nocheck:
        builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical=critical)
    signer = signing_key or root.key
    return Issued(key, builder.sign(signer, choose_hash(signer)))


def trust(issued: Issued, root: Root, now: datetime = NOW) -> TrustedCertificate:
    """The certificate as the product trusts it."""
    trusted = judge_trust(issued.parsed, TrustStore([root.anchor]), TrustPolicy(), now)
    assert isinstance(trusted, TrustedCertificate)
    return trusted


def choose_hash(key: Key) -> hashes.HashAlgorithm:
    """The hash that goes with a key: SHA-256 with RSA, SHA-384 with P-384."""
    return hashes.SHA256() if isinstance(key, rsa.RSAPrivateKey) else hashes.SHA384()


def _usage(**named: bool) -> x509.KeyUsage:
    bits = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(**(bits | named))


def _build_authority_key(root: Root, key_id: bytes | str) -> x509.AuthorityKeyIdentifier:
    """JPKI names the key *and* the CA certificate (issuer and serial)."""
    own = x509.SubjectKeyIdentifier.from_public_key(root.key.public_key()).digest
    return x509.AuthorityKeyIdentifier(
        key_id if isinstance(key_id, bytes) else own,
        [x509.DirectoryName(root.name)],
        root.certificate.serial_number,
    )


def build_distribution_point(name: x509.Name) -> x509.DistributionPoint:
    """Where the list of one municipality is said to be: a directory name, as JPKI has it."""
    return x509.DistributionPoint([x509.DirectoryName(name)], None, None, None)


def build_municipal_name(municipality: str = "Kasumi-ku") -> x509.Name:
    """The directory name of a municipality's list."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP", _ASN1Type.PrintableString),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "JPKI"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "CRL Distribution Points"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Tokyo-to"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{municipality} CRLDP"),
        ]
    )
