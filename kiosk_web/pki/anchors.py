"""Trust anchors: self-signed CA certificates which the operator vouches for, and the list of those JPKI has published.

The published list is data (`jpki_roots/published.json`): in production nothing else is an anchor. One fingerprint of
it, that of the 2019 generation of the user-authentication CA, was not found in public; for that one the operator names
the fingerprint from the official sheet, and the key itself must still be the one whose identifier is known.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509

from kiosk_web.pki.algorithms import PublicKey, judge_key, judge_signed
from kiosk_web.pki.certificates import MalformedCertificate, UnverifiedCertificate, parse_certificate
from kiosk_web.pki.der import MalformedDer, read_subject_public_key
from kiosk_web.pki.names import canonicalise_name, match_names

Authority = Literal["user_authentication", "digital_signature", "other"]
HashName = Literal["sha1", "sha256"]

_UNITS: dict[str, Authority] = {
    "JPKI for user authentication": "user_authentication",
    "JPKI for digital signature": "digital_signature",
}
_JST = timedelta(hours=9)


class AnchorRefused(ValueError):
    """A file offered as an anchor is none; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Anchor:
    """A root: the key that issues, the names and window it has. `key_id` is its subjectKeyIdentifier.

    `name` is its subject in DER, `canonical_name` the same for comparing with the issuer of a revocation list
    (`names.py`), `crl_sign` whether its keyUsage lets it sign one. `name_hashes` and `key_hashes` are the
    issuerNameHash and issuerKeyHash of a CertID (RFC 6960 4.1.1) by hash name.
    """

    label: str
    der: bytes = field(repr=False)
    sha256: bytes = field(repr=False)
    subject: x509.Name
    name: bytes = field(repr=False)
    key_id: bytes
    spki: bytes = field(repr=False)
    public_key: PublicKey = field(repr=False)
    not_before: datetime
    not_after: datetime
    authority: Authority
    canonical_name: bytes = field(repr=False)
    crl_sign: bool
    name_hashes: Mapping[HashName, bytes] = field(repr=False)
    key_hashes: Mapping[HashName, bytes] = field(repr=False)

    @property
    def generation(self) -> int:
        """The year (in Japan) in which the root begins: 2015, 2019 and 2023 are the JPKI generations."""
        return (self.not_before + _JST).year

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DER in capital hexadecimal pairs, as fingerprint sheets print it."""
        return self.sha256.hex(":").upper()


def build_anchor(der: bytes, label: str = "") -> Anchor:
    """Judge one DER certificate as a root: a CA that may sign certificates, self-issued, with a right signature.

    Raises `AnchorRefused`. Its validity is judged at each use, not here: expired roots still explain expired cards.
    """
    try:
        certificate = parse_certificate(der)
    except MalformedCertificate as error:
        raise AnchorRefused(str(error)) from None
    key = certificate.public_key
    if not judge_key(key):
        raise AnchorRefused("its key is not on the list of algorithms")
    _refuse_no_root(certificate)
    if judge_signed(certificate.signature_oid, key, certificate.signature, certificate.tbs) != "good":
        raise AnchorRefused("it is not signed by itself with an algorithm of the list")
    return build_issuer(certificate, label)


def build_issuer(certificate: UnverifiedCertificate, label: str = "") -> Anchor:
    """Take a certificate as an issuer, as it is given; whoever calls knows that it may issue or sign lists.

    For other CAs' certificates (`general_trust.py`). Raises `AnchorRefused` where its key or name is of no use.
    """
    key = certificate.public_key
    if not judge_key(key):
        raise AnchorRefused("its key is not on the list of algorithms")
    name, subject = certificate.subject, x509.Name.from_bytes(certificate.subject)
    return Anchor(
        label=label,
        der=certificate.der,
        sha256=certificate.sha256,
        subject=subject,
        name=name,
        key_id=certificate.subject_key_id or derive_key_hash(certificate.spki, "sha1"),
        spki=certificate.spki,
        public_key=key,
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        authority=_name_authority(subject),
        canonical_name=_canonicalise(name),
        crl_sign=certificate.key_usage is None or "crl_sign" in certificate.key_usage,
        name_hashes={"sha1": _hash("sha1", name), "sha256": _hash("sha256", name)},
        key_hashes={
            "sha1": derive_key_hash(certificate.spki, "sha1"),
            "sha256": derive_key_hash(certificate.spki, "sha256"),
        },
    )


def _refuse_no_root(certificate: UnverifiedCertificate) -> None:
    if not certificate.is_ca:
        raise AnchorRefused("it is not a CA certificate")
    if certificate.key_usage is not None and "key_cert_sign" not in certificate.key_usage:
        raise AnchorRefused("it may not sign certificates")
    if not match_names(certificate.issuer, certificate.subject):
        raise AnchorRefused("it is not a root: another name issued it")
    if certificate.unprocessed_critical:
        raise AnchorRefused("a critical extension is not known here")


def _name_authority(subject: x509.Name) -> Authority:
    for unit in subject.get_attributes_for_oid(x509.NameOID.ORGANIZATIONAL_UNIT_NAME):
        if isinstance(unit.value, str) and unit.value in _UNITS:
            return _UNITS[unit.value]
    return "other"


def _canonicalise(name: bytes) -> bytes:
    try:
        return canonicalise_name(name)
    except MalformedDer as error:
        raise AnchorRefused(f"its name cannot be compared: {error}") from None


def derive_key_hash(spki: bytes, name: HashName) -> bytes:
    """The hash of a subjectPublicKey alone: issuerKeyHash and the responder's key hash (RFC 6960 4.1.1, 4.2.1)."""
    return _hash(name, read_subject_public_key(spki))


def _hash(name: HashName, data: bytes) -> bytes:
    if name == "sha1":
        return hashlib.sha1(data, usedforsecurity=False).digest()
    return hashlib.sha256(data).digest()


@dataclass(frozen=True, slots=True)
class PublishedRoot:
    """One root JPKI has published, as far as it is publicly known: its fingerprint, or its key identifier, or both."""

    label: str
    authority: Authority
    generation: int
    sha256: bytes | None
    key_id: bytes | None
    not_after: datetime


def read_published_roots(text: str) -> tuple[PublishedRoot, ...]:
    """Read the list `published.json`. A broken list is a broken program: errors are not caught here."""
    document = json.loads(text)
    if document["version"] != 1:
        raise ValueError("published.json has another version")
    return tuple(
        PublishedRoot(
            label=entry["label"],
            authority=entry["authority"],
            generation=entry["generation"],
            sha256=bytes.fromhex(entry["sha256"]) if entry["sha256"] else None,
            key_id=bytes.fromhex(entry["key_id"]) if entry["key_id"] else None,
            not_after=datetime.fromisoformat(entry["not_after"]),
        )
        for entry in document["roots"]
    )


def find_published(
    anchor: Anchor, published: Iterable[PublishedRoot], confirmed: frozenset[bytes] = frozenset()
) -> PublishedRoot | None:
    """The published root that this anchor is, or None: an anchor production must refuse.

    A root with a known fingerprint is recognised by it. One without is recognised when the operator has confirmed the
    fingerprint from the official sheet (`confirmed`) *and* the SHA-1 of the anchor's key is the identifier that issued
    certificates name.
    """
    for root in published:
        if root.sha256 is not None:
            if root.sha256 == anchor.sha256:
                return root
        elif root.key_id == anchor.key_hashes["sha1"] == anchor.key_id and anchor.sha256 in confirmed:
            return root
    return None


@dataclass(frozen=True, slots=True)
class AnchorFinding:
    """One thing an operator should know about the anchors. With an `error` residents cannot be served."""

    level: Literal["warning", "error"]
    text: str


def judge_anchors(
    anchors: Iterable[Anchor],
    published: Iterable[PublishedRoot],
    now: datetime,
    *,
    production: bool,
    confirmed: frozenset[bytes] = frozenset(),
) -> tuple[AnchorFinding, ...]:
    """What `kiosk doctor` says: expired and unlisted anchors, and generations whose cards would be refused."""
    anchors, published = tuple(anchors), tuple(published)
    findings: list[AnchorFinding] = []
    usable = [anchor for anchor in anchors if anchor.authority == "user_authentication"]
    if not any(anchor.not_before <= now <= anchor.not_after for anchor in usable):
        findings.append(
            AnchorFinding("error", "no valid anchor of the user-authentication CA: every card will be refused")
        )
    for anchor in anchors:
        if anchor.not_after < now:
            findings.append(AnchorFinding("warning", f"{anchor.label}: expired on {anchor.not_after:%Y-%m-%d}"))
        if production and find_published(anchor, published, confirmed) is None:
            findings.append(
                AnchorFinding("error", f"{anchor.label}: not on the list of published roots; production refuses it")
            )
    known = [root for anchor in anchors if (root := find_published(anchor, published, confirmed)) is not None]
    if production or known:  # an installation with nothing but roots of its own serves other cards
        findings.extend(_name_missing_generations(known, published, now))
    return tuple(findings)


def _name_missing_generations(
    known: Iterable[PublishedRoot], published: Iterable[PublishedRoot], now: datetime
) -> Iterator[AnchorFinding]:
    present = {root.label for root in known}
    for root in published:
        if root.authority == "user_authentication" and root.label not in present and root.not_after > now:
            yield AnchorFinding(
                "warning",
                f"the {root.generation} generation of the user-authentication CA is missing: its cards, valid until "
                f"{root.not_after:%Y-%m-%d} at the latest, will be refused as untrusted; obtain {root.label}.cer from "
                "www.jpki.go.jp and check its published fingerprint (docs/validation.md)",
            )
