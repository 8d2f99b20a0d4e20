"""Revocation lists as they come (RFC 5280 5), read and not yet believed: `read_crl(data)` gives an `UnverifiedCrl`.

A national list has hundreds of megabytes: only what stands around its entries is looked at here, and nothing of it is
copied. The entries are read by `crl_entries.py`, after `crl_trust.py` has judged the list.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from kiosk_web.pki import elements
from kiosk_web.pki.der import MalformedDer
from kiosk_web.pki.distribution_points import IssuingPoint, read_issuing_point
from kiosk_web.pki.elements import (
    BIT_STRING,
    GENERALIZED_TIME,
    INTEGER,
    OBJECT_IDENTIFIER,
    SEQUENCE,
    UTC_TIME,
    Element,
    Octets,
    read_element,
)
from kiosk_web.pki.names import canonicalise_name

AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"
CRL_NUMBER = "2.5.29.20"
DELTA_CRL_INDICATOR = "2.5.29.27"
ISSUING_DISTRIBUTION_POINT = "2.5.29.28"

PROCESSED_EXTENSIONS = frozenset(
    {AUTHORITY_KEY_IDENTIFIER, CRL_NUMBER, DELTA_CRL_INDICATOR, ISSUING_DISTRIBUTION_POINT}
)
"""What a judge really looks at. Any other extension marked critical makes a list unusable (RFC 5280 5.2)."""

MAX_EXTENSIONS = 64 * 1024
"""Bytes of all extensions of a list."""

MAX_NUMBER_OCTETS = 20
"""RFC 5280 5.2.3."""

MAX_FRAME = 16 * 1024
"""Bytes around the entries that are kept for a second reading. JPKI's lists have about 1 kB of them."""

_EXTENSIONS = 0xA0
_KEY_IDENTIFIER = 0x80
_PARAMETERS = (b"", b"\x05\x00")
"""The algorithms of the list have none (ECDSA), or NULL (RSA)."""


class MalformedCrl(ValueError):
    """The bytes are not one DER-encoded list that can be read. `why` is a stable word of docs/validation.md.

    The message says where the fault is and repeats no byte of the list.
    """

    def __init__(self, detail: str, why: str = "malformed") -> None:
        super().__init__(detail)
        self.why = why


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class UnverifiedCrl:
    """The parts of a list nobody has vouched for yet; its `repr` shows nothing of them.

    `data` is the whole list, a view of the bytes that were given; `tbs` and `entries` are (start, end) in it, `entries`
    the content of revokedCertificates and (0, 0) for a list without any. Times are aware (UTC). `issuer` is canonical
    (`names.py`). `algorithms_agree`: the signature algorithm is the same inside and outside of what is signed.
    """

    data: memoryview
    tbs: tuple[int, int]
    entries: tuple[int, int]
    signature: bytes
    signature_oid: str
    algorithms_agree: bool
    issuer: bytes
    this_update: datetime
    next_update: datetime | None
    authority_key_id: bytes | None
    crl_number: int | None
    point: IssuingPoint
    delta: bool
    unknown_critical: tuple[str, ...]

    @property
    def size(self) -> int:
        """Octets of the whole list."""
        return len(self.data)

    @property
    def signed_view(self) -> memoryview:
        """The bytes that are signed, where they lie."""
        return self.data[self.tbs[0] : self.tbs[1]]

    def __repr__(self) -> str:
        return "UnverifiedCrl(…)"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CrlFrame:
    """What a list has around its entries, copied, and what was read there: bytes that are just the same need no second
    reading. It holds nothing of the memory in which the list was read.
    """

    size: int
    before: bytes
    behind: bytes
    read: UnverifiedCrl

    def read_again(self, view: memoryview) -> UnverifiedCrl | None:
        """As `read_crl(view)`; None if a single octet around the entries is another one, or the size is."""
        start, end = self.read.entries
        same = len(view) == self.size and bytes(view[:start]) == self.before and bytes(view[end:]) == self.behind
        return replace(self.read, data=view) if same else None


def keep_frame(crl: UnverifiedCrl) -> CrlFrame | None:
    """The frame of a list, to read it again once it was loaded; None if it is too large to be kept."""
    start, end = crl.entries
    if start + crl.size - end > MAX_FRAME:
        return None
    before, behind = bytes(crl.data[:start]), bytes(crl.data[end:])
    return CrlFrame(crl.size, before, behind, replace(crl, data=memoryview(b"")))


def read_crl(data: Octets) -> UnverifiedCrl:
    """Read exactly one DER list, strictly, without touching its entries. Raises `MalformedCrl`.

    `data` may be a view of a mapped file; the result keeps it open. Takes the same time whatever the size.
    """
    view = memoryview(data)
    try:
        return _read(view)
    except MalformedDer as error:
        raise MalformedCrl(str(error)) from None


@dataclass(frozen=True, slots=True)
class _Extensions:
    """What the extensions of a list say."""

    authority_key_id: bytes | None = None
    crl_number: int | None = None
    point: IssuingPoint = field(default_factory=IssuingPoint)
    delta: bool = False
    unknown_critical: tuple[str, ...] = ()


def _read(view: memoryview) -> UnverifiedCrl:
    whole = read_element(view, 0, len(view), SEQUENCE)
    if whole.end != len(view):
        raise MalformedDer("bytes follow the list")
    tbs = read_element(view, whole.content, whole.end, SEQUENCE)
    outer = read_element(view, tbs.end, whole.end, SEQUENCE)
    bits = read_element(view, outer.end, whole.end, BIT_STRING)
    if bits.end != whole.end:
        raise MalformedDer("bytes follow the signature")

    position, second_version = tbs.content, False
    if position < tbs.end and view[position] == INTEGER:
        version = read_element(view, position, tbs.end, INTEGER)
        if elements.read_integer(view, version) != 1:
            raise MalformedDer("list is of an unknown version")
        position, second_version = version.end, True
    inner = read_element(view, position, tbs.end, SEQUENCE)
    name = read_element(view, inner.end, tbs.end, SEQUENCE)
    issuer = bytes(view[name.start : name.end])
    time = read_element(view, name.end, tbs.end)
    this_update, next_update, position = elements.read_time(view, time), None, time.end
    if position < tbs.end and view[position] in (UTC_TIME, GENERALIZED_TIME):
        time = read_element(view, position, tbs.end)
        next_update, position = elements.read_time(view, time), time.end
    entries = (0, 0)
    if position < tbs.end and view[position] == SEQUENCE:
        revoked = read_element(view, position, tbs.end, SEQUENCE)
        entries, position = (revoked.content, revoked.end), revoked.end
    extensions = _Extensions()
    if position < tbs.end:
        wrapped = read_element(view, position, tbs.end, _EXTENSIONS)
        if wrapped.end != tbs.end or not second_version:
            raise MalformedDer("bytes follow the entries")
        extensions = _read_extensions(bytes(view[wrapped.content : wrapped.end]), issuer)
    return UnverifiedCrl(
        data=view,
        tbs=(tbs.start, tbs.end),
        entries=entries,
        signature=elements.read_bits(view, bits),
        signature_oid=_read_algorithm(view, outer),
        algorithms_agree=view[outer.start : outer.end] == view[inner.start : inner.end],
        issuer=canonicalise_name(issuer),
        this_update=this_update,
        next_update=next_update,
        authority_key_id=extensions.authority_key_id,
        crl_number=extensions.crl_number,
        point=extensions.point,
        delta=extensions.delta,
        unknown_critical=extensions.unknown_critical,
    )


def _read_algorithm(view: memoryview, algorithm: Element) -> str:
    """The OID of an AlgorithmIdentifier, whose parameters are absent or NULL."""
    oid = read_element(view, algorithm.content, algorithm.end, OBJECT_IDENTIFIER)
    if bytes(view[oid.end : algorithm.end]) not in _PARAMETERS:
        return ""
    return elements.read_object_identifier(view, oid)


@functools.lru_cache(maxsize=4096)
def _read_extensions(data: bytes, issuer: bytes) -> _Extensions:
    """Remembered: each list is read twice, to be found and to be judged."""
    if len(data) > MAX_EXTENSIONS:
        raise MalformedDer("extensions are too long")
    said: dict[str, Any] = {}
    unknown: list[str] = []
    for extension in elements.read_extensions(data, 0, len(data)):
        value = data[extension.start : extension.end]
        match extension.oid:
            case "2.5.29.35":
                said["authority_key_id"] = _read_key_identifier(value)
            case "2.5.29.20":
                said["crl_number"] = _read_number(value)
            case "2.5.29.27":
                _read_number(value)
                said["delta"] = True
            case "2.5.29.28":
                said["point"] = read_issuing_point(value, issuer)
            case oid if extension.critical:
                unknown.append(oid)
            case _:
                pass
    return _Extensions(**said, unknown_critical=tuple(unknown))


def _read_key_identifier(value: bytes) -> bytes | None:
    """keyIdentifier of an AuthorityKeyIdentifier. The issuer and serial beside it are a hint that is not followed."""
    whole = read_element(value, 0, len(value), SEQUENCE)
    if whole.end != len(value):
        raise MalformedDer("bytes follow the key identifier")
    parts = list(elements.read_elements(value, whole.content, whole.end))
    if not parts or parts[0].tag != _KEY_IDENTIFIER:
        return None
    return value[parts[0].content : parts[0].end]


def _read_number(value: bytes) -> int:
    number = read_element(value, 0, len(value), INTEGER)
    if number.end != len(value):
        raise MalformedDer("bytes follow the number of the list")
    result = elements.read_integer(value, number)
    if not 0 <= result < 1 << (8 * MAX_NUMBER_OCTETS):
        raise MalformedDer("number of the list is negative or longer than 20 octets")
    return result
