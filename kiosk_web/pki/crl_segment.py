"""The index of one revocation list, a segment: opened by reading its header, whatever the size (docs/crl-index.md).

It is searched where it lies, in a mapped file that all workers share. A directory leads to a page of 32 entries, and
nothing is believed before the checksum of that page has been computed. To say "not listed", both neighbours of the
place where the number would be are read from pages so checked: their order proves its absence, wherever a damaged octet
may have led the search.
"""

from __future__ import annotations

import functools
import hashlib
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt

from kiosk_web.pki.crl_entries import EPOCH_SECONDS, REASONS, U8, U32, U64, Mask, Places
from kiosk_web.pki.crl_layout import (
    LONG_PAGE,
    PAGE,
    SHORT_PAGE,
    TAIL,
    Layout,
    SegmentDamaged,
    SegmentHeader,
    Table,
    find_field,
    read_segment_header,
    sum_page,
)
from kiosk_web.pki.crl_status import ListEntry
from kiosk_web.pki.crl_trust import ListHeader

_LONG = 1 << 64
"""The first serial number of the second table."""

NOT_LISTED = 254
"""In place of a reason where the list has no entry. `NO_REASON` (255): it has one that gives none."""

_SIZE, _CHECKSUM = SHORT_PAGE.itemsize, find_field(SHORT_PAGE, "checksum")
_SECONDS, _REASONS = find_field(SHORT_PAGE, "seconds") // 4, find_field(SHORT_PAGE, "reasons")
_LONG_SIZE, _LONG_TAILS = LONG_PAGE.itemsize, find_field(LONG_PAGE, "tails")
_LONG_SECONDS, _LONG_REASONS = find_field(LONG_PAGE, "seconds") // 4, find_field(LONG_PAGE, "reasons")
_name_reason = REASONS.get
_build_entry = functools.partial(tuple.__new__, ListEntry)
"""Looked up once, not for each visitor."""

_DAMAGED = "a page is damaged"
_DISORDERED = "a page is not where the directory says"


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
        self._short, self._long = _ShortPages(view, layout.short), _LongPages(view, layout.long)
        self._find_short = self._short.find

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
        return self._find_short(serial) if serial < _LONG else self._long.find(serial)

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
            if serial >> 64 > 0 and (record := self._long.find_record(serial)) is not None:
                found.seconds[place], found.reasons[place] = record
        return found

    def read_all(self) -> tuple[U64, FoundMany]:
        """Every serial number below 2^64, ascending, with what is said of each, all of it copied. Nothing is checked:
        `check_digest` comes before.
        """
        return self._short.read_all()

    def check_digest(self) -> bool:
        """Is everything behind the header what was written? Reads the whole file, about 1.5 GB each second."""
        return hashlib.sha256(self._body).digest() == self._about.body_sha256

    def release(self) -> None:
        """Let go of the view, so that the file can be closed. The segment cannot be used any more."""
        self._body.release()
        self._short.release()
        self._long.release()


class _Pages:
    """The entries of one kind where they lie, and what is common to both kinds."""

    def __init__(self, view: memoryview, table: Table) -> None:
        self.count, self.page_count = table.count, table.page_count
        self.page_size, self.summed = table.page.itemsize, find_field(table.page, "checksum")
        self.page = table.page
        self.directory = view[table.directory : table.directory + 8 * table.page_count].cast("Q")
        self.octets = view[table.pages : table.pages + self.page_size * table.page_count]
        self.words, self.numbers = self.octets.cast("Q"), self.octets.cast("I")
        last = max(self.page_count - 1, 0)
        end = last * self.page_size // 8 + self.count - last * PAGE
        self.at_hand = self.directory, self.octets, self.words, self.numbers, last, end
        """All that a look-up needs, taken at once: the views, the last page, and where the numbers of that end."""

    def check_page(self, page: int) -> None:
        start = page * self.page_size
        end = start + self.summed
        if sum_page(page, self.octets[start:end]) != self.numbers[end // 4]:
            raise SegmentDamaged(_DAMAGED)

    def view_pages(self) -> npt.NDArray[np.void]:
        """All pages for numpy."""
        return np.frombuffer(self.octets, self.page)

    def release(self) -> None:
        for view in (self.directory, self.words, self.numbers, self.octets):
            view.release()


class _ShortPages(_Pages):
    """The entries with serial numbers below 2^64."""

    def find(self, serial: int) -> ListEntry | None:
        """What stands under a serial number: looked for in the page that the directory says, once that is checked.

        Should the directory be damaged, then the number is not between those of the page, which the page itself shows.
        One long function: this is asked for every visitor, and calls would cost as much as the search.
        """
        directory, octets, words, numbers, last, last_end = self.at_hand
        page = bisect_right(directory, serial) - 1
        if page < 0:
            if not self.count:
                return None
            page = 0
        start = page * _SIZE
        summed = start + _CHECKSUM
        if crc32(octets[start:summed], page) != numbers[summed // 4]:
            raise SegmentDamaged(_DAMAGED)
        first = start // 8
        end = first + PAGE if page < last else last_end
        place = bisect_left(words, serial, first, end)
        if place == end:
            self.check_gap(page + 1, serial)
            return None
        if words[place] != serial:
            if place == first and page:
                raise SegmentDamaged(_DISORDERED)
            return None
        slot = place - first
        seconds, reason = numbers[start // 4 + _SECONDS + slot], octets[start + _REASONS + slot]
        return _build_entry((seconds + EPOCH_SECONDS, _name_reason(reason)))

    def check_gap(self, page: int, serial: int) -> None:
        """A serial number behind all of one page is nowhere if this page, the next, begins with a larger one."""
        if page < self.page_count:
            self.check_page(page)
            if self.words[page * _SIZE // 8] <= serial:
                raise SegmentDamaged(_DISORDERED)

    def read_all(self) -> tuple[U64, FoundMany]:
        pages = self.view_pages()
        keys, reasons, seconds = (pages[name].reshape(-1)[: self.count] for name in ("keys", "reasons", "seconds"))
        return keys, FoundMany(reasons, seconds)

    def find_many(self, serials: U64) -> FoundMany:
        """The same for many, with numpy: in ascending order, and each page that is touched checked once."""
        found = FoundMany(np.full(len(serials), NOT_LISTED, np.uint8), np.zeros(len(serials), np.uint32))
        if not self.count or not len(serials):
            return found
        order, wanted = _sort(serials)
        directory: U64 = np.frombuffer(self.directory, np.uint64)
        pages = np.maximum(directory.searchsorted(wanted, "right") - 1, 0)
        touched, among = _number(pages, self.page_count)
        for page in touched.tolist():
            self.check_page(page)
        keys: U64 = self.view_pages()["keys"][touched].reshape(-1)
        slots = (
            keys.searchsorted(wanted) - among * PAGE
        )  # whole pages in their order are in order, all of them together
        sizes = np.minimum(self.count - pages * PAGE, PAGE)
        hits = (keys[among * PAGE + np.clip(slots, 0, PAGE - 1)] == wanted) & (slots >= 0) & (slots < sizes)
        if ((slots < 0) | (slots > sizes) | ((slots == 0) & ~hits & (pages > 0))).any():
            raise SegmentDamaged(_DISORDERED)
        behind = np.flatnonzero(slots == sizes)
        for page, serial in zip((pages[behind] + 1).tolist(), wanted[behind].tolist(), strict=True):
            self.check_gap(page, serial)
        listed = np.flatnonzero(hits)
        into, at = listed if order is None else order[listed], (pages[listed], slots[listed])
        found.reasons[into], found.seconds[into] = self.view_pages()["reasons"][at], self.view_pages()["seconds"][at]
        return found


class _LongPages(_Pages):
    """The entries with serial numbers from 2^64 on: sorted by their last 8 octets, then by those before."""

    def find(self, serial: int) -> ListEntry | None:
        """What stands under a serial number. "Nothing" is proven by its neighbours, which stand side by side."""
        record = self.find_record(serial)
        if record is None:
            return None
        return ListEntry(record[0] + EPOCH_SECONDS, _name_reason(record[1]))

    def find_record(self, serial: int) -> tuple[int, int] | None:
        """Date and reason of an entry, or None."""
        wanted = serial & (1 << 64) - 1, serial >> 64
        first = max(bisect_left(self.directory, wanted[0]) - 1, 0) * PAGE
        last = min(bisect_right(self.directory, wanted[0]) * PAGE, self.count)
        place = bisect_left(range(self.count), wanted, first, last, key=self.read_serial)
        for neighbour in (place - 1, place):
            if 0 <= neighbour < self.count:
                self.check_page(neighbour // PAGE)
        if place and self.read_serial(place - 1) >= wanted:
            raise SegmentDamaged(_DISORDERED)
        if place == self.count:
            return None
        found = self.read_serial(place)
        if found < wanted:
            raise SegmentDamaged(_DISORDERED)
        if found != wanted:
            return None
        page, slot = divmod(place, PAGE)
        start = page * _LONG_SIZE
        return self.numbers[start // 4 + _LONG_SECONDS + slot], self.octets[start + _LONG_REASONS + slot]

    def read_serial(self, place: int) -> tuple[int, int]:
        """The serial number of an entry, as it is sorted: its last 8 octets, and those before."""
        page, slot = divmod(place, PAGE)
        start = page * _LONG_SIZE
        tail = start + _LONG_TAILS + TAIL * slot
        return self.words[start // 8 + slot], int.from_bytes(self.octets[tail : tail + TAIL], "big")


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


def _number(pages: Places, page_count: int) -> tuple[Places, Places]:
    """The pages among these, each once and in order; and the number of each one's page among them."""
    touched = np.zeros(page_count, np.bool_)
    touched[pages] = True
    numbers = np.cumsum(touched) - 1
    return np.flatnonzero(touched), numbers[pages]
