"""Builds the index of one revocation list: `build_segment` reads its entries, sorts them and writes a segment.

One pass over the list, and about 30 octets of memory for each entry beside the list itself, which may be a mapped file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from kiosk_web.pki.crl_entries import HOLD, Entries, build_no_entries, scan_entries
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
    sum_page,
)
from kiosk_web.pki.crl_trust import ListHeader, TrustedCrl

Write = Callable[[bytes | memoryview], object]
Progress = Callable[[int], object]

_AT_ONCE = 1 << 18
"""Entries that are moved at a time, so that what numpy needs for it stays small."""

_SHORTEST_ENTRY = 20
"""Octets: the headers of entry and serial number, one octet of that, and a UTCTime."""


def build_segment(crl: TrustedCrl, write: Write, progress: Progress | None = None) -> ListHeader:
    """Write the segment of a trusted list by calls of `write`, in the order of the file, and return its header.

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
    counts: list[int] = []
    body: list[memoryview | bytes] = []
    for pile in (short, long):
        entries = _merge(_sort(pile.take()))
        counts.append(len(entries))
        body += _lay_out_pages(entries)
    digest = hashlib.sha256()
    for part in body:
        digest.update(part)
    write(build_segment_header(SegmentHeader(header, counts[0], counts[1], digest.digest())))
    for part in body:
        write(part)
    return header


def _lay_out_pages(entries: Entries) -> list[memoryview | bytes]:
    """The directory of these entries and their pages, each filled up to the next multiple of ALIGNMENT."""
    if not len(entries):
        return []
    page = LONG_PAGE if entries.tails.shape[1] else SHORT_PAGE
    pages = np.zeros(count_pages(len(entries)), page)
    _fill(pages["keys"], entries.keys, 0xFFFFFFFFFFFFFFFF)
    _fill(pages["records"]["seconds"], entries.seconds, 0)
    _fill(pages["records"]["reason"], entries.reasons, 0)
    if page is LONG_PAGE:
        _fill(pages["tails"], entries.tails, 0)
    octets = pages.view(np.uint8).data
    summed = find_field(page, "checksum")
    starts = range(0, len(octets), page.itemsize)
    pages["checksum"] = [sum_page(number, octets[start : start + summed]) for number, start in enumerate(starts)]
    directory = entries.keys[::PAGE].tobytes()
    return [directory, bytes(-len(directory) % ALIGNMENT), octets, bytes(-len(octets) % ALIGNMENT)]


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
    """The entries by their serial number. Takes the columns over: those of `entries` may be used up."""
    keys = entries.keys
    if not len(keys) or bool((keys[1:] > keys[:-1]).all()):
        return entries
    if entries.tails.shape[1] or keys.max() >> np.uint64(32) or len(keys) >> 32:
        order = np.argsort(keys)
        if entries.tails.shape[1] and bool((np.diff(keys[order]) == 0).any()):
            parts = entries.tails.view(">u4")  # the 12 octets as three numbers
            order = np.lexsort((parts[:, 2], parts[:, 1], parts[:, 0], keys))
        for column in (keys, entries.tails, entries.seconds, entries.reasons):
            column[...] = column[order]  # in its place: twice as much memory for one of them at a time
        return entries
    return _sort_small(entries)


def _sort_small(entries: Entries) -> Entries:
    """For serial numbers below 2^32: the place of each entry goes into the lower half of its key, and along with it."""
    keys, count = entries.keys, len(entries)
    keys <<= np.uint64(32)
    for start in range(0, count, _AT_ONCE):
        keys[start : start + _AT_ONCE] |= np.arange(start, min(start + _AT_ONCE, count), dtype=np.uint64)
    keys.sort()
    seconds, reasons = np.empty_like(entries.seconds), np.empty_like(entries.reasons)
    for start in range(0, count, _AT_ONCE):
        chunk = slice(start, start + _AT_ONCE)
        places = (keys[chunk] & np.uint64(0xFFFFFFFF)).astype(np.intp)
        entries.seconds.take(places, out=seconds[chunk])
        entries.reasons.take(places, out=reasons[chunk])
    keys >>= np.uint64(32)
    return Entries(keys, entries.tails, seconds, reasons)


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
