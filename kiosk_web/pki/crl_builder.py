"""Builds the index of one revocation list: `build_segment` reads its entries, sorts them and writes a segment.

One pass over the list, and about 30 octets of memory for each entry beside the list itself, which may be a mapped file.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from kiosk_web.pki.crl_entries import HOLD, NO_REASON, U8, Entries, build_no_entries, scan_entries
from kiosk_web.pki.crl_layout import (
    ALIGNMENT,
    LONG_PAGE,
    PAGE,
    SHORT_PAGE,
    TAIL,
    SegmentHeader,
    build_segment_header,
    count_pages,
    find_field,
)
from kiosk_web.pki.crl_trust import ListHeader, TrustedCrl

Write = Callable[[bytes | memoryview], object]
Progress = Callable[[int], object]

_AT_ONCE = 1 << 15
"""Entries that are moved at a time: what numpy needs for it stays in the second cache of a core."""

_PAGES_AT_ONCE = 512
"""Pages that are laid out at a time: 200 kB, which stay in the second cache of a core."""

_SHORTEST_ENTRY = 20
"""Octets: the headers of entry and serial number, one octet of that, and a UTCTime."""


_SECONDS_BITS, _REASON_BITS = 28, 4
"""Dates of eight and a half years, and a reason; together with a serial number of 32 bits they make one number."""


@dataclass(frozen=True, slots=True)
class BuiltSegment:
    """A segment that was written: what it says of its list, and the SHA-256 of its header."""

    header: ListHeader
    header_sha256: bytes


def build_segment(crl: TrustedCrl, write: Write, progress: Progress | None = None) -> BuiltSegment:
    """Write the segment of a trusted list by calls of `write`, in the order of the file.

    Raises `MalformedCrl` for a list with an entry that cannot be read, before anything is written. `progress` is told
    how many octets of the list have been read, every now and then.
    """
    start, end = crl.crl.entries
    room = (end - start) // _SHORTEST_ENTRY
    short, long = _Pile(room, 0), _Pile(room, TAIL)
    for block in scan_entries(crl.crl.data, start, end):
        short.add(block.short)
        long.add(block.long)
        if progress is not None:
            progress(block.end)
    header = crl.build_header(len(short) + len(long))
    tables = [_Table(_merge(_sort(pile.take()))) for pile in (short, long) if len(pile)]
    digest = hashlib.sha256()
    for table in tables:
        for part in table.lay_out():
            digest.update(part)
    counts = [sum(len(table.entries) for table in tables if table.page is page) for page in (SHORT_PAGE, LONG_PAGE)]
    head = build_segment_header(SegmentHeader(header, counts[0], counts[1], digest.digest()))
    write(head)
    for table in tables:
        for part in table.lay_out():
            write(part)
    return BuiltSegment(header, hashlib.sha256(head).digest())


class _Table:
    """Sorted entries of one kind, at least one, as they lie in the file."""

    def __init__(self, entries: Entries) -> None:
        self.entries = entries
        self.page = LONG_PAGE if entries.tails.shape[1] else SHORT_PAGE
        self._checksums: dict[int, list[int]] = {}
        self._whole: bytes | None = None

    def lay_out(self) -> Iterator[bytes | memoryview]:
        """The directory and the pages, each filled up to the next multiple of ALIGNMENT, some octets at a time.

        What is given out is good until the next is asked for: twice through a small buffer, to hash and to write, takes
        less time than once through memory for all of it. What fits into it is laid out once.
        """
        if count_pages(len(self.entries)) > _PAGES_AT_ONCE:
            yield from self._lay_out()
            return
        if self._whole is None:
            self._whole = b"".join(self._lay_out())
        yield self._whole

    def _lay_out(self) -> Iterator[bytes | memoryview]:
        entries, page = self.entries, self.page
        directory = entries.keys[::PAGE].tobytes()
        yield directory + bytes(-len(directory) % ALIGNMENT)
        count = count_pages(len(entries))
        buffer = np.zeros(min(count, _PAGES_AT_ONCE), page)
        for first in range(0, count, _PAGES_AT_ONCE):
            some = slice(first * PAGE, (first + _PAGES_AT_ONCE) * PAGE)
            pages = buffer[: count - first]
            _fill(pages["keys"], entries.keys[some], 0xFFFFFFFFFFFFFFFF)
            _fill(pages["seconds"], entries.seconds[some], 0)
            _fill(pages["reasons"], entries.reasons[some], 0)
            if page is LONG_PAGE:
                _fill(pages["tails"], entries.tails[some], 0)
            octets = pages.view(np.uint8).data
            if first not in self._checksums:
                self._checksums[first] = _sum_pages(octets, page, first)
            pages["checksum"] = self._checksums[first]
            yield octets
        yield bytes(-count * page.itemsize % ALIGNMENT)


def _sum_pages(octets: memoryview, page: np.dtype[np.void], first: int) -> list[int]:
    """`sum_page` of each of these pages, without a call for each; `first` is the number of the first."""
    summed = find_field(page, "checksum")
    rows = struct.Struct(f"{summed}s{page.itemsize - summed}x").iter_unpack(octets)
    return [crc32(row, number) for number, (row,) in enumerate(rows, first)]


def _fill(places: npt.NDArray[Any], column: npt.NDArray[Any], filler: int) -> None:
    """Put a column into its places, a row for each page, and `filler` into those behind its end."""
    whole = len(column) // PAGE
    places[:whole] = column[: whole * PAGE].reshape(whole, *places.shape[1:])
    if whole < len(places):
        rest = column[whole * PAGE :]
        places[whole, : len(rest)] = rest
        places[whole, len(rest) :] = filler


class _Pile:
    """The entries of one kind, in the order of the list. `room` is for as many as there can be: memory costs nothing
    before it is written to.
    """

    def __init__(self, room: int, tail: int) -> None:
        self._room = Entries(
            np.empty(room, np.uint64),
            np.empty((room, tail), np.uint8),
            np.empty(room, np.uint32),
            np.empty(room, np.uint8),
        )
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, entries: Entries) -> None:
        room, place = self._room, slice(self._count, self._count + len(entries))
        room.keys[place] = entries.keys
        room.tails[place] = entries.tails
        room.seconds[place] = entries.seconds
        room.reasons[place] = entries.reasons
        self._count += len(entries)

    def take(self) -> Entries:
        """All of them. The pile holds nothing afterwards."""
        room, self._room = self._room, build_no_entries(0)
        part = slice(self._count)
        return Entries(room.keys[part], room.tails[part], room.seconds[part], room.reasons[part])


def _sort(entries: Entries) -> Entries:
    """The entries by their serial number. Takes the columns over: those of `entries` are used up."""
    keys = entries.keys
    if not len(keys) or bool((keys[1:] > keys[:-1]).all()):
        return entries
    if not entries.tails.shape[1] and not keys.max() >> np.uint64(32):
        first = int(entries.seconds.min())
        if (int(entries.seconds.max()) - first) >> _SECONDS_BITS == 0:
            return _sort_small(entries, first)
    order = np.argsort(keys)
    if entries.tails.shape[1] and bool((np.diff(keys[order]) == 0).any()):
        parts = entries.tails.view(">u4")  # the 12 octets as three numbers
        order = np.lexsort((parts[:, 2], parts[:, 1], parts[:, 0], keys))
    for column in (keys, entries.tails, entries.seconds, entries.reasons):
        column[...] = column[order]  # in its place: twice as much memory for one of them at a time
    return entries


def _sort_small(entries: Entries, first: int) -> Entries:
    """For serial numbers below 2^32, with dates that lie close behind the `first`: date and reason go into the lower
    half of the key, and along with it.
    """
    keys, seconds, reasons = entries.keys, entries.seconds, entries.reasons
    chunks = [slice(start, start + _AT_ONCE) for start in range(0, len(keys), _AT_ONCE)]
    for chunk in chunks:
        packed = keys[chunk]
        packed <<= np.uint64(_SECONDS_BITS)
        packed |= seconds[chunk] - np.uint32(first)
        packed <<= np.uint64(_REASON_BITS)
        packed |= reasons[chunk] & np.uint8((1 << _REASON_BITS) - 1)
    keys.sort()
    for chunk in chunks:
        packed = keys[chunk]
        lower = packed.astype(np.uint32)
        _REASON_CODES.take(lower & np.uint32((1 << _REASON_BITS) - 1), out=reasons[chunk])
        lower >>= np.uint32(_REASON_BITS)
        np.add(lower, np.uint32(first), out=seconds[chunk])
        packed >>= np.uint64(32)
    return entries


_REASON_CODES: U8 = np.arange(1 << _REASON_BITS, dtype=np.uint8)
_REASON_CODES[NO_REASON & (1 << _REASON_BITS) - 1] = NO_REASON
"""Reasons by their lower bits, in which all of them differ."""


def _merge(entries: Entries) -> Entries:
    """Sorted entries with each serial number once. Of several statements the severest stays: for good before a hold,
    then the earlier date, then the lower reason.
    """
    same = entries.keys[1:] == entries.keys[:-1]
    if entries.tails.shape[1]:
        same &= (entries.tails[1:] == entries.tails[:-1]).all(axis=1)
    if not same.any():
        return entries
    begins = np.concatenate(([True], ~same))
    several = np.flatnonzero(~begins | np.concatenate((same, [False])))
    group = np.cumsum(begins)[several]
    reasons = entries.reasons[several]
    places = np.arange(len(entries))
    places[several] = several[np.lexsort((reasons, entries.seconds[several], reasons == HOLD, group))]
    chosen = places[begins]
    return Entries(entries.keys[chosen], entries.tails[chosen], entries.seconds[chosen], entries.reasons[chosen])
