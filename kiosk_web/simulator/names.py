"""Distinguished names and object identifiers of JPKI, string types included (pki.md 1.1 to 1.3). Pure."""

from __future__ import annotations

from enum import Enum

from cryptography import x509
from cryptography.x509.oid import NameOID

from kiosk_web.simulator.people import Municipality

CPS_URL = "http://www.jpki.go.jp/cps.html"


class Kind(Enum):
    """The two certificates of a person, and the CA that issues them. The values are used in file names."""

    AUTHENTICATION = "auth"
    SIGNATURE = "sign"


class Arc(Enum):
    """Policy identifiers of a certificate: production `1.2.392.200149.8.5.1.{3,1}`, or the test arc `...1.0`."""

    PRODUCTION = "production"
    TEST = "test"


_UNITS = {Kind.AUTHENTICATION: "JPKI for user authentication", Kind.SIGNATURE: "JPKI for digital signature"}
_UNITS_JA = {
    Kind.AUTHENTICATION: "公的個人認証サービス利用者証明用",
    Kind.SIGNATURE: "公的個人認証サービス署名用",
}
_POLICIES = {
    (Kind.AUTHENTICATION, Arc.PRODUCTION): "1.2.392.200149.8.5.1.3.30",
    (Kind.AUTHENTICATION, Arc.TEST): "1.2.392.200149.8.5.1.0.30",
    (Kind.SIGNATURE, Arc.PRODUCTION): "1.2.392.200149.8.5.1.1.20",
    (Kind.SIGNATURE, Arc.TEST): "1.2.392.200149.8.5.1.0.20",
}
#: The OCSP address inside certificates. The host of the signature CA is not public, so ours is plainly not one.
OCSP_URLS = {
    Kind.AUTHENTICATION: "http://ocspauthnorm.jpki.go.jp",
    Kind.SIGNATURE: "http://ocspsignnorm.simulator.invalid",
}


def _name(*attributes: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    # The library writes C as PrintableString and the others as UTF8String, as the real certificates have it.
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])


def authority_name(kind: Kind) -> x509.Name:
    """Issuer and subject of every generation of one CA: all three have the same name."""
    return _name(
        (NameOID.COUNTRY_NAME, "JP"),
        (NameOID.ORGANIZATION_NAME, "JPKI"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, _UNITS[kind]),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "Japan Agency for Local Authority Information Systems"),
    )


def authority_name_ja(kind: Kind) -> x509.Name:
    """The Japanese name of a CA, in its own subjectAltName and in the issuerAltName of what it issues."""
    return _name(
        (NameOID.COUNTRY_NAME, "JP"),
        (NameOID.ORGANIZATION_NAME, "公的個人認証サービス"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, _UNITS_JA[kind]),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "地方公共団体情報システム機構"),
    )


def distribution_point_name(kind: Kind, municipality: Municipality) -> x509.Name:
    """The directory name under which a municipality's revocation list is found; there is no URI."""
    return _name(
        (NameOID.COUNTRY_NAME, "JP"),
        (NameOID.ORGANIZATION_NAME, "JPKI"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, _UNITS[kind]),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "CRL Distribution Points"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, municipality.prefecture_romaji),
        (NameOID.COMMON_NAME, f"{municipality.romaji} CRLDP"),
    )


def responder_name(kind: Kind) -> x509.Name:
    """Subject of a delegated OCSP signer. The real one is not public; this one says what it is."""
    return _name(
        (NameOID.COUNTRY_NAME, "JP"),
        (NameOID.ORGANIZATION_NAME, "JPKI"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, _UNITS[kind]),
        (NameOID.COMMON_NAME, "Simulated OCSP Responder"),
    )


def holder_name(common_name: str, locality: str | None = None) -> x509.Name:
    """Subject of an end-entity certificate: C and CN; a signature certificate also names the city of residence."""
    if locality is None:
        return _name((NameOID.COUNTRY_NAME, "JP"), (NameOID.COMMON_NAME, common_name))
    return _name((NameOID.COUNTRY_NAME, "JP"), (NameOID.LOCALITY_NAME, locality), (NameOID.COMMON_NAME, common_name))


def policy_identifier(kind: Kind, arc: Arc) -> x509.ObjectIdentifier:
    """The certificate policy of a kind in an arc."""
    return x509.ObjectIdentifier(_POLICIES[kind, arc])
