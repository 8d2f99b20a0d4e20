"""DER elements (ITU-T X.690) of revocation lists and names, read strictly and one by one from the bytes as they came.

Positions are octets from the start of `data`, which may be a view of a mapped file: nothing of it is copied.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from kiosk_web.pki.der import (
    BIT_STRING,
    BOOLEAN,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    MalformedDer,
    Octets,
    check_integer,
    name_object_identifier,
    read_any,
    read_value,
)

__all__ = ["BIT_STRING", "INTEGER", "OBJECT_IDENTIFIER", "SEQUENCE", "SET", "Octets"]

ENUMERATED = 0x0A
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18

_EXTENSION_SHAPES = (
    [SEQUENCE, OBJECT_IDENTIFIER, OCTET_STRING],
    [SEQUENCE, OBJECT_IDENTIFIER, BOOLEAN, OCTET_STRING],
)


class Element(NamedTuple):
    """One element of `data`: `start` is its tag, `content` the first byte of its value, `end` the byte after it."""

    tag: int
    start: int
    content: int
    end: int


def read_element(data: Octets, start: int, limit: int, tag: int | None = None) -> Element:
    """Read the element at `start`, which must carry `tag` (None: any of one octet) and end by `limit`.

    Lengths are minimal and definite, of at most 4 octets.
    """
    if tag is None:
        tag, content, end = read_any(data, start, limit)
    else:
        content, end = read_value(data, start, limit, tag)
    return Element(tag, start, content, end)


def read_elements(data: Octets, start: int, limit: int) -> Iterator[Element]:
    """The elements that fill `data[start:limit]` one after the other."""
    while start < limit:
        element = read_element(data, start, limit)
        yield element
        start = element.end


def read_integer(data: Octets, element: Element) -> int:
    """The value of an INTEGER or ENUMERATED in its shortest form."""
    check_integer(data, element.content, element.end)
    return int.from_bytes(data[element.content : element.end], "big", signed=True)


def read_boolean(data: Octets, element: Element) -> bool:
    """The value of a BOOLEAN, which DER writes as 00 or FF alone."""
    value = bytes(data[element.content : element.end])
    if value not in (b"\x00", b"\xff"):
        raise MalformedDer("boolean is neither 00 nor FF")
    return value == b"\xff"


def read_time(data: Octets, element: Element) -> datetime:
    """A time as RFC 5280 4.1.2.5 writes it, to the second and in UTC; aware."""
    digits = bytes(data[element.content : element.end])
    if element.tag == UTC_TIME and len(digits) == 13:
        digits = (b"19" if digits >= b"5" else b"20") + digits
    elif element.tag != GENERALIZED_TIME or len(digits) != 15:
        raise MalformedDer("time is not in its one form")
    if not digits[:14].isdigit() or digits[14:] != b"Z":
        raise MalformedDer("time is not in its one form")
    year, (month, day, hour, minute, second) = int(digits[:4]), (int(digits[at : at + 2]) for at in range(4, 14, 2))
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise MalformedDer("there is no such time") from None


def read_object_identifier(data: Octets, element: Element) -> str:
    """An object identifier in dotted form."""
    return name_object_identifier(bytes(data[element.content : element.end]))


def read_bits(data: Octets, element: Element) -> bytes:
    """The octets of a BIT STRING of whole octets."""
    if element.content == element.end or data[element.content] != 0:
        raise MalformedDer("bit string is not whole octets")
    return bytes(data[element.content + 1 : element.end])


class Extension(NamedTuple):
    """One extension of a list or an entry: its OID in dotted form, and where its value lies in `data`."""

    oid: str
    critical: bool
    start: int
    end: int


def read_extensions(data: Octets, start: int, limit: int) -> Iterator[Extension]:
    """The `Extensions` at `start`, which fill the place up to `limit`: one or more, none of them twice."""
    whole = read_element(data, start, limit, SEQUENCE)
    if whole.end != limit or whole.content == whole.end:
        raise MalformedDer("extensions are empty, or bytes follow them")
    seen: set[str] = set()
    for extension in read_elements(data, whole.content, whole.end):
        parts = list(read_elements(data, extension.content, extension.end))
        tags = [extension.tag, *(part.tag for part in parts)]
        if tags not in _EXTENSION_SHAPES:
            raise MalformedDer("extension is not identifier, criticality and value")
        oid = read_object_identifier(data, parts[0])
        critical = len(parts) == 3
        if critical and not read_boolean(data, parts[1]):
            raise MalformedDer("extension says that it is not critical, which DER leaves out")
        if oid in seen:
            raise MalformedDer("extension is there twice")
        seen.add(oid)
        yield Extension(oid, critical, parts[-1].content, parts[-1].end)
