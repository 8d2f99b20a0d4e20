"""Where a certificate says its revocation list is found, and where a list says it is (RFC 5280 4.2.1.13 and 5.2.5).

JPKI names its municipal lists by directory name, without an address: the names only tell which list covers which
certificate. They tell a municipality, so they are shown and logged nowhere.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from kiosk_web.pki.der import MalformedDer
from kiosk_web.pki.elements import (
    SEQUENCE,
    Element,
    Octets,
    read_boolean,
    read_element,
    read_elements,
)
from kiosk_web.pki.general_names import DIRECTORY_NAME, URI, check_general_name, check_relative_name
from kiosk_web.pki.names import canonicalise_name, canonicalise_relative_name

Coverage = Literal["all", "user", "ca"]

MAX_NAMES = 64
"""Names of one distribution point."""

_NAME, _REASONS, _CRL_ISSUER = 0xA0, 0x81, 0xA2
"""DistributionPoint."""

_USER, _CA, _SOME_REASONS, _INDIRECT, _ATTRIBUTE = 0x81, 0x82, 0x83, 0x84, 0x85
"""IssuingDistributionPoint, whose first part is _NAME as well."""

_FULL_NAME, _RELATIVE_NAME = 0xA0, 0xA1
"""DistributionPointName."""


class DistributionPoint(NamedTuple):
    """One place at which a certificate's status is published. `names` say which; any of them will do.

    Canonical directory names (`names.py`), addresses as `uri:` and their octets, other forms as they are encoded. Only
    a `plain` one counts: not limited to some reasons, and without a cRLIssuer, which stands for an indirect list (RFC
    5280 6.3.3 b 1) and is left out where the issuer publishes its own (4.2.1.13).
    """

    names: frozenset[bytes]
    plain: bool

    def __repr__(self) -> str:
        return f"DistributionPoint(plain={self.plain})"


@dataclass(frozen=True, slots=True)
class IssuingPoint:
    """What a list says of its own scope. `names` is empty for a list of the whole CA."""

    names: frozenset[bytes] = field(default=frozenset(), repr=False)
    only_user: bool = False
    only_ca: bool = False
    only_attribute: bool = False
    some_reasons: bool = False
    indirect: bool = False

    @property
    def covers(self) -> Coverage:
        """Whose certificates the list is about."""
        return "user" if self.only_user else "ca" if self.only_ca else "all"


@functools.lru_cache(maxsize=4096)
def read_distribution_points(value: bytes, issuer: bytes) -> tuple[DistributionPoint, ...]:
    """Read the value of cRLDistributionPoints in a certificate whose issuer is the DER Name `issuer`.

    Raises `MalformedDer`. Pure, and remembered: the certificates of one municipality all have the same.
    """
    whole = read_element(value, 0, len(value), SEQUENCE)
    if whole.end != len(value) or whole.content == whole.end:
        raise MalformedDer("distribution points are empty, or bytes follow them")
    points = []
    for point in read_elements(value, whole.content, whole.end):
        parts = _read_parts(value, point, frozenset({_NAME, _REASONS, _CRL_ISSUER}))
        names: frozenset[bytes] = frozenset()
        if _CRL_ISSUER in parts:
            names = _read_general_names(value, parts[_CRL_ISSUER])
        if _NAME in parts:
            names = _read_point_name(value, parts[_NAME], issuer)
        if not names:
            raise MalformedDer("distribution point has neither a name nor an issuer")
        points.append(DistributionPoint(names, plain=parts.keys() == {_NAME}))
    return tuple(points)


@functools.lru_cache(maxsize=4096)
def read_issuing_point(value: bytes, issuer: bytes) -> IssuingPoint:
    """Read the value of issuingDistributionPoint in a list whose issuer is the DER Name `issuer`.

    Raises `MalformedDer`. Pure, and remembered: each list is read twice, to be found and to be judged.
    """
    whole = read_element(value, 0, len(value), SEQUENCE)
    if whole.end != len(value):
        raise MalformedDer("bytes follow the issuing distribution point")
    if whole.content == whole.end:
        raise MalformedDer("issuing distribution point is empty")
    flags = (_USER, _CA, _INDIRECT, _ATTRIBUTE)
    parts = _read_parts(value, whole, frozenset({_NAME, _SOME_REASONS, *flags}))
    said = {tag: tag in parts and read_boolean(value, parts[tag]) for tag in flags}
    if any(tag in parts and not said[tag] for tag in flags):
        raise MalformedDer("issuing distribution point says false, which DER leaves out")
    if said[_USER] + said[_CA] + said[_ATTRIBUTE] > 1:
        raise MalformedDer("issuing distribution point contradicts itself")
    return IssuingPoint(
        names=_read_point_name(value, parts[_NAME], issuer) if _NAME in parts else frozenset(),
        only_user=said[_USER],
        only_ca=said[_CA],
        only_attribute=said[_ATTRIBUTE],
        some_reasons=_SOME_REASONS in parts,
        indirect=said[_INDIRECT],
    )


def _read_parts(value: Octets, whole: Element, known: frozenset[int]) -> dict[int, Element]:
    """The tagged parts of a sequence by tag: each known, once, and in order."""
    parts = list(read_elements(value, whole.content, whole.end))
    if whole.tag != SEQUENCE or not known.issuperset(part.tag for part in parts):
        raise MalformedDer("distribution point has other parts")
    numbers = [part.tag & 0x1F for part in parts]
    if numbers != sorted(set(numbers)):
        raise MalformedDer("distribution point has parts out of order")
    return {part.tag: part for part in parts}


def _read_point_name(value: bytes, part: Element, issuer: bytes) -> frozenset[bytes]:
    """A DistributionPointName: full names, or one part below the name of the issuer."""
    name = read_element(value, part.content, part.end)
    if name.end != part.end or name.tag not in (_FULL_NAME, _RELATIVE_NAME):
        raise MalformedDer("distribution point has another kind of name")
    if name.tag == _RELATIVE_NAME:
        check_relative_name(value, name.content, name.end)
        return frozenset({canonicalise_relative_name(issuer, value[name.content : name.end])})
    return _read_general_names(value, name)


def _read_general_names(value: bytes, whole: Element) -> frozenset[bytes]:
    names = [_canonicalise_general_name(value, name) for name in read_elements(value, whole.content, whole.end)]
    if not 0 < len(names) <= MAX_NAMES:
        raise MalformedDer("distribution point has no name or too many")
    return frozenset(names)


def _canonicalise_general_name(value: bytes, name: Element) -> bytes:
    """A name for comparing. The first octet tells the kinds apart: 30, `u`, or the tag itself."""
    check_general_name(value, name.start, name.end)
    if name.tag == DIRECTORY_NAME:
        return canonicalise_name(value[name.content : name.end])
    if name.tag == URI:
        return b"uri:" + value[name.content : name.end]
    return value[name.start : name.end]
