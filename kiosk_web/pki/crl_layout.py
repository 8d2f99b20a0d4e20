"""How a segment lies in its file: the header, and where the pages of its entries are (docs/crl-index.md, byte by byte).

All numbers are little-endian. What can be derived from the two counts is not written down, so that nothing in a file
can contradict anything else in it.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from kiosk_web.pki.crl_trust import ListHeader, ListScope, derive_point
from kiosk_web.pki.distribution_points import Coverage
from kiosk_web.pki.fields import build_fields, read_fields

MAGIC = b"KIOSKCRL"
VERSION = 2

PAGE = 32
"""Entries that lie together, with one checksum. To sum twice as many octets takes longer than to search twice as long a
directory.
"""

TAIL = 12
"""Octets of a long serial number before its last 8: together the 20 that RFC 5280 4.1.2.2 allows."""

ALIGNMENT = 64
"""The directory and the pages begin at multiples of it, and so does what follows the header."""

_SAID = [("seconds", "<u4", PAGE), ("reasons", "u1", PAGE), ("checksum", "<u4"), ("zero", "<u4")]
"""What a page says of its entries: their dates in seconds since `crl_entries.EPOCH`, and their reasons."""

SHORT_PAGE = np.dtype([("keys", "<u8", PAGE), *_SAID])
"""A page of entries with serial numbers below 2^64. Behind the last entry of a table its keys are FF, all else is 0."""

LONG_PAGE = np.dtype([("keys", "<u8", PAGE), ("tails", "u1", (PAGE, TAIL)), *_SAID])
"""A page of entries with longer ones: the last 8 octets of each are its key, the 12 before them its tail."""

_FIXED = struct.Struct("<8sIIQQQ32sQQqqBBHI")
_CHECKSUM = struct.Struct("<I")
_COVERAGES: tuple[Coverage, ...] = ("all", "user", "ca")


class SegmentDamaged(Exception):
    """A segment is not what was written, in part or as a whole: nothing follows from it, and it must be made anew.

    The message names the place in the file and nothing of the content.
    """


@dataclass(frozen=True, slots=True)
class Table:
    """Where the entries of one kind are in the file: the directory, which is the first key of each page, and the pages,
    which are SHORT_PAGE or LONG_PAGE.
    """

    count: int
    page: np.dtype[np.void]
    directory: int
    pages: int
    end: int

    @property
    def page_count(self) -> int:
        return count_pages(self.count)


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """What stands at the beginning of a segment. `short` and `long` count its entries, each serial number once.

    `body_sha256` is the digest of everything behind the header.
    """

    about: ListHeader
    short: int
    long: int
    body_sha256: bytes


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is: the size of the header, both tables, and the size of the file."""

    header: int
    short: Table
    long: Table

    @property
    def size(self) -> int:
        return self.long.end


def lay_out(header: int, short: int, long: int) -> Layout:
    """The layout of a segment with a header of `header` octets and so many entries."""
    first = _lay_out_table(header, short, SHORT_PAGE)
    return Layout(header, first, _lay_out_table(first.end, long, LONG_PAGE))


def build_segment_header(header: SegmentHeader) -> bytes:
    """The octets of a header: fixed part, fields, zeros, and the checksum of all that."""
    found = header.about
    number = (
        b"" if found.crl_number is None else found.crl_number.to_bytes(found.crl_number.bit_length() // 8 + 1, "big")
    )
    names = sorted(found.point_names)
    fields = build_fields(found.scope.key_id, number, found.sha256, *names)
    size = _align(_FIXED.size + len(fields) + _CHECKSUM.size)
    fixed = _FIXED.pack(
        MAGIC,
        VERSION,
        size,
        lay_out(size, header.short, header.long).size,
        header.short,
        header.long,
        header.body_sha256,
        found.size,
        found.entries,
        int(found.this_update.timestamp()),
        int(found.next_update.timestamp()),
        _COVERAGES.index(found.covers),
        0,
        len(names),
        len(fields),
    )
    octets = (fixed + fields).ljust(size - _CHECKSUM.size, b"\0")
    return octets + _CHECKSUM.pack(zlib.crc32(octets))


def read_segment_header(view: memoryview) -> tuple[SegmentHeader, Layout, bytes]:
    """The header of the segment that `view` holds whole, its layout, and the SHA-256 of the header's octets.

    Raises `SegmentDamaged` for anything `build_segment_header` would not have written, and for a file of another size.
    """
    if len(view) < _FIXED.size:
        raise SegmentDamaged("file is shorter than a header")
    magic, version, size = struct.unpack_from("<8sII", view)
    if magic != MAGIC or version != VERSION:
        raise SegmentDamaged("file is no segment, or one of another version")
    if not _FIXED.size + _CHECKSUM.size <= size <= len(view):
        raise SegmentDamaged("header is cut off")
    octets = bytes(view[:size])
    if _CHECKSUM.unpack(octets[-_CHECKSUM.size :])[0] != zlib.crc32(octets[: -_CHECKSUM.size]):
        raise SegmentDamaged("header is damaged")
    try:
        header = _read(octets)
        written = build_segment_header(header)
    except (ValueError, OverflowError, OSError, IndexError, struct.error):
        raise SegmentDamaged("header is not one that is ever written") from None
    layout = lay_out(size, header.short, header.long)
    if written != octets or layout.size != len(view):
        raise SegmentDamaged("header is not one that is ever written, or the file is cut off")
    return header, layout, hashlib.sha256(octets).digest()


def _read(octets: bytes) -> SegmentHeader:
    values = _FIXED.unpack_from(octets)
    short, long, body_sha256, list_size, entries, this_update, next_update = values[4:11]
    coverage, _, names, fields_size = values[11:]
    fields = read_fields(octets[_FIXED.size : _FIXED.size + fields_size])
    if len(fields) != 3 + names:
        raise ValueError("fields")
    key_id, number, sha256, *point_names = fields
    points, covers = frozenset(point_names), _COVERAGES[coverage]
    found = ListHeader(
        scope=ListScope(key_id, derive_point(points, covers)),
        point_names=points,
        covers=covers,
        this_update=datetime.fromtimestamp(this_update, UTC),
        next_update=datetime.fromtimestamp(next_update, UTC),
        crl_number=int.from_bytes(number, "big") if number else None,
        sha256=sha256,
        size=list_size,
        entries=entries,
    )
    return SegmentHeader(found, short, long, body_sha256)


def count_pages(entries: int) -> int:
    """How many pages so many entries fill."""
    return -(-entries // PAGE)


def sum_page(page: int, octets: memoryview) -> int:
    """The checksum of the page of that number, over all before the checksum itself: no page may stand for another."""
    return zlib.crc32(octets, page)


def find_field(page: np.dtype[np.void], name: str) -> int:
    """Where a field begins in a page."""
    assert page.fields is not None
    return int(page.fields[name][1])


def _lay_out_table(start: int, count: int, page: np.dtype[np.void]) -> Table:
    pages = _align(start + 8 * count_pages(count))
    return Table(count, page, start, pages, _align(pages + count_pages(count) * page.itemsize))


def _align(place: int) -> int:
    return -(-place // ALIGNMENT) * ALIGNMENT
