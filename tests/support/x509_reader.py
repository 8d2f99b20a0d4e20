"""The fields of a certificate as `cryptography` reads them, all of them: a judge of the product's own reader."""

from __future__ import annotations

import functools
import warnings
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID

from kiosk_web.pki.certificates import UnverifiedCertificate
from kiosk_web.pki.distribution_points import DistributionPoint
from kiosk_web.pki.names import canonicalise_name, canonicalise_relative_name
from tests.support.der import content

_PROCESSED = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.CERTIFICATE_POLICIES,
}
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)


def read_with_cryptography(der: bytes) -> dict[str, Any]:
    """Every field, names as objects. Raises whatever `cryptography` raises for bytes it cannot read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it only warns of, it reads
        return _read(x509.load_der_x509_certificate(der))


def describe(certificate: UnverifiedCertificate) -> dict[str, Any]:
    """The fields of the product's reader in the same form."""
    fields = certificate._asdict()
    del fields["der"], fields["sha256"]
    key = fields.pop("public_key")
    return fields | {
        "unprocessed_critical": set(certificate.unprocessed_critical),
        "public_key": _encode_key(key) if key else None,
        "spki": _encode_key(load_der_public_key(certificate.spki)),  # a point has several forms
        "issuer": _parse_name(certificate.issuer),
        "subject": _parse_name(certificate.subject),
    }


@functools.cache
def _parse_name(name: bytes) -> x509.Name:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return x509.Name.from_bytes(name)


def _encode_key(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _read(certificate: x509.Certificate) -> dict[str, Any]:
    extensions = certificate.extensions
    values = {type(extension.value): extension.value for extension in extensions}
    key = certificate.public_key()
    basic: Any = values.get(x509.BasicConstraints)
    usage: Any = values.get(x509.KeyUsage)
    extended: Any = values.get(x509.ExtendedKeyUsage)
    policies: Any = values.get(x509.CertificatePolicies) or ()
    authority: Any = values.get(x509.AuthorityKeyIdentifier)
    subject_key: Any = values.get(x509.SubjectKeyIdentifier)
    access: Any = values.get(x509.AuthorityInformationAccess) or ()
    points: Any = values.get(x509.CRLDistributionPoints) or ()
    return {
        "serial": certificate.serial_number,
        "issuer": certificate.issuer,
        "subject": certificate.subject,
        "not_before": certificate.not_valid_before_utc,
        "not_after": certificate.not_valid_after_utc,
        "public_key": _encode_key(key),
        "spki": _encode_key(key),
        "tbs": certificate.tbs_certificate_bytes,
        "signature": certificate.signature,
        "signature_oid": certificate.signature_algorithm_oid.dotted_string,
        "authority_key_id": authority.key_identifier if authority else None,
        "subject_key_id": subject_key.digest if subject_key else None,
        "is_ca": bool(basic and basic.ca),
        "key_usage": frozenset(name for name in _USAGES if getattr(usage, name)) if usage else None,
        "extended_key_usage": frozenset(oid.dotted_string for oid in extended) if extended else None,
        "policies": tuple(policy.policy_identifier.dotted_string for policy in policies),
        "plain_qualifiers": all(
            isinstance(qualifier, str) for policy in policies for qualifier in policy.policy_qualifiers or ()
        ),
        "unprocessed_critical": {
            extension.oid.dotted_string
            for extension in extensions
            if extension.critical and extension.oid not in _PROCESSED
        },
        "ocsp_addresses": tuple(
            entry.access_location.value
            for entry in access
            if entry.access_method == AuthorityInformationAccessOID.OCSP
            and isinstance(entry.access_location, x509.UniformResourceIdentifier)
        ),
        "ocsp_nocheck": x509.OCSPNoCheck in values,
        "distribution_points": tuple(_read_point(point, certificate.issuer) for point in points),
    }


def _read_point(point: x509.DistributionPoint, issuer: x509.Name) -> DistributionPoint:
    if point.relative_name is not None:
        attributes = x509.Name([point.relative_name]).public_bytes()
        names = frozenset({canonicalise_relative_name(issuer.public_bytes(), _content_of_only_part(attributes))})
    else:
        names = frozenset(_name(name) for name in point.full_name or point.crl_issuer or ())
    return DistributionPoint(names, plain=point.crl_issuer is None and point.reasons is None)


def _content_of_only_part(name: bytes) -> bytes:
    return content(content(name))


def _name(name: x509.GeneralName) -> bytes:
    if isinstance(name, x509.DirectoryName):
        return canonicalise_name(name.value.public_bytes())
    if isinstance(name, x509.UniformResourceIdentifier):
        return b"uri:" + name.value.encode()
    return _encode(name)


def _encode(name: x509.GeneralName) -> bytes:
    return content(x509.SubjectAlternativeName([name]).public_bytes())
