"""A strict reader of DER elements (ITU-T X.690) over bytes as they came: nothing is re-encoded and nothing copied.

An element is read where it must stand, with the tag it must have: `read_value` gives the span of its value. Positions
are offsets into the whole data, so that any part can be cut out, hashed or compared raw.
"""

from __future__ import annotations

import functools

Octets = bytes | memoryview

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
SEQUENCE = 0x30
SET = 0x31

HIGH_TAG = 0x1F
"""The tag numbers that need more than one byte; nothing in a certificate or an answer has one."""

MAX_OBJECT_IDENTIFIER = 63
"""Octets of an object identifier: far more than any in use."""


class MalformedDer(ValueError):
    """The bytes are not the DER that was expected; the message names the fault, never the content."""


def read_value(data: Octets, start: int, limit: int, tag: int) -> tuple[int, int]:
    """The element at `start` must carry `tag` and end by `limit`: the span (content, end) of its value.

    Lengths are definite and minimal. Raises `MalformedDer`.
    """
    content = start + 2
    if content > limit:
        raise MalformedDer("element is cut off")
    if data[start] != tag:
        raise MalformedDer(f"tag {tag:#04x} expected")
    length = data[start + 1]
    if length >= 0x80:
        if length == 0x82 and content + 2 <= limit and data[content]:  # of the long forms the usual one, without a call
            length = data[content] << 8 | data[content + 1]
            content += 2
        else:
            content, length = _read_long_length(data, start, limit)
    end = content + length
    if end > limit:
        raise MalformedDer("value is cut off")
    return content, end


def read_whole(data: Octets, start: int, limit: int, tag: int) -> int:
    """As `read_value`, where nothing may follow the element before `limit`: the start of its value."""
    content, end = read_value(data, start, limit, tag)
    if end != limit:
        raise MalformedDer("bytes follow the element")
    return content


def read_any(data: Octets, start: int, limit: int) -> tuple[int, int, int]:
    """The element at `start`, whatever it is: (tag, content, end)."""
    if start >= limit:
        raise MalformedDer("element is missing")
    tag = data[start]
    if tag & HIGH_TAG == HIGH_TAG:
        raise MalformedDer("tag of several bytes")
    return (tag, *read_value(data, start, limit, tag))


def _read_long_length(data: Octets, start: int, limit: int) -> tuple[int, int]:
    """(content, length) of an element whose length has a byte for its size."""
    size = data[start + 1] & 0x7F
    content = start + 2 + size
    if not 1 <= size <= 4 or content > limit:
        raise MalformedDer("length is indefinite, too long or cut off")
    length = int.from_bytes(data[start + 2 : content], "big")
    if length < 0x80 or length >> (8 * (size - 1)) == 0:
        raise MalformedDer("length is not minimal")
    return content, length


def read_true(data: Octets, start: int, limit: int) -> int:
    """The end of a BOOLEAN that is TRUE: where FALSE is the default it is left out (X.690 11.5)."""
    content, end = read_value(data, start, limit, BOOLEAN)
    if end != content + 1 or data[content] != 0xFF:
        raise MalformedDer("not the boolean TRUE")
    return end


def check_integer(data: Octets, content: int, end: int) -> None:
    """The value of an INTEGER in as few octets as it needs (X.690 8.3.2)."""
    if content == end:
        raise MalformedDer("integer is empty")
    if end - content > 1 and (data[content], data[content + 1] >> 7) in ((0x00, 0), (0xFF, 1)):
        raise MalformedDer("integer is not minimal")


def check_unsigned(data: Octets, content: int, end: int) -> None:
    """As `check_integer`, of a number that is not negative."""
    check_integer(data, content, end)
    if data[content] >= 0x80:
        raise MalformedDer("number is negative")


@functools.lru_cache(maxsize=1024)
def name_object_identifier(value: bytes) -> str:
    """The dotted form of the value of an OBJECT IDENTIFIER (X.690 8.19); arcs are below 2^32.

    Remembered: few are in use, and they stand in every list and certificate.
    """
    if not value or len(value) > MAX_OBJECT_IDENTIFIER or value[-1] >= 0x80:
        raise MalformedDer("object identifier is empty, too long or cut off")
    arcs: list[int] = []
    arc = 0
    for position, octet in enumerate(value):
        if arc == 0 and octet == 0x80 and (position == 0 or value[position - 1] < 0x80):
            raise MalformedDer("object identifier is not minimal")
        arc = arc << 7 | octet & 0x7F
        if arc >> 32:
            raise MalformedDer("object identifier has too large an arc")
        if octet < 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def read_subject_public_key(spki: bytes) -> bytes:
    """The octets of `subjectPublicKey` alone: what OCSP hashes as issuerKeyHash (RFC 6960 4.1.1)."""
    start = read_whole(spki, 0, len(spki), SEQUENCE)
    _, end = read_value(spki, start, len(spki), SEQUENCE)
    bits = read_whole(spki, end, len(spki), BIT_STRING)
    if bits == len(spki) or spki[bits] != 0:
        raise MalformedDer("public key is not whole octets")
    return spki[bits + 1 :]
