"""Certificates that hypothesis builds: an ordinary one, and up to three respects in which it is not.

`build_chain` makes the bytes of a case (`generated_case.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.der import INTEGER, SEQUENCE, content, split, tlv
from tests.support.generated_case import ROOTS, Case, GeneratedCase, encode_otherwise, respell
from tests.support.jpki import (
    AUTHENTICATION_POLICY,
    NOW,
    SIGNATURE_POLICY,
    Issued,
    Root,
    build_name,
    ec_key,
    issue,
    rsa_key,
)
from tests.support.signed_der import Mutation, build_signed, choose_algorithm, split_signed

_EXTRA: dict[str, tuple[x509.ExtensionType, bool]] = {
    "unknown": (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00"), False),
    "unknown, critical": (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00"), True),
    "subjectAltName": (x509.SubjectAlternativeName([x509.DNSName("kiosk.invalid")]), False),
    "subjectAltName, critical": (x509.SubjectAlternativeName([x509.DNSName("kiosk.invalid")]), True),
    "inhibitAnyPolicy, critical": (x509.InhibitAnyPolicy(0), True),
    "policyConstraints, critical": (x509.PolicyConstraints(0, None), True),
    "nocheck, critical": (x509.OCSPNoCheck(), True),
}

_LAST = timedelta(microseconds=999_999)
_LONG = {"not_before": datetime(2014, 1, 1, tzinfo=UTC), "not_after": datetime(2040, 1, 1, tzinfo=UTC)}

FIELDS: dict[str, dict[str, Any]] = {
    "root": {name: name for name in ROOTS if name != "2023"},
    "signer": {"stranger": "stranger", **{f"root {name}": name for name in ROOTS}},
    "issuer name": {
        "of the other CA": build_name("digital_signature"),
        "other string types": None,
        "other case": None,
    },
    "authority key": {
        "absent": {"authority_key_id": "absent"},
        "stranger": {"authority_key_id": bytes(20)},
        "of 2019": {"authority_key_id": ROOTS["2019"].anchor.key_id},
        "other serial": None,
        "key alone": None,
    },
    "key": {
        "P-384": lambda: ec_key("card"),
        "P-256": lambda: ec_key("card", "secp256r1"),
        "RSA-1024": lambda: rsa_key("card", 1024),
        "RSA-3072": lambda: rsa_key("card", 3072),
        "Ed25519": ed25519.Ed25519PrivateKey.generate,
    },
    "validity": {
        "long": _LONG,
        "over": {"not_after": NOW - timedelta(days=1)},
        "to come": {"not_before": NOW + timedelta(days=1)},
        "upside down": {"not_before": NOW, "not_after": NOW},
        "after 2050": {"not_after": datetime(2051, 1, 1, tzinfo=UTC)},
    },
    "policy": {
        "none": {"policy": None},
        "of a signature certificate": {"policy": SIGNATURE_POLICY},
        "any": {"policy": "2.5.29.32.0"},
        "not critical": {"policy_critical": False},
        "user notice": {"qualifiers": [x509.UserNotice(None, "notice")]},
        "two": None,
    },
    "usage": {
        "none": None,
        "nonRepudiation": ("content_commitment",),
        "both": ("digital_signature", "content_commitment"),
        "keyCertSign": ("digital_signature", "key_cert_sign"),
    },
    "extended usage": {
        "none": None,
        "OCSPSigning": (ExtendedKeyUsageOID.OCSP_SIGNING,),
        "clientAuth and more": (ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.CLIENT_AUTH),
        "any": (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,),
    },
    "CA": {"true": True, "false": False},
    "extension": _EXTRA,
    "algorithm": dict.fromkeys(
        ("SHA-1", "MD5", "SHA-256", "SHA-256 without parameters", "SHA-384", "SHA-512", "PSS"), None
    ),
    "encoding": dict.fromkeys(
        (
            "serial zero",
            "serial negative",
            "serial of 21 octets",
            "serial not minimal",
            "version 1",
            "version 2",
            "two algorithms",
            "one extension twice",
            "a byte after",
            "length not minimal",
            "algorithm with other parameters",
        ),
        None,
    ),
    "moment": {
        f"{edge} {sign}{text}": (edge, offset if sign == "+" else -offset)
        for edge in ("not_before", "not_after", "root not_before", "root not_after")
        for sign in "+-"
        for text, offset in {
            "0": timedelta(0),
            "1 µs": timedelta(microseconds=1),
            "1 s": timedelta(seconds=1),
            "0.999999 s": _LAST,
            "1 day": timedelta(days=1),
        }.items()
    },
}
"""Field → name of a value → what it means to `build_chain`."""


@dataclass(frozen=True)
class Chain(GeneratedCase):
    """What one case comes to: the bytes of the certificate, the root it names, and the moment."""

    der: bytes
    root: Root
    moment: datetime
    mutated: bool = False

    @property
    def is_rsa(self) -> bool:
        return isinstance(self.root.key, rsa.RSAPrivateKey)


def build_chain(case: Case, mutation: Mutation | None = None) -> Chain:
    """The certificate of a case."""
    root = ROOTS[case.get("root", "2023")]
    issued = issue(root, **_build_arguments(case, root))
    der = _sign_again(issued, case, root)
    moment = _find_moment(case, issued.certificate, root)
    if mutation is not None:
        return Chain(case, mutation.apply(der), root, moment, mutated=True)
    return Chain(case, der, root, moment)


def _build_arguments(case: Case, root: Root) -> dict[str, Any]:
    arguments: dict[str, Any] = {"extra": []}
    for field, name in case.items():
        value = FIELDS[field].get(name)
        match field, name:
            case ("issuer name", "other string types" | "other case"):
                arguments["issuer_name"] = respell(root.name, other_case=name == "other case")
            case ("issuer name", _):
                arguments["issuer_name"] = value
            case ("authority key", "other serial" | "key alone"):
                full = name == "other serial"
                names = [x509.DirectoryName(root.name)] if full else None
                identifier = x509.AuthorityKeyIdentifier(root.anchor.key_id, names, 1 if full else None)
                arguments["authority_key_id"] = "absent"
                arguments["extra"].append((identifier, False))
            case ("authority key" | "validity", _):
                arguments |= value
            case ("policy", "two"):
                policies = [
                    x509.PolicyInformation(x509.ObjectIdentifier(oid), None)
                    for oid in (AUTHENTICATION_POLICY, "1.2.3.4")
                ]
                arguments["policy"] = None
                arguments["extra"].append((x509.CertificatePolicies(policies), True))
            case ("policy", _):
                arguments |= value
            case ("key", _):
                arguments["key"] = value()
            case ("usage", _):
                arguments["usages"] = value
            case ("extended usage", _):
                arguments["extended"] = value
            case ("CA", _):
                arguments["ca"] = value
            case ("extension", _):
                arguments["extra"].append(value)
            case _:
                pass
    return arguments


def _choose_signer(case: Case, root: Root) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    signer = FIELDS["signer"][case["signer"]] if "signer" in case else None
    if signer == "stranger":
        return rsa_key("stranger")
    return ROOTS[signer].key if signer else root.key


def _sign_again(issued: Issued, case: Case, root: Root) -> bytes:
    """The certificate with the algorithm and the encoding of the case; all are signed anew, so that all are alike."""
    encoding = case.get("encoding", "")
    key = _choose_signer(case, root)
    algorithm = choose_algorithm(key, case.get("algorithm"))
    version, serial, _inner, *rest = split_signed(issued.der)
    inner = algorithm.identifier
    match encoding:
        case "serial zero":
            serial = tlv(INTEGER, b"\0")
        case "serial negative":
            serial = tlv(INTEGER, b"\x80\x01")
        case "serial of 21 octets":
            serial = tlv(INTEGER, b"\x01" + bytes(20))
        case "serial not minimal":
            serial = tlv(INTEGER, b"\0" + content(serial))
        case "version 1":
            version = b""
        case "version 2":
            version = tlv(0xA0, tlv(INTEGER, b"\x01"))
        case "two algorithms":
            inner = choose_algorithm(key, "SHA-1").identifier
        case "one extension twice":
            extensions = split(content(content(rest[-1])))
            rest[-1] = tlv(0xA3, tlv(SEQUENCE, b"".join([*extensions, extensions[0]])))
        case "algorithm with other parameters":
            oid, *_ = split(content(algorithm.identifier))
            inner = tlv(SEQUENCE, oid + tlv(0x04, b"parameters"))
            algorithm = type(algorithm)(inner, algorithm.sign)
        case _:
            pass
    der = build_signed(tlv(SEQUENCE, b"".join([version, serial, inner, *rest])), key, algorithm)
    return encode_otherwise(der, encoding)


def _find_moment(case: Case, certificate: x509.Certificate, root: Root) -> datetime:
    if "moment" not in case:
        return NOW
    edge, offset = FIELDS["moment"][case["moment"]]
    edges: dict[str, Callable[[], datetime]] = {
        "not_before": lambda: certificate.not_valid_before_utc,
        "not_after": lambda: certificate.not_valid_after_utc,
        "root not_before": lambda: root.certificate.not_valid_before_utc,
        "root not_after": lambda: root.certificate.not_valid_after_utc,
    }
    return edges[edge]() + offset
