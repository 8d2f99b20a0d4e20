"""The entries of a revocation list (RFC 5280 5.1.2.6, 5.3), by the block: millions of them without an object for each.

A block is searched for what looks like the beginning of an entry, with numpy. That proves nothing; the proof is that
the candidates form a chain: the first one lies where the block before ended, and each one ends, by its own length,
exactly where the next begins. Then they are what a walk from entry to entry would find, and their fields lie at known
places. An entry that holds anything but a serial number, a UTCTime and at most a plain reasonCode is read one by one;
from the first place where the chain breaks on, the whole rest of the block is. Both ways give the same for every list
(`tests/kiosk_web/pki/test_crl_entries.py` compares them).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from kiosk_web.pki import elements
from kiosk_web.pki.crl import MalformedCrl
from kiosk_web.pki.crl_layout import TAIL
from kiosk_web.pki.der import MalformedDer
from kiosk_web.pki.elements import ENUMERATED, INTEGER, SEQUENCE, read_element

U64: TypeAlias = npt.NDArray[np.uint64]
U32: TypeAlias = npt.NDArray[np.uint32]
U8: TypeAlias = npt.NDArray[np.uint8]
Mask: TypeAlias = npt.NDArray[np.bool_]
Places: TypeAlias = npt.NDArray[np.intp]

EPOCH = datetime(1950, 1, 1, tzinfo=UTC)
EPOCH_SECONDS = int(EPOCH.timestamp())
"""Dates are seconds since the first moment that a UTCTime can name, in 32 bits: to the year 2086."""

REASONS = {
    0: "unspecified",
    1: "keyCompromise",
    2: "cACompromise",
    3: "affiliationChanged",
    4: "superseded",
    5: "cessationOfOperation",
    6: "certificateHold",
    9: "privilegeWithdrawn",
    10: "aACompromise",
}
"""CRLReason (RFC 5280 5.3.1). removeFromCRL (8) belongs into delta lists alone, 7 is not used."""

HOLD = 6
NO_REASON = 255
"""In place of a reason where the entry gives none."""

BLOCK = 384 * 1024
"""Octets whose entries are taken at once. What numpy makes of them must stay in the second cache of a core."""

_REMOVE_FROM_CRL = 8
_REASON_CODE, _CERTIFICATE_ISSUER = "2.5.29.21", "2.5.29.29"


@dataclass(frozen=True, slots=True)
class Entries:
    """Some entries, a column for each field and in no particular order.

    `keys` are the serial numbers, or the last 8 octets of those that are longer; then `tails` are the 12 octets before
    (a row each), else a matrix of no columns. `seconds` count from `EPOCH`; `reasons` are codes, or NO_REASON.
    """

    keys: U64
    tails: U8
    seconds: U32
    reasons: U8

    def __len__(self) -> int:
        return len(self.keys)


def build_no_entries(tail: int) -> Entries:
    """None of them, with tails of `tail` octets."""
    return Entries(np.empty(0, np.uint64), np.empty((0, tail), np.uint8), np.empty(0, np.uint32), np.empty(0, np.uint8))


@dataclass(frozen=True, slots=True)
class EntryBlock:
    """The entries of one stretch of a list, up to the octet `end`: those with serial numbers below 2^64, and longer."""

    short: Entries
    long: Entries
    end: int


def scan_entries(data: memoryview, start: int, end: int, block: int = BLOCK) -> Iterator[EntryBlock]:
    """Read the entries that fill `data[start:end]`, in their order from block to block.

    Raises `MalformedCrl` at the first entry that is no entry, that has a critical extension other than reasonCode, or
    that belongs into other kinds of lists. What was given out before that must be thrown away.
    """
    octets = np.frombuffer(data, np.uint8)
    if end - start > _MAPPED:
        # Once the C library has seen so large a piece of memory come back, it keeps those that are needed for a block;
        # until then it gives each to the system and takes it anew, which costs more than what is done in it.
        np.empty(_LARGE, np.uint8)
    position = start
    while position < end:
        limit = min(position + block, end)
        found = _scan_block(data, octets, position, limit, end)
        if found is not None:
            yield found
            position = found.end
        if position < limit:
            walked = _walk(data, position, limit, end)
            yield walked
            position = walked.end


_MAPPED, _LARGE = 1 << 17, 1 << 24
"""Octets from which on the C library first takes a piece of memory from the system each time; and a large piece."""

_BEFORE, _AFTER = 16, 64
"""Octets around a block that a gather may touch: before the first entry its serial number's window, behind the last
entry that one itself.
"""

_SERIAL_OCTETS = 21
"""Of a serial number of 20 octets, with the 00 in front that keeps it positive."""

_WINDOW = 40
"""Octets around the time of an entry: 8 of the serial number before it, and 32 from its tag on, as five words:
serial · 17 0D YYMMDD · HHMMSS Z 30 · 0C 30 0A 06 03 55 1D 15 · 04 03 0A 01 reason.
"""

_WORD = np.dtype("<u8")


def _word(octets: str) -> np.uint64:
    """Octets in hexadecimal as the word that they are where they lie."""
    return np.uint64(int.from_bytes(bytes.fromhex(octets), "little"))


_DAY_WORD, _DAY_EXCESS = _word("17 0D 30 30 30 30 30 30"), _word("7F 7F 76 76 76 76 76 76")
_CLOCK_WORD, _CLOCK_EXCESS = _word("30 30 30 30 30 30 5A 00"), _word("76 76 76 76 76 76 7F 00")
"""The words of a UTCTime with all digits zero; and what makes the top bit of each octet show whether it is more above
that than a digit may be, which is 9, or than the others may be, which is nothing.
"""

_DAY_FIELDS, _MONTH_EXCESS = _word("00 00 FF 00 FF 00 FF 00"), _word("00 00 00 00 70 00 60 00")
_CLOCK_FIELDS, _HOUR_EXCESS = _word("FF 00 FF 00 FF 00 00 00"), _word("68 00 44 00 44 00 00 00")
"""Where year, month, day and hour, minute, second lie once they are numbers; and what makes the top bit of each show
whether it is 16, 32, 24, 60 or 60 at least.
"""

_DAY_CHECKED, _CLOCK_CHECKED = _word("80 80 80 80 80 80 80 80"), _word("80 80 80 80 80 80 80 00")

_DAY_FACTORS = np.uint64(1 | 32 << 16 | 512 << 32)
_CLOCK_FACTORS = np.uint64(1 | 60 << 16 | 3600 << 32)
"""Three numbers of 16 bits, times these, add up: the last, the middle and the first, each by its own factor."""

_REASON_WORD_0, _REASON_WORD_1 = np.uint64(SEQUENCE), _word("0C 30 0A 06 03 55 1D 15")
_REASON_WORD_2 = _word("04 03 0A 01 00 00 00 00")
_TIME_OCTETS, _REASON_OCTETS = 15, 14
"""A UTCTime; and the extensions of an entry that has a reasonCode, not critical, and nothing else."""

_SERIAL_MASKS: U64 = np.array([(1 << 8 * min(octets, 8)) - 1 for octets in range(_SERIAL_OCTETS + 1)], np.uint64)
_KNOWN_REASON: Mask = np.isin(np.arange(256), list(REASONS))


_NO_DAY = 0xFFFFFFFF


def _build_day_seconds() -> U32:
    """Seconds from EPOCH to each day, by year of two digits · 512 + month · 32 + day; _NO_DAY where there is none."""
    days = np.datetime64("1950-01-01", "D") + np.arange(36525)
    months, years = days.astype("M8[M]"), days.astype("M8[Y]")
    year, month, day = years.astype(int) + 70, (months - years).astype(int) + 1, (days - months).astype(int) + 1
    table = np.full(1 << 16, _NO_DAY, np.uint32)
    table[year % 100 * 512 + month * 32 + day] = np.arange(36525) * 86400
    return table


_DAY_SECONDS = _build_day_seconds()


def _scan_block(data: memoryview, octets: U8, position: int, limit: int, end: int) -> EntryBlock | None:
    """The entries that begin in `[position, limit)`, as far as they form a chain from `position` on; None without."""
    limit = min(limit, len(octets) - _AFTER)
    if position < _BEFORE or position >= limit:
        return None
    base = position - _BEFORE
    window = octets[base : limit + _AFTER]
    starts, ends, counts = _find_chain(window, limit - base, end - base)
    if not len(starts):
        return None
    times = starts + 4 + counts
    words: U64 = np.ascontiguousarray(_gather(window, times - 8, _WINDOW).view(_WORD).T)
    seconds, dated = _read_dates(words[1], words[2])
    reasons, reasoned = _read_reasons(words[2:], ends - times - _TIME_OCTETS)
    numbered, is_long = _judge_serials(counts, window[4:][starts], window[5:][starts])
    for odd in np.flatnonzero(~(dated & reasoned & numbered)):
        entry = _read_entry(data, base + int(starts[odd]), end)
        seconds[odd], reasons[odd] = entry.seconds, entry.reason
    keys: U64 = words[0].byteswap(inplace=True)
    keys &= _SERIAL_MASKS.take(counts)
    reached = base + int(ends[-1])
    if not is_long.any():
        return EntryBlock(Entries(keys, _no_tails(len(keys)), seconds, reasons), build_no_entries(TAIL), reached)
    tails = _gather(window, times[is_long] - 8 - TAIL, TAIL)
    tails[np.arange(TAIL) < TAIL + 8 - counts[is_long, np.newaxis].astype(np.intp)] = 0
    short = Entries(keys[~is_long], _no_tails(len(keys) - len(tails)), seconds[~is_long], reasons[~is_long])
    return EntryBlock(short, Entries(keys[is_long], tails, seconds[is_long], reasons[is_long]), reached)


def _find_chain(window: U8, limit: int, end: int) -> tuple[Places, Places, U8]:
    """The entries from _BEFORE on that follow one another without a gap: where each begins and ends, and the octets of
    its serial number.

    They begin before `limit` and end by `end`, places in `window` all.
    """
    found = window[_BEFORE:limit] == SEQUENCE
    found &= window[_BEFORE + 2 : limit + 2] == INTEGER
    starts = np.flatnonzero(found)
    starts += _BEFORE
    counts, lengths = window[3:][starts], window[1:][starts]
    likely = (counts - 1 < _SERIAL_OCTETS) & (lengths < 0x80)
    if not likely.all():
        starts, counts, lengths = starts[likely], counts[likely], lengths[likely]
    ends = starts + 2 + lengths
    if (ends[:-1] != starts[1:]).any():  # perhaps only because of some that have no time behind their number
        times = starts + 4 + counts
        tags, sizes = window[times], window[1:][times]
        likely = ((tags == 0x17) & (sizes == 0x0D)) | ((tags == 0x18) & (sizes == 0x0F))
        starts, ends, counts = starts[likely], ends[likely], counts[likely]
    count = 0
    if len(starts) and starts[0] == _BEFORE:
        broken = np.flatnonzero(ends[:-1] != starts[1:])
        count = int(broken[0]) + 1 if len(broken) else len(starts)
        count -= bool(ends[count - 1] > end)
    return starts[:count], ends[:count], counts[:count]


def _gather(window: U8, places: Places, width: int) -> U8:
    """`width` octets from each of the places on, a row each."""
    every = np.ndarray(len(window) - width + 1, np.dtype((np.void, width)), window.data, strides=(1,))
    rows: U8 = every[places].view(np.uint8).reshape(len(places), width)
    return rows


def _read_dates(days: U64, clocks: U64) -> tuple[U32, Mask]:
    """Seconds since EPOCH of each UTCTime, given as two words, and which of them are such a time and exist.

    All octets of a word at once. A digit, less the code of zero, is below 10; ten times it plus the one after it is a
    number, in the place of the first. Numbers below 128 leave room for a bit that tells whether they are too large.
    """
    days, clocks = days ^ _DAY_WORD, clocks ^ _CLOCK_WORD
    wrong = (days + _DAY_EXCESS | days) & _DAY_CHECKED
    wrong |= (clocks + _CLOCK_EXCESS | clocks) & _CLOCK_CHECKED
    for words, fields, excess in ((days, _DAY_FIELDS, _MONTH_EXCESS), (clocks, _CLOCK_FIELDS, _HOUR_EXCESS)):
        ones = words >> np.uint64(8)
        words *= np.uint64(10)
        words += ones
        words &= fields
        wrong |= words + excess & _DAY_CHECKED
    days *= _DAY_FACTORS
    days >>= np.uint64(48)
    clocks *= _CLOCK_FACTORS
    clocks >>= np.uint64(32)
    clocks &= np.uint64(0x3FFFF)  # another sum begins at bit 16 of these: a multiple of four, so it touches none
    seconds: U32 = _DAY_SECONDS.take(days.astype(np.intp))
    good = (wrong == 0) & (seconds != _NO_DAY)
    seconds += clocks.astype(np.uint32)
    return seconds, good


def _read_reasons(words: U64, sizes: Places) -> tuple[U8, Mask]:
    """The reason of each entry whose extensions have so many octets, and which of them have none or a plain reason.

    `words` are the last three of each.
    """
    codes = (words[2] >> np.uint64(32)).astype(np.uint8)
    other = words[0] >> np.uint64(56) ^ _REASON_WORD_0
    other |= words[1] ^ _REASON_WORD_1
    other |= words[2] & np.uint64(0xFFFFFFFF) ^ _REASON_WORD_2
    plain = (other == 0) & (sizes == _REASON_OCTETS) & _KNOWN_REASON.take(codes)
    np.putmask(codes, ~plain, NO_REASON)
    return codes, plain | (sizes == 0)


def _judge_serials(counts: U8, first: U8, second: U8) -> tuple[Mask, Mask]:
    """Which serial numbers are positive, in their shortest form, of at most 20 octets; and which are 2^64 or more."""
    zero = first == 0
    size = counts - zero
    good = (first < 0x80) & (size > 0) & (size < _SERIAL_OCTETS) & ~(zero & (second < 0x80))
    return good, size > 8


def _no_tails(count: int) -> U8:
    return np.empty((count, 0), np.uint8)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry, read by itself."""

    serial: int
    seconds: int
    reason: int
    end: int


def _walk(data: memoryview, position: int, limit: int, end: int) -> EntryBlock:
    """The entries that begin in `[position, limit)`, one by one."""
    walked = []
    while position < limit:
        walked.append(_read_entry(data, position, end))
        position = walked[-1].end
    short = _build_entries([entry for entry in walked if entry.serial >> 64 == 0], tail=0)
    return EntryBlock(short, _build_entries([entry for entry in walked if entry.serial >> 64], tail=TAIL), position)


def _build_entries(walked: list[_Entry], tail: int) -> Entries:
    tails = b"".join((entry.serial >> 64).to_bytes(tail, "big") for entry in walked)
    return Entries(
        np.array([entry.serial & 0xFFFFFFFFFFFFFFFF for entry in walked], np.uint64),
        np.frombuffer(tails, np.uint8).reshape(len(walked), tail),
        np.array([entry.seconds for entry in walked], np.uint32),
        np.array([entry.reason for entry in walked], np.uint8),
    )


def _read_entry(data: memoryview, position: int, end: int) -> _Entry:
    """The entry at `position`, whatever it holds. Raises `MalformedCrl` with the word of what is wrong."""
    try:
        whole = read_element(data, position, end, SEQUENCE)
        number = read_element(data, whole.content, whole.end, INTEGER)
        serial = elements.read_integer(data, number)
        time = read_element(data, number.end, whole.end)
        seconds = int((elements.read_time(data, time) - EPOCH) / timedelta(seconds=1))
        reason = NO_REASON
        if time.end < whole.end:
            reason = _read_entry_extensions(bytes(data[time.end : whole.end]))
    except MalformedDer as error:
        raise MalformedCrl(f"an entry is malformed: {error}", "entry_malformed") from None
    if not 0 < serial < 1 << 8 * (TAIL + 8):
        raise MalformedCrl("an entry has a serial number that is not positive or too long", "entry_serial")
    if not 0 <= seconds < 1 << 32:
        raise MalformedCrl("an entry has a date before 1950 or after 2085", "entry_date")
    return _Entry(serial, seconds, reason, whole.end)


def _read_entry_extensions(data: bytes) -> int:
    """The reason that the extensions of an entry give, or NO_REASON; what is not critical is passed over."""
    reason = NO_REASON
    for extension in elements.read_extensions(data, 0, len(data)):
        if extension.oid == _REASON_CODE:
            value = read_element(data, extension.start, extension.end, ENUMERATED)
            reason = elements.read_integer(data, value)
            if value.end != extension.end:
                raise MalformedDer("bytes follow the reason")
            if reason == _REMOVE_FROM_CRL:
                raise MalformedCrl("an entry takes another one back", "entry_remove_from_crl")
            if reason not in REASONS:
                raise MalformedDer("there is no such reason")
        elif extension.oid == _CERTIFICATE_ISSUER:
            raise MalformedCrl("an entry is about another issuer", "entry_certificate_issuer")
        elif extension.critical:
            raise MalformedCrl("an entry has a critical extension not known here", "entry_critical_extension")
    return reason
