"""BER-TLV as the card's files use it (ISO/IEC 8825-1; two-byte tags such as FF20 and DF22, definite lengths only)."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.errors import CardDataMalformed

_LENGTH_BYTES_MAXIMUM = 4
_TAG_BYTES_MAXIMUM = 3


@dataclass(frozen=True, slots=True)
class Header:
    """Tag, length of the value and length of the header itself, all of one data object."""

    tag: int
    value_length: int
    header_length: int

    @property
    def total_length(self) -> int:
        return self.header_length + self.value_length


@dataclass(frozen=True, slots=True, repr=False)
class DataObject:
    """One data object; `repr` shows its tag and length alone."""

    tag: int
    value: bytes

    def __repr__(self) -> str:
        return f"DataObject({self.tag:X}, <{len(self.value)} bytes>)"


def parse_header(data: bytes) -> Header:
    """The header at the start of `data`; the value may be cut off. Raises `CardDataMalformed`."""
    tag, position = _parse_tag(data)
    if position >= len(data):
        raise CardDataMalformed("a data object ends within its header")
    first = data[position]
    position += 1
    if first < 0x80:
        return Header(tag, first, position)
    count = first & 0x7F
    if not 1 <= count <= _LENGTH_BYTES_MAXIMUM:
        raise CardDataMalformed("a data object has an indefinite or oversized length")
    if position + count > len(data):
        raise CardDataMalformed("a data object ends within its header")
    return Header(tag, int.from_bytes(data[position : position + count], "big"), position + count)


def parse_object(data: bytes) -> DataObject:
    """The first data object of `data`; what follows it is filler and ignored. Raises `CardDataMalformed`."""
    header = parse_header(data)
    if header.total_length > len(data):
        raise CardDataMalformed("a data object is longer than what holds it")
    return DataObject(header.tag, data[header.header_length : header.total_length])


def parse_objects(data: bytes) -> tuple[DataObject, ...]:
    """All data objects of a value that they must fill exactly. Raises `CardDataMalformed`."""
    objects = []
    position = 0
    while position < len(data):
        header = parse_header(data[position:])
        end = position + header.total_length
        if end > len(data):
            raise CardDataMalformed("a data object is longer than what holds it")
        objects.append(DataObject(header.tag, data[position + header.header_length : end]))
        position = end
    return tuple(objects)


def parse_fields(data: bytes) -> dict[int, bytes]:
    """As `parse_objects`, by tag; a tag twice is refused. Raises `CardDataMalformed`."""
    fields: dict[int, bytes] = {}
    for item in parse_objects(data):
        if item.tag in fields:
            raise CardDataMalformed(f"data object {item.tag:X} occurs twice")
        fields[item.tag] = item.value
    return fields


def _parse_tag(data: bytes) -> tuple[int, int]:
    if not data:
        raise CardDataMalformed("a data object is missing")
    tag = data[0]
    if tag & 0x1F != 0x1F:
        return tag, 1
    for position in range(1, _TAG_BYTES_MAXIMUM):
        if position >= len(data):
            break
        tag = tag << 8 | data[position]
        if not data[position] & 0x80:
            return tag, position + 1
    raise CardDataMalformed("a data object has a truncated or oversized tag")
