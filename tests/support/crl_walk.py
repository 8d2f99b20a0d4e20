"""Revocation entries by the plainest means: from one to the next, each element cut out and looked at, in Python alone.

Slow, short and written without a look at the product: what `scan_entries` finds is compared with this.
"""

from __future__ import annotations

from datetime import UTC, datetime

REASONS = {0, 1, 2, 3, 4, 5, 6, 9, 10}


class Refused(Exception):
    """There is something in the entries that a complete list of one issuer does not have."""


def walk(data: bytes) -> list[tuple[int, datetime, int | None]]:
    """(serial number, date, reason or None) of the entries that make up `data`. Raises `Refused`."""
    return [read_entry(value) for value in split(data, 0x30)]


def read_entry(value: bytes) -> tuple[int, datetime, int | None]:
    (number_tag, number), (time_tag, time), *rest = take(value, 2)
    if number_tag != 0x02 or len(rest) > 1:
        raise Refused("shape")
    serial = read_integer(number)
    if not 0 < serial < 2**160:
        raise Refused("serial")
    reason = None
    if rest:
        if rest[0][0] != 0x30 or not rest[0][1]:
            raise Refused("extensions")
        reason = read_extensions(rest[0][1])
    return serial, read_time(time_tag, time), reason


def read_extensions(value: bytes) -> int | None:
    found: dict[bytes, int | None] = {}
    for extension in split(value, 0x30):
        (oid_tag, oid), (tag, content), *rest = take(extension, 2)
        critical = tag == 0x01
        if critical:
            if content != b"\xff" or len(rest) != 1:
                raise Refused("criticality")
            tag, content = rest.pop()
        if rest or oid_tag != 0x06 or tag != 0x04 or oid in found or not is_identifier(oid):
            raise Refused("extension")
        found[oid] = None
        if oid == b"\x55\x1d\x15":
            ((code_tag, code),) = take(content, 1, exactly=True)
            if code_tag != 0x0A or read_integer(code) not in REASONS:
                raise Refused("reason")
            found[oid] = code[0]
        elif critical or oid == b"\x55\x1d\x1d":
            raise Refused("critical")
    return found.get(b"\x55\x1d\x15")


def read_time(tag: int, value: bytes) -> datetime:
    shape = {0x17: (13, "%y%m%d%H%M%SZ"), 0x18: (15, "%Y%m%d%H%M%SZ")}.get(tag)
    if shape is None or len(value) != shape[0] or any(octet not in b"0123456789Z" for octet in value):
        raise Refused("time")
    try:
        moment = datetime.strptime(value.decode(), shape[1]).replace(tzinfo=UTC)
    except ValueError:
        raise Refused("time") from None
    if value[12:14].startswith(b"60") or value[-3:-1] >= b"60":
        raise Refused("time")
    if tag == 0x17:  # strptime takes 69 as the first year of the last century; RFC 5280 takes 50
        moment = moment.replace(year=(1900 if value >= b"5" else 2000) + int(value[:2]))
    if not datetime(1950, 1, 1, tzinfo=UTC) <= moment < datetime(2086, 2, 6, 6, 28, 16, tzinfo=UTC):
        raise Refused("time")
    return moment


def read_integer(value: bytes) -> int:
    if not value or value != (number := int.from_bytes(value, "big", signed=True)).to_bytes(
        len(value), "big", signed=True
    ):
        raise Refused("integer")
    if len(value) > 1 and -(1 << 8 * len(value) - 9) <= number < 1 << 8 * len(value) - 9:
        raise Refused("integer")
    return number


def is_identifier(value: bytes) -> bool:
    starts = [0, *(place + 1 for place, octet in enumerate(value) if octet < 0x80)]
    return bool(value) and starts[-1] == len(value) and all(value[start] != 0x80 for start in starts[:-1])


def split(data: bytes, tag: int) -> list[bytes]:
    elements = take(data, 0)
    if any(found != tag for found, _ in elements):
        raise Refused("tag")
    return [value for _, value in elements]


def take(data: bytes, least: int, *, exactly: bool = False) -> list[tuple[int, bytes]]:
    """The elements of `data` as (tag, value), at least so many."""
    elements = []
    while data:
        if len(data) < 2 or data[0] & 0x1F == 0x1F:
            raise Refused("cut off")
        size, begin = data[1], 2
        if size >= 0x80:
            begin += size & 0x7F
            digits = data[2:begin]
            size = int.from_bytes(digits, "big")
            if not 1 <= len(digits) <= 4 or begin > len(data) or size < 0x80 or digits[0] == 0:
                raise Refused("length")
        if begin + size > len(data):
            raise Refused("cut off")
        elements.append((data[0], data[begin : begin + size]))
        data = data[begin + size :]
    if len(elements) < least or (exactly and len(elements) != least):
        raise Refused("too few")
    return elements
