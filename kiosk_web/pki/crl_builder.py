"""Builds the index of one revocation list: `build_segment` reads its entries, sorts them and writes a segment.

One pass over the list, and about 20 octets of memory for each entry beside the list itself, which may be a mapped file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from kiosk_web.pki.crl_entries import HOLD, Entries, build_no_entries, scan_entries
from kiosk_web.pki.crl_layout import ALIGNMENT, PAGE, RECORD, RECORD_TYPE, TAIL, SegmentHeader, build_segment_header
from kiosk_web.pki.crl_trust import ListHeader, TrustedCrl

Write = Callable[[bytes | memoryview], object]
Progress = Callable[[int], object]

_AT_ONCE = 1 << 18
"""Entries that are moved at a time, so that what numpy needs for it stays small."""


def build_segment(crl: TrustedCrl, write: Write, progress: Progress | None = None) -> ListHeader:
    """Write the segment of a trusted list by calls of `write`, in the order of the file, and return its header.

    Raises `MalformedCrl` for a list with an entry that cannot be read, before anything is written. `progress` is told
    how many octets of the list have been read, every now and then.
    """
    short: list[Entries] = []
    long: list[Entries] = []
    for block in scan_entries(crl.crl.data, *crl.crl.entries):
        short.append(block.short)
        long.append(block.long)
        if progress is not None:
            progress(block.end)
    header = crl.build_header(sum(map(len, short)) + sum(map(len, long)))
    tables = [_Table(_merge(_sort(_join(parts, tail)))) for parts, tail in ((short, 0), (long, TAIL))]
    body, checks = hashlib.sha256(), hashlib.sha256()
    for table in tables:
        for part in table.build_parts():
            body.update(part)
        checks.update(table.key_checks)
        checks.update(table.detail_checks)
    counts = [len(table.entries) for table in tables]
    write(build_segment_header(SegmentHeader(header, counts[0], counts[1], body.digest(), checks.digest())))
    for table in tables:
        for part in table.build_parts():
            write(part)
    return header


class _Table:
    """The columns of one kind of entries as they are written, with the checksums of their pages."""

    def __init__(self, entries: Entries) -> None:
        self.entries = entries
        records = np.empty(len(entries), RECORD_TYPE)
        records["seconds"], records["reason"] = entries.seconds, entries.reasons
        self._columns = keys, tails, details = _view(entries.keys), _view(entries.tails), _view(records)
        pages = -(-len(entries) // PAGE)
        self.key_checks = _sum_pages(pages, (keys, 8), (tails, entries.tails.shape[1]))
        self.detail_checks = _sum_pages(pages, (details, RECORD.size))

    def build_parts(self) -> Iterator[memoryview | bytes]:
        """The columns in the order of the file, each filled up to the next multiple of ALIGNMENT."""
        for column in (*self._columns, memoryview(self.key_checks), memoryview(self.detail_checks)):
            yield column
            yield bytes(-len(column) % ALIGNMENT)


def _view(column: npt.NDArray[Any]) -> memoryview:
    """The octets of a column, as a little-endian machine has them."""
    return np.ascontiguousarray(column).reshape(-1).view(np.uint8).data


def _sum_pages(pages: int, *columns: tuple[memoryview, int]) -> bytes:
    """The CRC-32 of each page over its entries in all these columns, given with their widths."""
    checks = [0] * pages
    for column, width in columns:
        size = width * PAGE
        for page in range(pages if width else 0):
            checks[page] = crc32(column[page * size : page * size + size], checks[page])
    return np.array(checks, "<u4").tobytes()


def _join(parts: list[Entries], tail: int) -> Entries:
    """All entries of one kind, in the order of the list. Empties `parts` as it goes, to hold nothing twice for long."""
    parts.append(build_no_entries(tail))
    joined = Entries(
        np.concatenate([part.keys for part in parts]),
        np.concatenate([part.tails for part in parts]),
        np.concatenate([part.seconds for part in parts]),
        np.concatenate([part.reasons for part in parts]),
    )
    parts.clear()
    return joined


def _sort(entries: Entries) -> Entries:
    """The entries by their serial number. Takes the columns over: those of `entries` may be used up."""
    keys = entries.keys
    if entries.tails.shape[1]:
        columns = np.ascontiguousarray(entries.tails).view(">u4")  # the 12 octets as three numbers
        return _reorder(entries, np.lexsort((columns[:, 2], columns[:, 1], columns[:, 0], keys)))
    if not len(keys) or bool((keys[1:] >= keys[:-1]).all()):
        return entries
    if keys.max() >> np.uint64(32) or len(keys) >> 32:
        return _reorder(entries, np.argsort(keys))
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


def _reorder(entries: Entries, order: npt.NDArray[np.intp]) -> Entries:
    return Entries(entries.keys[order], entries.tails[order], entries.seconds[order], entries.reasons[order])


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
    return _reorder(entries, places[begins])
