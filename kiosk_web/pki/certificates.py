"""Certificates as they come, parsed and not yet believed: `parse_certificate(der)` gives an `UnverifiedCertificate`.

Everything a judge needs is taken out here, once, so that no later step can stumble over bytes that are parsed lazily.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID

from kiosk_web.pki import der as der_reader
from kiosk_web.pki.distribution_points import DistributionPoint, read_distribution_points

MAX_CERTIFICATE = 8 * 1024
"""Bytes. A JPKI certificate has about 1.6 kB; a card file is at most 32 kB, and nothing near that is a certificate."""

MAX_SERIAL_OCTETS = 20
"""RFC 5280 4.1.2.2."""

PROCESSED_EXTENSIONS = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
    }
)
"""What a judge really looks at. Any other extension marked critical makes a certificate unusable (RFC 5280 4.2)."""

PARSE_ERRORS = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    x509.InvalidVersion,
    CryptographyDeprecationWarning,  # "will be an error in a future release": an error here where warnings are errors
)
"""What `cryptography` raises for bytes that are no certificate or answer, some of it only when a field is touched."""


KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)
"""The bits of keyUsage by the names of RFC 5280 4.2.1.3 (content_commitment is nonRepudiation)."""

ExtensionT = TypeVar("ExtensionT", bound=x509.ExtensionType)


class MalformedCertificate(ValueError):
    """The bytes are not one DER-encoded X.509 certificate. The message names the fault and repeats no byte of it."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class UnverifiedCertificate:
    """The fields of a certificate nobody has vouched for yet. Equal by its bytes; its `repr` shows nothing of them.

    Times are aware (UTC). `signature_oid` is the announced algorithm; `tbs` are the signed bytes exactly as they came.
    """

    der: bytes
    sha256: bytes
    serial: int
    issuer: x509.Name
    subject: x509.Name
    not_before: datetime
    not_after: datetime
    public_key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey | None
    tbs: bytes
    signature: bytes
    signature_oid: str
    authority_key_id: bytes | None
    subject_key_id: bytes | None
    is_ca: bool
    key_usage: frozenset[str] | None
    extended_key_usage: frozenset[str] | None
    policies: tuple[str, ...]
    plain_qualifiers: bool
    unprocessed_critical: tuple[str, ...]
    ocsp_addresses: tuple[str, ...]
    ocsp_nocheck: bool
    distribution_points: tuple[DistributionPoint, ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UnverifiedCertificate) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __repr__(self) -> str:
        return "UnverifiedCertificate(…)"


def parse_certificate(der: bytes) -> UnverifiedCertificate:
    """Parse exactly one DER certificate, strictly: no trailing byte, positive serial, one algorithm inside and out.

    Raises `MalformedCertificate`. Says nothing about trust.
    """
    if len(der) > MAX_CERTIFICATE:
        raise MalformedCertificate("longer than a certificate may be")
    try:
        parts = der_reader.read_signed_certificate(der)
    except der_reader.MalformedDer as error:
        raise MalformedCertificate(str(error)) from None
    if parts.serial <= 0 or parts.serial.bit_length() > 8 * MAX_SERIAL_OCTETS:
        raise MalformedCertificate("serial number is not a positive integer of at most 20 octets")
    if parts.algorithm != parts.inner_algorithm:
        raise MalformedCertificate("two signature algorithms")
    try:
        return _take_fields(der, parts, x509.load_der_x509_certificate(der))
    except PARSE_ERRORS as error:
        raise MalformedCertificate(f"not a certificate ({type(error).__name__})") from None


def _take_fields(
    der: bytes, parts: der_reader.SignedCertificate, certificate: x509.Certificate
) -> UnverifiedCertificate:
    extensions = certificate.extensions
    values: dict[type, x509.ExtensionType] = {type(extension.value): extension.value for extension in extensions}
    key = certificate.public_key()
    basic = _find(values, x509.BasicConstraints)
    usage = _find(values, x509.KeyUsage)
    extended = _find(values, x509.ExtendedKeyUsage)
    policies = _find(values, x509.CertificatePolicies)
    authority = _find(values, x509.AuthorityKeyIdentifier)
    subject_key = _find(values, x509.SubjectKeyIdentifier)
    access = _find(values, x509.AuthorityInformationAccess)
    points = _find(values, x509.CRLDistributionPoints)
    return UnverifiedCertificate(
        der=der,
        sha256=hashlib.sha256(der).digest(),
        serial=parts.serial,
        issuer=certificate.issuer,
        subject=certificate.subject,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        public_key=key if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) else None,
        tbs=parts.tbs,
        signature=parts.signature,
        signature_oid=certificate.signature_algorithm_oid.dotted_string,
        authority_key_id=authority.key_identifier if authority else None,
        subject_key_id=subject_key.digest if subject_key else None,
        is_ca=bool(basic and basic.ca),
        key_usage=_name_usages(usage) if usage else None,
        extended_key_usage=frozenset(oid.dotted_string for oid in extended) if extended else None,
        policies=tuple(policy.policy_identifier.dotted_string for policy in policies or ()),
        plain_qualifiers=all(
            isinstance(qualifier, str) for policy in policies or () for qualifier in policy.policy_qualifiers or ()
        ),
        unprocessed_critical=tuple(
            extension.oid.dotted_string
            for extension in extensions
            if extension.critical and extension.oid not in PROCESSED_EXTENSIONS
        ),
        ocsp_addresses=tuple(
            entry.access_location.value
            for entry in access or ()
            if entry.access_method == AuthorityInformationAccessOID.OCSP
            and isinstance(entry.access_location, x509.UniformResourceIdentifier)
        ),
        ocsp_nocheck=_find(values, x509.OCSPNoCheck) is not None,
        distribution_points=(
            read_distribution_points(points.public_bytes(), certificate.issuer.public_bytes()) if points else ()
        ),
    )


def _find(values: dict[type, x509.ExtensionType], kind: type[ExtensionT]) -> ExtensionT | None:
    value = values.get(kind)
    return value if isinstance(value, kind) else None


def _name_usages(usage: x509.KeyUsage) -> frozenset[str]:
    return frozenset(name for name in KEY_USAGES if getattr(usage, name))
