"""Certificates as they come, parsed and not yet believed: `parse_certificate(der)` gives an `UnverifiedCertificate`.

Everything a judge needs is taken out here, once, so that no later step can stumble over bytes that are parsed lazily.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from kiosk_web.pki.algorithms import is_rsa
from kiosk_web.pki.der import (
    BIT_STRING,
    INTEGER,
    SEQUENCE,
    MalformedDer,
    check_integer,
    name_object_identifier,
    read_value,
    read_whole,
)
from kiosk_web.pki.distribution_points import DistributionPoint, read_distribution_points
from kiosk_web.pki.extensions import (
    AUTHORITY_INFORMATION_ACCESS,
    AUTHORITY_KEY_IDENTIFIER,
    BASIC_CONSTRAINTS,
    CERTIFICATE_POLICIES,
    CRL_DISTRIBUTION_POINTS,
    EXTENDED_KEY_USAGE,
    ISSUER_ALTERNATIVE_NAME,
    KEY_USAGE,
    OCSP_NO_CHECK,
    SUBJECT_ALTERNATIVE_NAME,
    SUBJECT_KEY_IDENTIFIER,
    Extension,
    Policies,
    check_alternative_name,
    check_ocsp_no_check,
    read_authority_key_identifier,
    read_basic_constraints,
    read_certificate_policies,
    read_extended_key_usage,
    read_extensions,
    read_key_usage,
    read_ocsp_addresses,
    read_subject_key_identifier,
    split_extensions,
)
from kiosk_web.pki.general_names import check_name

MAX_CERTIFICATE = 8 * 1024
"""Bytes. A JPKI certificate has about 1.6 kB; a card file is at most 32 kB, and nothing near that is a certificate."""

MAX_SERIAL_OCTETS = 20
"""RFC 5280 4.1.2.2."""

PROCESSED_EXTENSIONS = frozenset({BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE, CERTIFICATE_POLICIES})
"""What a judge really looks at. Any other extension marked critical makes a certificate unusable (RFC 5280 4.2)."""

PARSE_ERRORS = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    x509.InvalidVersion,
    UserWarning,  # "will be an error in a future release" and the like: an error here where warnings are errors
)
"""What `cryptography` raises for bytes that are no certificate or answer, some of it only when a field is touched."""


_OWN_EXTENSIONS = frozenset({SUBJECT_ALTERNATIVE_NAME, SUBJECT_KEY_IDENTIFIER})
"""Besides the shared ones these are read here. A certificate with any other extension must be one that `cryptography`
can read as well.
"""

KEY_ALGORITHMS = frozenset({"1.2.840.113549.1.1.1", "1.2.840.10045.2.1"})
"""rsaEncryption and id-ecPublicKey: the kinds of key that are taken out (RFC 3279 2.3)."""

Value = TypeVar("Value")

_VERSION = 0xA0
_EXTENSIONS = 0xA3
_UNCOMPRESSED = 0x04
"""First octet of a point that is written with both of its coordinates (RFC 5480 2.2); the hybrid form is forbidden."""


class MalformedCertificate(ValueError):
    """The bytes are not one DER-encoded X.509 certificate. The message names the fault and repeats no byte of it."""


class UnverifiedCertificate(NamedTuple):
    """The fields of a certificate nobody has vouched for yet. Equal by its bytes; its `repr` shows nothing of them.

    Times are aware (UTC). `issuer` and `subject` are names in DER, `signature_oid` is the announced algorithm; `tbs`
    are the signed bytes exactly as they came.
    """

    der: bytes
    sha256: bytes
    serial: int
    issuer: bytes
    subject: bytes
    not_before: datetime
    not_after: datetime
    public_key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey | None
    spki: bytes
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

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __repr__(self) -> str:
        return "UnverifiedCertificate(…)"


def parse_certificate(der: bytes) -> UnverifiedCertificate:
    """Parse exactly one DER certificate, strictly: no trailing byte, positive serial, one algorithm inside and out.

    `cryptography` reads the structure, the times and the key; names and extensions, which it reads slowly, are read
    here. Bytes that either of both cannot read are refused. Raises `MalformedCertificate`. Says nothing about trust.
    """
    if len(der) > MAX_CERTIFICATE:
        raise MalformedCertificate("longer than a certificate may be")
    try:
        return _take_fields(der, _cut(der), x509.load_der_x509_certificate(der))
    except MalformedDer as error:
        raise MalformedCertificate(str(error)) from None
    except PARSE_ERRORS as error:
        raise MalformedCertificate(f"not a certificate ({type(error).__name__})") from None


class _Parts(NamedTuple):
    """A certificate cut at the borders of its fields (RFC 5280 4.1), nothing re-encoded."""

    tbs: bytes
    serial: bytes
    issuer: bytes
    subject: bytes
    spki: bytes
    shared: bytes
    others: dict[bytes, Extension]
    signature: bytes


def _cut(der: bytes) -> _Parts:
    limit = len(der)
    start = read_whole(der, 0, limit, SEQUENCE)
    position, tbs_end = read_value(der, start, limit, SEQUENCE)
    _, algorithm_end = read_value(der, tbs_end, limit, SEQUENCE)
    bits = read_whole(der, algorithm_end, limit, BIT_STRING)
    if bits == limit or der[bits] != 0:
        raise MalformedDer("signature is not whole octets")

    if position < tbs_end and der[position] == _VERSION:
        _, position = read_value(der, position, tbs_end, _VERSION)
    serial, serial_end = read_value(der, position, tbs_end, INTEGER)
    _, algorithm = read_value(der, serial_end, tbs_end, SEQUENCE)
    if der[serial_end:algorithm] != der[tbs_end:algorithm_end]:
        raise MalformedDer("two signature algorithms")
    _, issuer = read_value(der, algorithm, tbs_end, SEQUENCE)
    _, validity = read_value(der, issuer, tbs_end, SEQUENCE)
    _, subject = read_value(der, validity, tbs_end, SEQUENCE)
    _, spki = read_value(der, subject, tbs_end, SEQUENCE)
    shared, others = b"", dict[bytes, Extension]()
    if spki != tbs_end:  # what may stand between, unique identifiers, is no longer in use (4.1.2.8)
        position = read_whole(der, spki, tbs_end, _EXTENSIONS)
        shared, others = split_extensions(der, read_whole(der, position, tbs_end, SEQUENCE), tbs_end)
    return _Parts(
        tbs=der[start:tbs_end],
        serial=der[serial:serial_end],
        issuer=der[algorithm:issuer],
        subject=der[validity:subject],
        spki=der[subject:spki],
        shared=shared,
        others=others,
        signature=der[bits + 1 :],
    )


class _Shared(NamedTuple):
    """What the shared extensions say."""

    authority_key_id: bytes | None
    is_ca: bool
    key_usage: frozenset[str] | None
    extended_key_usage: frozenset[str] | None
    policies: Policies
    unprocessed_critical: tuple[str, ...]
    ocsp_addresses: tuple[str, ...]
    ocsp_nocheck: bool
    distribution_points: tuple[DistributionPoint, ...]


@lru_cache(maxsize=4096)
def _read_shared(octets: bytes, issuer: bytes) -> _Shared:
    """Remembered: one for each municipality, and a few more."""
    found = read_extensions(octets)
    points = found.get(CRL_DISTRIBUTION_POINTS)
    _read(check_alternative_name, found.get(ISSUER_ALTERNATIVE_NAME))
    _read(check_ocsp_no_check, found.get(OCSP_NO_CHECK))
    check_name(issuer)
    return _Shared(
        authority_key_id=_read(read_authority_key_identifier, found.get(AUTHORITY_KEY_IDENTIFIER)),
        is_ca=bool(_read(read_basic_constraints, found.get(BASIC_CONSTRAINTS))),
        key_usage=_read(read_key_usage, found.get(KEY_USAGE)),
        extended_key_usage=_read(read_extended_key_usage, found.get(EXTENDED_KEY_USAGE)),
        policies=_read(read_certificate_policies, found.get(CERTIFICATE_POLICIES)) or Policies(),
        unprocessed_critical=_name_unprocessed(found),
        ocsp_addresses=_read(read_ocsp_addresses, found.get(AUTHORITY_INFORMATION_ACCESS)) or (),
        ocsp_nocheck=OCSP_NO_CHECK in found,
        distribution_points=read_distribution_points(points.value, issuer) if points else (),
    )


def _name_unprocessed(found: dict[bytes, Extension]) -> tuple[str, ...]:
    return tuple(
        name_object_identifier(kind)
        for kind, extension in found.items()
        if extension.critical and kind not in PROCESSED_EXTENSIONS
    )


def _take_fields(der: bytes, parts: _Parts, certificate: x509.Certificate) -> UnverifiedCertificate:
    shared, others = _read_shared(parts.shared, parts.issuer), parts.others
    check_name(parts.subject)
    _read(check_alternative_name, others.get(SUBJECT_ALTERNATIVE_NAME))
    if not shared.policies.plain or not _OWN_EXTENSIONS.issuperset(others):
        _ = certificate.extensions  # raises if any is malformed
    return UnverifiedCertificate(
        der=der,
        sha256=hashlib.sha256(der).digest(),
        serial=_read_serial(parts.serial),
        issuer=parts.issuer,
        subject=parts.subject,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        public_key=_load_key(certificate, parts.spki),
        spki=parts.spki,
        tbs=parts.tbs,
        signature=parts.signature,
        signature_oid=certificate.signature_algorithm_oid.dotted_string,
        authority_key_id=shared.authority_key_id,
        subject_key_id=_read(read_subject_key_identifier, others.get(SUBJECT_KEY_IDENTIFIER)),
        is_ca=shared.is_ca,
        key_usage=shared.key_usage,
        extended_key_usage=shared.extended_key_usage,
        policies=shared.policies.identifiers,
        plain_qualifiers=shared.policies.plain,
        unprocessed_critical=shared.unprocessed_critical + _name_unprocessed(others),
        ocsp_addresses=shared.ocsp_addresses,
        ocsp_nocheck=shared.ocsp_nocheck,
        distribution_points=shared.distribution_points,
    )


def _read_serial(octets: bytes) -> int:
    check_integer(octets, 0, len(octets))
    serial = int.from_bytes(octets, "big", signed=True)
    if serial <= 0 or serial.bit_length() > 8 * MAX_SERIAL_OCTETS:
        raise MalformedDer("serial number is not a positive integer of at most 20 octets")
    return serial


def _load_key(certificate: x509.Certificate, spki: bytes) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey | None:
    """The key, if it is for any use of its kind; one that is for RSASSA-PSS alone is not."""
    key = certificate.public_key()
    if certificate.public_key_algorithm_oid.dotted_string not in KEY_ALGORITHMS:
        return None
    if is_rsa(key):
        return key
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return None
    octets = -(-key.key_size // 8)
    if spki[-2 * octets - 1] != _UNCOMPRESSED:
        raise MalformedDer("key is not an uncompressed point")
    return key


def _read(reader: Callable[[bytes], Value], extension: Extension | None) -> Value | None:
    return None if extension is None else reader(extension.value)
