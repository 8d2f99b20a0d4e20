"""Revocation lists that hypothesis builds: an ordinary municipal one, and up to three respects in which it is not.

How a case is written: `generated_case.py`. The certificate in question is an ordinary one but for its
distribution points; a second list may lie beside the first.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID
from hypothesis import strategies as st

from kiosk_web.pki.crl_trust import CrlPolicy
from kiosk_web.pki.trust import TrustedCertificate
from tests.support.crl_writer import (
    encode_entry,
    encode_extension,
    encode_integer,
    encode_point,
    encode_reason,
    encode_time,
)
from tests.support.der import SEQUENCE, tlv
from tests.support.generated_case import ROOTS, Case, GeneratedCase, choose_with_times, encode_otherwise, respell
from tests.support.generated_list_entries import ENTRY_FIELDS, LONG_SERIAL, build_entries
from tests.support.jpki import (
    NOW,
    Issued,
    Root,
    build_distribution_point,
    build_municipal_name,
    build_name,
    issue,
    rsa_key,
    trust,
)
from tests.support.signed_der import Mutation, build_signed, choose_algorithm

SERIAL = 0x0A1B2C3D
HOUR = 3600

_MUNICIPAL = x509.DirectoryName(build_municipal_name())
_ANOTHER = x509.DirectoryName(build_municipal_name("Yanaka-ku"))
_ADDRESS = x509.UniformResourceIdentifier("http://crl.invalid/kasumi.crl")
_LOCAL = x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, "Kasumi-ku CRLDP")])
_SOME = frozenset({x509.ReasonFlags.key_compromise, x509.ReasonFlags.certificate_hold})
_RESPELLED = x509.DirectoryName(
    x509.Name(
        [
            x509.NameAttribute(part.oid, str(part.value).upper(), _ASN1Type.PrintableString)
            for part in build_municipal_name()
        ]
    )
)

_KEY_ID, _NUMBER, _POINT, _DELTA = (bytes.fromhex(oid) for oid in ("551d23", "551d14", "551d1c", "551d1b"))
_UNKNOWN = bytes.fromhex("2a030405")
_AIA = bytes.fromhex("2b06010505070101")
_FRESHEST, _ISSUER_ALT = bytes.fromhex("551d2e"), bytes.fromhex("551d12")

_SECONDS = (-400000, -108121, -108120, -108000, -86400, -7200, -121, -1, 0, 1, 120, 121, 3600, 100800)
FIELDS: dict[str, dict[str, Any]] = {
    "root": {"2019": "2019", "P-384": "P-384"},
    "serial": {"long": LONG_SERIAL},
    "certificate points": dict.fromkeys(
        (
            "none",
            "two",
            "another municipality",
            "for some reasons",
            "of another issuer",
            "of the issuer",
            "the issuer alone",
            "relative",
            "address",
            "respelled",
        )
    ),
    "point": {
        "none": None,
        "nothing in it": tlv(SEQUENCE, b""),
        "another municipality": encode_point([_ANOTHER]),
        "two": encode_point([_ANOTHER, _MUNICIPAL]),
        "respelled": encode_point([_RESPELLED]),
        "address": encode_point([_ADDRESS]),
        "relative": x509.IssuingDistributionPoint(None, _LOCAL, False, False, None, False, False).public_bytes(),
        "users": encode_point([_MUNICIPAL], only_contains_user_certs=True),
        "users of the whole CA": encode_point(only_contains_user_certs=True),
        "CAs": encode_point([_MUNICIPAL], only_contains_ca_certs=True),
        "attribute certificates": encode_point([_MUNICIPAL], only_contains_attribute_certs=True),
        "indirect": encode_point([_MUNICIPAL], indirect_crl=True),
        "some reasons": x509.IssuingDistributionPoint(
            [_MUNICIPAL], None, False, False, _SOME, False, False
        ).public_bytes(),
        "not critical": encode_point([_MUNICIPAL]),
    },
    "signer": {"stranger": "stranger", **{f"root {name}": name for name in ROOTS}},
    "signer's key": {"stranger": "stranger", **{f"root {name}": name for name in ROOTS}},
    "authority key": dict.fromkeys(("absent", "absent, allowed", "stranger", "with another serial", "empty")),
    "issuer name": {"of the other CA": None, "other string types": None, "other case": None},
    "this update": {str(offset): offset for offset in _SECONDS},
    "next update": {"absent": None, **{str(offset): offset for offset in _SECONDS}},
    "fraction": {"1 µs": 1, "999999 µs": 999_999},
    "number": {"absent": None, "0": 0, "-1": -1, "20 octets": (1 << 159) - 1, "21 octets": 1 << 160},
    "extension": {
        "unknown": (_UNKNOWN, b"\x05\x00", False),
        "unknown, critical": (_UNKNOWN, b"\x05\x00", True),
        "delta": (_DELTA, b"\x02\x01\x01", True),
        "delta, not critical": (_DELTA, b"\x02\x01\x01", False),
        "freshest": (
            _FRESHEST,
            x509.FreshestCRL([build_distribution_point(build_municipal_name())]).public_bytes(),
            False,
        ),
        "issuerAltName, critical": (
            _ISSUER_ALT,
            x509.IssuerAlternativeName([x509.DNSName("a.invalid")]).public_bytes(),
            True,
        ),
        "number twice": (_NUMBER, encode_integer(1000), False),
        "AIA": (
            _AIA,
            x509.AuthorityInformationAccess(
                [x509.AccessDescription(x509.oid.AuthorityInformationAccessOID.CA_ISSUERS, _ADDRESS)]
            ).public_bytes(),
            False,
        ),
    },
    **ENTRY_FIELDS,
    "version": {"absent": b"", "1": b"\x02\x01\x00", "3": b"\x02\x01\x02"},
    "algorithm": dict.fromkeys(("SHA-1", "MD5", "SHA-256", "SHA-256 without parameters", "SHA-384", "SHA-512", "PSS")),
    "encoding": dict.fromkeys(
        ("two algorithms", "generalized times", "length not minimal", "a byte after", "no extensions")
    ),
    "beside": dict.fromkeys(
        (
            "a silent one of the whole CA",
            "a revoking one of the whole CA",
            "a revoking one that is too old",
            "a holding one that is older",
            "a silent one of 2015",
            "a silent one of 2019",
            "a revoking one of 2019",
            "a silent one of another municipality",
            "a revoking one of another municipality",
            "the other reasons",
        )
    ),
}

ORDINARY = {"this update": -2 * HOUR, "next update": 28 * HOUR}
"""Seconds from the moment."""


def cases() -> st.SearchStrategy[dict[str, str]]:
    """Up to three deviations, the times now and then anywhere in some days."""
    return choose_with_times(FIELDS, ORDINARY, 300_000)


@dataclass(frozen=True)
class Lists(GeneratedCase):
    """What one case comes to: one list, or two. `imported` says when each came: the second when it was new.

    `delta` is an empty delta list of the issuer, for a judge who wants one where freshestCRL speaks of it; `twin` the
    same certificate without distribution points.
    """

    certificate: TrustedCertificate = field(repr=False)
    leaf: bytes = field(repr=False)
    twin: bytes = field(repr=False)
    root: Root = field(repr=False)
    lists: tuple[bytes, ...] = field(repr=False)
    imported: tuple[datetime, ...] = field(repr=False)
    delta: bytes = field(repr=False)
    policy: CrlPolicy = field(repr=False)
    moment: datetime
    mutated: bool = False

    def offset(self, field: str) -> int:
        """Seconds from the moment, which may itself be a fraction of one later."""
        return int(self.case.get(field, ORDINARY[field]))


def build_lists(case: Case, mutation: Mutation | None = None) -> Lists:
    """The lists of a case, and the certificate they are asked about."""
    name = case.get("root", "2023")
    root = ROOTS[name]
    leaf = _issue_leaf(name, case.get("certificate points", ""), case.get("serial", ""))
    first = _build_first(case, root, leaf.certificate.serial_number)
    if mutation is not None:
        first = mutation.apply(first)
    beside = case.get("beside", "")
    second = _build_beside(beside, root, leaf.certificate.serial_number)
    moment = NOW + timedelta(microseconds=FIELDS["fraction"].get(case.get("fraction", ""), 0))
    policy = CrlPolicy(allow_missing_key_id=case.get("authority key") == "absent, allowed")
    return Lists(
        case,
        trust(leaf, root),
        leaf.der,
        _issue_leaf(name, "none", case.get("serial", "")).der,
        root,
        lists=(first, *second),
        imported=(moment, moment - timedelta(days=4) if beside == "a revoking one that is too old" else moment),
        delta=_build_delta(root, case),
        policy=policy,
        moment=moment,
        mutated=mutation is not None,
    )


@functools.cache
def _issue_leaf(root: str, points: str, serial: str) -> Issued:
    anchor = ROOTS[root]
    issuer = [x509.DirectoryName(anchor.name)]
    another = [x509.DirectoryName(build_name("digital_signature"))]
    kinds: dict[str, list[x509.DistributionPoint]] = {
        "": [build_distribution_point(build_municipal_name())],
        "none": [],
        "two": [
            build_distribution_point(build_municipal_name("Yanaka-ku")),
            build_distribution_point(build_municipal_name()),
        ],
        "another municipality": [build_distribution_point(build_municipal_name("Yanaka-ku"))],
        "for some reasons": [x509.DistributionPoint([_MUNICIPAL], None, _SOME, None)],
        "of another issuer": [x509.DistributionPoint([_MUNICIPAL], None, None, another)],
        "of the issuer": [x509.DistributionPoint([_MUNICIPAL], None, None, issuer)],
        "the issuer alone": [x509.DistributionPoint(None, None, None, issuer)],
        "relative": [x509.DistributionPoint(None, _LOCAL, None, None)],
        "address": [x509.DistributionPoint([_ADDRESS], None, None, None)],
        "respelled": [x509.DistributionPoint([_RESPELLED], None, None, None)],
    }
    return issue(anchor, serial=FIELDS["serial"].get(serial, SERIAL), points=kinds[points])


def _build_first(case: Case, root: Root, serial: int) -> bytes:
    signer = case.get("signer", "")
    speaker = root if signer in ("", "stranger") else ROOTS[FIELDS["signer"][signer]]
    holder = case.get("signer's key", "stranger" if signer == "stranger" else "")
    key = speaker.key
    if holder:
        key = rsa_key("stranger") if holder == "stranger" else ROOTS[FIELDS["signer's key"][holder]].key
    algorithm = choose_algorithm(key, case.get("algorithm"))
    encoding = case.get("encoding", "")
    inner = choose_algorithm(key, "SHA-1") if encoding == "two algorithms" else algorithm
    generalized = encoding == "generalized times"
    parts = [FIELDS["version"].get(case.get("version", ""), b"\x02\x01\x01"), inner.identifier]
    parts.append(_spell(speaker.name, case.get("issuer name", "")).public_bytes())
    for update in ("this update", "next update"):
        offset = case.get(update, ORDINARY[update])
        if offset != "absent":
            parts.append(encode_time(NOW + timedelta(seconds=int(offset)), generalized=generalized))
    entries = build_entries(case, serial)
    if entries or case.get("says of others") == "an empty list":
        parts.append(tlv(SEQUENCE, b"".join(entries)))
    if encoding != "no extensions":
        parts.append(tlv(0xA0, tlv(SEQUENCE, b"".join(_build_extensions(case, speaker)))))
    der = build_signed(tlv(SEQUENCE, b"".join(parts)), key, algorithm)
    return encode_otherwise(der, encoding)


def _spell(name: x509.Name, how: str) -> x509.Name:
    match how:
        case "of the other CA":
            return build_name("digital_signature")
        case "":
            return name
        case _:
            return respell(name, other_case=how == "other case")


def _build_extensions(case: Case, speaker: Root) -> list[bytes]:
    extensions = []
    match case.get("authority key", ""):
        case "absent" | "absent, allowed":
            pass
        case "stranger":
            extensions.append(encode_extension(_KEY_ID, tlv(SEQUENCE, tlv(0x80, bytes(20)))))
        case "empty":
            extensions.append(encode_extension(_KEY_ID, tlv(SEQUENCE, b"")))
        case "with another serial":
            names = [x509.DirectoryName(speaker.name)]
            identifier = x509.AuthorityKeyIdentifier(speaker.anchor.key_id, names, 1)
            extensions.append(encode_extension(_KEY_ID, identifier.public_bytes()))
        case _:
            extensions.append(encode_extension(_KEY_ID, tlv(SEQUENCE, tlv(0x80, speaker.anchor.key_id))))
    number = FIELDS["number"].get(case.get("number", ""), 1000)
    if number is not None:
        extensions.append(encode_extension(_NUMBER, encode_integer(number)))
    point = FIELDS["point"][case["point"]] if "point" in case else encode_point([_MUNICIPAL])
    if point is not None:
        extensions.append(encode_extension(_POINT, point, critical=case.get("point") != "not critical"))
    if "extension" in case:
        oid, value, critical = FIELDS["extension"][case["extension"]]
        extensions.append(encode_extension(oid, value, critical=critical))
    return extensions


def _build_beside(beside: str, root: Root, serial: int) -> Sequence[bytes]:
    """The second list, in its own words."""
    revoked = [encode_entry(serial, NOW - timedelta(days=2), [encode_reason(1)])]
    whole: Case = {"point": "none"}
    match beside:
        case "a silent one of the whole CA":
            return [_build_other(whole, root, [])]
        case "a revoking one of the whole CA":
            return [_build_other(whole, root, revoked)]
        case "a revoking one that is too old":
            return [_build_other({"this update": "-400000", "next update": "-300000"}, root, revoked)]
        case "a holding one that is older":
            held = [encode_entry(serial, NOW - timedelta(days=2), [encode_reason(6)])]
            return [_build_other({**whole, "this update": "-90000"}, root, held)]
        case "a silent one of 2015":
            return [_build_other(whole, ROOTS["2015"], [])]
        case "a silent one of 2019":
            return [_build_other(whole, ROOTS["2019"], [])]
        case "a revoking one of 2019":
            return [_build_other(whole, ROOTS["2019"], revoked)]
        case "a silent one of another municipality":
            return [_build_other({"point": "another municipality"}, root, [])]
        case "a revoking one of another municipality":
            return [_build_other({"point": "another municipality"}, root, revoked)]
        case "the other reasons":
            rest = frozenset(
                reason for reason in x509.ReasonFlags if reason.value not in ("unspecified", "removeFromCRL")
            )
            point = x509.IssuingDistributionPoint([_MUNICIPAL], None, False, False, rest - _SOME, False, False)
            return [_build_other(whole, root, [], encode_extension(_POINT, point.public_bytes(), critical=True))]
        case _:
            return []


def _build_delta(root: Root, case: Case) -> bytes:
    same = {field: case[field] for field in ("point", "authority key") if field in case}
    return _build_other(same, root, [], encode_extension(_DELTA, encode_integer(1000), critical=True))


def _build_other(case: Case, root: Root, entries: Sequence[bytes], extension: bytes = b"") -> bytes:
    algorithm = choose_algorithm(root.key)
    times = [NOW + timedelta(seconds=int(case.get(update, ORDINARY[update]))) for update in ORDINARY]
    parts = [b"\x02\x01\x01", algorithm.identifier, root.name.public_bytes(), *map(encode_time, times)]
    if entries:
        parts.append(tlv(SEQUENCE, b"".join(entries)))
    extensions = [*_build_extensions(case, root), *([extension] if extension else [])]
    parts.append(tlv(0xA0, tlv(SEQUENCE, b"".join(extensions))))
    return build_signed(tlv(SEQUENCE, b"".join(parts)), root.key, algorithm)
