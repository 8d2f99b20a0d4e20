"""OCSP answers that hypothesis builds: an ordinary one, and up to three respects in which it is not.

How a case is written: `generated_case.py`. Clock positions are offsets from the moment of the case, in seconds
or by the name of an edge. The certificate asked about is an ordinary one of each root.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import strategies as st

from kiosk_web.pki.ocsp import OcspResponderPolicy, build_ocsp_request
from kiosk_web.pki.trust import TrustedCertificate
from tests.support.der import OCTET_STRING, SEQUENCE, content, split, tlv
from tests.support.generated_case import ROOTS, Case, GeneratedCase, choose_with_times
from tests.support.jpki import NOW, Issued, Root, build_name, ec_key, issue, issue_delegate, rsa_key, trust
from tests.support.ocsp_answers import AnswerShape, answer
from tests.support.signed_der import Mutation, build_signed, choose_algorithm

NONCE = bytes(range(32))
SERIAL = 0x0A1B2C3D
LIVING = ("2023", "2019", "P-384")
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
OCSP_SIGNING = ExtendedKeyUsageOID.OCSP_SIGNING
DAY = timedelta(days=1)

_SECONDS = (-7200, -1801, -1800, -1321, -1320, -1201, -1200, -180, -121, -120, -1, 0, 1, 119, 120, 121, 600, 86400)

ORDINARY = {"this update": -180, "next update": 720, "produced at": 0}
"""Seconds from the moment."""

FIELDS: dict[str, dict[str, Any]] = {
    "root": {name: name for name in LIVING if name != "2023"},
    "status": {
        "unknown": {"status": "unknown"},
        "revoked": {"status": "revoked"},
        "revoked from now": {"status": "revoked", "revoked_at": timedelta(0)},
        "revoked from later": {"status": "revoked", "revoked_at": timedelta(hours=1)},
        **{f"revoked, {reason.value}": {"status": "revoked", "reason": reason} for reason in x509.ReasonFlags},
    },
    "this update": {str(offset): offset for offset in _SECONDS},
    "next update": {"absent": None, **{str(offset): offset for offset in _SECONDS}},
    "produced at": {str(offset): offset for offset in _SECONDS},
    "fraction": {"1 µs": 1, "999999 µs": 999_999},
    "signer": {
        "root": None,
        "root 2015": "2015",
        "root 2019": "2019",
        "root P-384": "P-384",
        "the card": None,
        "P-384": {"key": "ec"},
        "without nocheck": {"nocheck": False},
        "for servers": {"extended": (ExtendedKeyUsageOID.SERVER_AUTH,)},
        "for nothing": {"extended": None},
        "for OCSP and servers": {"extended": (OCSP_SIGNING, ExtendedKeyUsageOID.SERVER_AUTH)},
        "without keyUsage": {"usages": None},
        "keyUsage nonRepudiation": {"usages": ("content_commitment",)},
        "over": {"not_after": NOW - timedelta(seconds=1)},
        "in its last second": {"not_after": NOW},
        "to come": {"not_before": NOW + timedelta(seconds=1)},
        "forged": {"signing_key": "stranger"},
        "of 2015": {"signing_key": "2015"},
        "of 2019": {"signing_key": "2019"},
        "of another name": {"issuer_name": build_name("digital_signature")},
        "a CA": {"ca": True},
        "critical extension": {"extra": [(UNKNOWN, True)]},
        "critical subjectAltName": {"extra": [(x509.SubjectAlternativeName([x509.DNSName("a.invalid")]), True)]},
        "signed with SHA-384": {"algorithm": "SHA-384"},
        "signed with SHA-1": {"algorithm": "SHA-1"},
    },
    "by name": {"yes": True},
    "nonce": {"absent": "absent", "another": bytes(32), "short": NONCE[:31]},
    "nonce policy": {"none": "none"},
    "certificate": {"another serial": None, "of the other generation": None, "SHA-256": None, "SHA-512": None},
    "singles": {"none": 0, "two": 2},
    "embedded": {
        "none": None,
        "the root": None,
        "another first": None,
        "another last": None,
        "an old one first": None,
        "five": None,
        "garbage": None,
    },
    "extension": {"unknown": False, "unknown, critical": True, "single, critical": None},
    "algorithm": dict.fromkeys(
        ("SHA-1", "MD5", "SHA-256", "SHA-256 without parameters", "SHA-384", "SHA-512", "PSS"), None
    ),
}


def cases() -> st.SearchStrategy[dict[str, str]]:
    """Up to three deviations, the times now and then anywhere in four hours."""
    return choose_with_times(FIELDS, ORDINARY, 7200)


@dataclass(frozen=True)
class Answer(GeneratedCase):
    """What one case comes to. `plain` is the same answer with nothing embedded but the certificate of its signer."""

    certificate: TrustedCertificate = field(repr=False)
    leaf: bytes = field(repr=False)
    root: Root = field(repr=False)
    policy: OcspResponderPolicy = field(repr=False)
    request: bytes = field(repr=False)
    response: bytes = field(repr=False)
    plain: bytes = field(repr=False)
    moment: datetime
    mutated: bool = False

    def offset(self, field: str) -> int:
        """Seconds from the moment, which may itself be a fraction of one later."""
        return int(self.case.get(field, ORDINARY[field]))


@functools.cache
def _issue_leaf(root: str) -> Issued:
    return issue(ROOTS[root], serial=SERIAL)


@functools.cache
def _trust_leaf(root: str) -> TrustedCertificate:
    return trust(_issue_leaf(root), ROOTS[root])


@functools.cache
def _choose_signer(root: str, signer: str) -> Root | Issued:
    value = FIELDS["signer"].get(signer)
    if signer.startswith("root"):
        return ROOTS[value or root]
    if signer == "the card":
        return _issue_leaf(root)
    arguments: dict[str, Any] = dict(value or {})
    if arguments.get("key") == "ec":
        arguments["key"] = ec_key("delegate")
    if "signing_key" in arguments:
        name = arguments["signing_key"]
        arguments["signing_key"] = rsa_key("stranger") if name == "stranger" else ROOTS[name].key
    algorithm = arguments.pop("algorithm", None)
    delegate = issue_delegate(ROOTS[root], **arguments)
    if algorithm is None:
        return delegate
    key = ROOTS[root].key
    chosen = choose_algorithm(key, algorithm)
    version, serial, _inner, *rest = split(content(delegate.certificate.tbs_certificate_bytes))
    signed = tlv(SEQUENCE, b"".join([version, serial, chosen.identifier, *rest]))
    return Issued(delegate.key, x509.load_der_x509_certificate(build_signed(signed, key, chosen)))


def build_answer(case: Case, mutation: Mutation | None = None) -> Answer:
    """The answer of a case, and the question it answers."""
    name = case.get("root", "2023")
    root, certificate = ROOTS[name], _trust_leaf(name)
    moment = NOW + timedelta(microseconds=FIELDS["fraction"].get(case.get("fraction", ""), 0))
    policy = OcspResponderPolicy(url="http://ocsp.invalid", nonce="none" if "nonce policy" in case else "required")
    request = build_ocsp_request(certificate, NONCE, policy)
    signer = _choose_signer(name, case.get("signer", "delegate"))
    shape = _build_shape(case, root)
    plain = _sign_again(answer(request, root, signer, shape), signer, case)
    embedded = _choose_embedded(case.get("embedded", ""), name, signer)
    response = plain if embedded is None else _embed(plain, embedded)
    if mutation is not None:
        response = mutation.apply(response)
        plain = _keep_one(response, signer)
    leaf = _issue_leaf(name).der
    return Answer(case, certificate, leaf, root, policy, request, response, plain, moment, mutation is not None)


def _build_shape(case: Case, root: Root) -> AnswerShape:
    def at(name: str) -> datetime:
        return NOW + timedelta(seconds=int(case.get(name, ORDINARY[name])))

    shape = AnswerShape(
        this_update=at("this update"),
        next_update=None if case.get("next update") == "absent" else at("next update"),
        produced_at=at("produced at"),
        by_name="by name" in case,
        nonce=FIELDS["nonce"].get(case.get("nonce", ""), "echo"),
        repeat=FIELDS["singles"].get(case.get("singles", ""), 1),
    )
    if "status" in case:
        says = dict(FIELDS["status"][case["status"]])
        if "revoked_at" in says:
            says["revoked_at"] = NOW + says["revoked_at"]
        shape = replace(shape, **says)
    match case.get("certificate"):
        case "another serial":
            shape = replace(shape, serial=SERIAL + 1)
        case "of the other generation":
            shape = replace(shape, issuer=ROOTS["2019" if root is ROOTS["2023"] else "2023"])
        case "SHA-256":
            shape = replace(shape, hash_algorithm=hashes.SHA256())
        case "SHA-512":
            shape = replace(shape, hash_algorithm=hashes.SHA512())
        case _:
            pass
    if case.get("extension", "").startswith("unknown"):
        shape = replace(shape, extra=[(UNKNOWN, FIELDS["extension"][case["extension"]])])
    return shape


def _choose_embedded(name: str, root: str, signer: Root | Issued) -> list[bytes] | None:
    """What lies in the answer beside its signature; None: what an ordinary answer has."""
    own = [] if isinstance(signer, Root) else [signer.der]
    another = issue_delegate(ROOTS[root], name="another", key=rsa_key("another")).der
    match name:
        case "none":
            return []
        case "the root":
            return [ROOTS[root].der]
        case "another first":
            return [another, *own]
        case "another last":
            return [*own, another]
        case "an old one first":
            key = signer.key
            old = issue_delegate(ROOTS[root], key=key, not_before=NOW - 30 * DAY, not_after=NOW - DAY)
            return [old.der, *own]
        case "five":
            return [*own, *[another] * 4][: 5 if own else 4]
        case "garbage":
            return [*own, tlv(SEQUENCE, b"\x02\x01\x05")]
        case _:
            return None


def open_response(response: bytes) -> tuple[bytes, bytes, list[bytes]]:
    """The answer status, the response type, and the elements of the basic answer."""
    status, tagged = split(content(response))
    kind, octets = split(content(content(tagged)))
    return status, kind, split(content(content(octets)))


def close_response(status: bytes, kind: bytes, basic: list[bytes]) -> bytes:
    whole = tlv(OCTET_STRING, tlv(SEQUENCE, b"".join(basic)))
    return tlv(SEQUENCE, status + tlv(0xA0, tlv(SEQUENCE, kind + whole)))


def _embed(response: bytes, certificates: list[bytes]) -> bytes:
    status, kind, basic = open_response(response)
    rest = [tlv(0xA0, tlv(SEQUENCE, b"".join(certificates)))] if certificates else []
    return close_response(status, kind, [*basic[:3], *rest])


def _keep_one(response: bytes, signer: Root | Issued) -> bytes:
    """A changed answer without the certificates that did not sign it, where it can still be taken apart."""
    try:
        _status, _kind, (_body, _identifier, _signature, *rest) = open_response(response)
        certificates = split(content(content(rest[0]))) if rest else []
        return _embed(response, [der for der in certificates if isinstance(signer, Issued) and der == signer.der])
    except (ValueError, IndexError):
        return response


def _sign_again(response: bytes, signer: Root | Issued, case: Case) -> bytes:
    """With the algorithm of the case, and an extension in the single response where the library allows none."""
    status, kind, (body, _identifier, _signature, *rest) = open_response(response)
    if case.get("extension") == "single, critical":
        responder, produced_at, singles, *extensions = split(content(body))
        critical = tlv(SEQUENCE, b"\x06\x04\x2a\x03\x04\x05" + b"\x01\x01\xff" + tlv(OCTET_STRING, b"\x05\x00"))
        changed = [
            tlv(SEQUENCE, content(single) + tlv(0xA1, tlv(SEQUENCE, critical))) for single in split(content(singles))
        ]
        body = tlv(SEQUENCE, b"".join([responder, produced_at, tlv(SEQUENCE, b"".join(changed)), *extensions]))
    algorithm = choose_algorithm(signer.key, case.get("algorithm"))
    basic = split(content(build_signed(body, signer.key, algorithm, b"".join(rest))))
    return close_response(status, kind, basic)
