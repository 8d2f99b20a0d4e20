"""The index of one revocation list, a segment: opened by reading its header, whatever the size (docs/crl-index.md).

It is searched where it lies, in a mapped file that all workers share, and nothing it says is believed before the
checksum of the page it lies on has been computed. To say "not listed", the pages of both neighbours of the place where
the number would be are checked: their order proves its absence, wherever a damaged octet may have led the search.
"""

from __future__ import annotations

import hashlib
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zlib import crc32

import numpy as np

from kiosk_web.pki.crl_entries import EPOCH, REASONS, U8, U32, U64, Mask, Places
from kiosk_web.pki.crl_layout import (
    PAGE,
    RECORD,
    RECORD_TYPE,
    TAIL,
    Layout,
    SegmentDamaged,
    SegmentHeader,
    Table,
    read_segment_header,
)
from kiosk_web.pki.crl_status import ListEntry
from kiosk_web.pki.crl_trust import ListHeader

NOT_LISTED = 254
"""In place of a reason where the list has no entry. `NO_REASON` (255): it has one that gives none."""

_KEY_OCTETS, _DETAIL_OCTETS = 8 * PAGE, RECORD.size * PAGE
"""Octets of a page, of serial numbers below 2^64 and of details."""

_EPOCH_SECONDS = int(EPOCH.timestamp())

_KEYS_DAMAGED = "a page of serial numbers is damaged"
_KEYS_DISORDERED = "serial numbers are out of order"


@dataclass(frozen=True, slots=True, eq=False)
class FoundMany:
    """What a list says of many serial numbers, in the order of the question. `reasons` are codes of
    `crl_entries.REASONS`, NO_REASON or NOT_LISTED; `seconds` count from `crl_entries.EPOCH`, 0 where not listed.
    """

    reasons: U8
    seconds: U32

    @property
    def listed(self) -> Mask:
        listed: Mask = self.reasons != NOT_LISTED
        return listed


class Segment:
    """One segment in memory, for any number of threads until it is released. Made by `Segment.open`."""

    def __init__(self, view: memoryview, about: SegmentHeader, layout: Layout, header_sha256: bytes) -> None:
        self.header: ListHeader = about.about
        self.header_sha256 = header_sha256
        self._about = about
        self._body = view[layout.header :]
        self._short, self._long = _ShortColumns(view, layout.short), _LongColumns(view, layout.long)

    @classmethod
    def open(cls, view: memoryview, header_sha256: bytes | None = None) -> Segment:
        """The segment that `view` holds whole; it keeps the view. Reads the header alone.

        `header_sha256` is what a manifest says of it; None: nothing does. Raises `SegmentDamaged`.
        """
        if sys.byteorder != "little":
            raise SegmentDamaged("segments are read on little-endian machines only")
        about, layout, found = read_segment_header(view)
        if header_sha256 is not None and header_sha256 != found:
            raise SegmentDamaged("header is not the one that was written")
        return cls(view, about, layout, found)

    def find(self, serial: int) -> ListEntry | None:
        """What the list says of a serial number, None for nothing. Raises `SegmentDamaged` if that cannot be known."""
        return self._long.find(serial) if serial >> 64 else self._short.find(serial)

    def find_many(self, serials: U64 | Sequence[int]) -> FoundMany:
        """`find` for many at once: an array of u64, or any integers. A million in a few tenths of a second.

        Raises `SegmentDamaged` if any of the answers cannot be known.
        """
        if isinstance(serials, np.ndarray):
            return self._short.find_many(serials.astype(np.uint64, casting="safe", copy=False))
        found = FoundMany(np.full(len(serials), NOT_LISTED, np.uint8), np.zeros(len(serials), np.uint32))
        short = [place for place, serial in enumerate(serials) if serial >> 64 == 0]
        among = self._short.find_many(np.array([serials[place] for place in short], np.uint64))
        found.reasons[short], found.seconds[short] = among.reasons, among.seconds
        for place, serial in enumerate(serials):
            if serial >> 64 > 0 and (at := self._long.find_place(serial)) is not None:
                found.seconds[place], found.reasons[place] = self._long.read_record(at)
        return found

    def read_all(self) -> tuple[U64, FoundMany]:
        """Every serial number below 2^64, ascending, with what is said of each. Nothing is checked: `check_digest`
        comes before. The columns lie in the mapped file; the details are copied.
        """
        return self._short.read_all()

    def check_digest(self) -> bool:
        """Is everything behind the header what was written? Reads the whole file, about 1.5 GB each second."""
        return hashlib.sha256(self._body).digest() == self._about.body_sha256

    def check_checksums(self) -> bool:
        """Are the checksums of the pages what was written? Reads an eighth of an octet for each entry."""
        digest = hashlib.sha256()
        for columns in (self._short, self._long):
            digest.update(columns.key_checks)
            digest.update(columns.detail_checks)
        return digest.digest() == self._about.checks_sha256

    def release(self) -> None:
        """Let go of the view, so that the file can be closed. The segment cannot be used any more."""
        self._body.release()
        self._short.release()
        self._long.release()


class _Columns:
    """The columns of one kind of entries where they lie, and what is common to both kinds."""

    def __init__(self, view: memoryview, table: Table) -> None:
        def cut(place: int, size: int) -> memoryview:
            return view[place : place + size]

        self.count = table.count
        self.key_octets = cut(table.keys, 8 * table.count)
        self.keys = self.key_octets.cast("Q")
        self.tails = cut(table.tails, table.tail * table.count)
        self.details = cut(table.details, RECORD.size * table.count)
        self.key_checks = cut(table.key_checks, 4 * table.pages).cast("I")
        self.detail_checks = cut(table.detail_checks, 4 * table.pages).cast("I")

    def read_entry(self, place: int) -> ListEntry:
        seconds, reason = self.read_record(place)
        return ListEntry(datetime.fromtimestamp(seconds + _EPOCH_SECONDS, UTC), REASONS.get(reason))

    def read_record(self, place: int) -> tuple[int, int]:
        """Date and reason of an entry, their page checked."""
        self.check_details(place // PAGE)
        seconds, reason = RECORD.unpack_from(self.details, place * RECORD.size)
        return seconds, reason

    def check_details(self, page: int) -> None:
        start = page * _DETAIL_OCTETS
        if crc32(self.details[start : start + _DETAIL_OCTETS]) != self.detail_checks[page]:
            raise SegmentDamaged("a page of dates and reasons is damaged")

    def release(self) -> None:
        for view in vars(self).values():
            if isinstance(view, memoryview):
                view.release()


class _ShortColumns(_Columns):
    """The entries with serial numbers below 2^64."""

    def find(self, serial: int) -> ListEntry | None:
        """What stands there under a serial number. "Nothing" is proven by its neighbours, which stand side by side.

        One long function: this is asked for every visitor, and calls would cost as much as the search.
        """
        keys, count = self.keys, self.count
        place = bisect_left(keys, serial)
        if place < count:
            page = place // PAGE
            start = page * _KEY_OCTETS
            if crc32(self.key_octets[start : start + _KEY_OCTETS]) != self.key_checks[page]:
                raise SegmentDamaged(_KEYS_DAMAGED)
        if place:
            if place == count or place % PAGE == 0:
                self.check_keys((place - 1) // PAGE)
            if keys[place - 1] >= serial:
                raise SegmentDamaged(_KEYS_DISORDERED)
        if place == count:
            return None
        found = keys[place]
        if found == serial:
            return self.read_entry(place)
        if found < serial:
            raise SegmentDamaged(_KEYS_DISORDERED)
        return None

    def read_all(self) -> tuple[U64, FoundMany]:
        keys: U64 = np.frombuffer(self.key_octets, np.uint64)
        records = np.frombuffer(self.details, RECORD_TYPE)
        return keys, FoundMany(records["reason"].copy(), records["seconds"].copy())

    def check_keys(self, page: int) -> None:
        start = page * _KEY_OCTETS
        if crc32(self.key_octets[start : start + _KEY_OCTETS]) != self.key_checks[page]:
            raise SegmentDamaged(_KEYS_DAMAGED)

    def find_many(self, serials: U64) -> FoundMany:
        """The same for many, with numpy: in ascending order, and each page that is touched checked once."""
        reasons, seconds = np.full(len(serials), NOT_LISTED, np.uint8), np.zeros(len(serials), np.uint32)
        found = FoundMany(reasons, seconds)
        if not self.count or not len(serials):
            return found
        order, wanted = _sort(serials)
        keys: U64 = np.frombuffer(self.key_octets, np.uint64)
        places = keys.searchsorted(wanted)
        before, at = np.maximum(places - 1, 0), np.minimum(places, self.count - 1)
        for page in _find_pages(self.count, before, at):
            self.check_keys(page)
        found_keys = keys[at]
        if ((keys[before] >= wanted) & (places > 0)).any() or ((found_keys < wanted) & (places < self.count)).any():
            raise SegmentDamaged(_KEYS_DISORDERED)
        hits = np.flatnonzero((found_keys == wanted) & (places < self.count))
        listed = places[hits]
        for page in _find_pages(self.count, listed):
            self.check_details(page)
        into = hits if order is None else order[hits]
        records = np.frombuffer(self.details, RECORD_TYPE)[listed]
        reasons[into], seconds[into] = records["reason"], records["seconds"]
        return found


class _LongColumns(_Columns):
    """The entries with serial numbers from 2^64 on: sorted by their last 8 octets, then by those before."""

    def find(self, serial: int) -> ListEntry | None:
        place = self.find_place(serial)
        return None if place is None else self.read_entry(place)

    def find_place(self, serial: int) -> int | None:
        """Where a serial number stands, or None where its neighbours stand side by side, proven by their pages."""
        count, wanted = self.count, (serial & (1 << 64) - 1, serial >> 64)
        first = bisect_left(self.keys, wanted[0])
        last = bisect_right(self.keys, wanted[0], first)
        place = bisect_left(range(count), wanted[1], first, last, key=self.read_tail)
        for neighbour in (place - 1, place):
            if 0 <= neighbour < count:
                self.check_keys(neighbour // PAGE)
        if (place and self.read_serial(place - 1) >= wanted) or (place < count and self.read_serial(place) < wanted):
            raise SegmentDamaged(_KEYS_DISORDERED)
        return place if place < count and self.read_serial(place) == wanted else None

    def check_keys(self, page: int) -> None:
        first, last = page * PAGE, page * PAGE + PAGE
        check = crc32(self.tails[TAIL * first : TAIL * last], crc32(self.key_octets[8 * first : 8 * last]))
        if check != self.key_checks[page]:
            raise SegmentDamaged(_KEYS_DAMAGED)

    def read_serial(self, place: int) -> tuple[int, int]:
        return self.keys[place], self.read_tail(place)

    def read_tail(self, place: int) -> int:
        return int.from_bytes(self.tails[TAIL * place : TAIL * place + TAIL], "big")


def _sort(serials: U64) -> tuple[Places | None, U64]:
    """The numbers in ascending order, and where each of them was; None for the place where it is."""
    if bool((serials[1:] >= serials[:-1]).all()):
        return None, serials
    if serials.max() >> np.uint64(32) or len(serials) >> 32:
        order = np.argsort(serials)
        return order, serials[order]
    packed = serials << np.uint64(32) | np.arange(len(serials), dtype=np.uint64)
    packed.sort()
    return (packed & np.uint64(0xFFFFFFFF)).astype(np.intp), packed >> np.uint64(32)


def _find_pages(count: int, *places: Places) -> list[int]:
    """The pages of `count` entries on which the places lie, each once."""
    touched = np.zeros(-(-count // PAGE), np.bool_)
    for some in places:
        touched[some // PAGE] = True
    pages: list[int] = np.flatnonzero(touched).tolist()
    return pages
