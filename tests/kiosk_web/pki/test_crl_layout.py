"""The format of a segment: held by a file that an earlier version wrote, and refused in any other form.

`tests/contract/vectors/crl_segment_v2.idx` was written once. If it can no longer be read, or another one is written for
the same list, then the format has changed: it needs another VERSION (docs/crl-index.md), not another file.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk_web.pki.crl import read_crl
from kiosk_web.pki.crl_builder import build_segment
from kiosk_web.pki.crl_layout import (
    PAGE,
    SegmentDamaged,
    SegmentHeader,
    build_segment_header,
    lay_out,
    read_segment_header,
)
from kiosk_web.pki.crl_segment import Segment
from kiosk_web.pki.crl_status import ListEntry
from kiosk_web.pki.crl_trust import ListHeader, ListMark, ListScope, TrustedCrl, derive_point
from kiosk_web.pki.fields import build_fields
from tests.support.crl_writer import ListShape, build_list, encode_entry, encode_reason
from tests.support.jpki import build_root
from tests.support.segments import state_entry

VECTORS = Path(__file__).parents[2] / "contract/vectors"
GOLDEN = VECTORS / "crl_segment_v2.idx"

NAMES = frozenset({b"0\x00\x02ab", b"uri:http://lists.invalid/a"})
HEADER = ListHeader(
    scope=ListScope(bytes(range(20)), derive_point(NAMES)),
    point_names=NAMES,
    covers="user",
    this_update=datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC),
    next_update=datetime(2026, 11, 24, 7, 2, 3, tzinfo=UTC),
    crl_number=0xF1234567,
    sha256=bytes(range(32)),
    size=4321,
    entries=72,
)
SHORT = [0x01000000 + 17 * number for number in range(65)] + [(1 << 64) - 1]
LONG = [1 << 64, (1 << 160) - 1, 0x0102030405060708090A0B0C0D0E0F10, 0x01FF030405060708090A0B0C0D0E0F10, 5 << 100]
FACTS = {
    serial: state_entry(
        datetime(2025, 1, 1 + place % 28, place % 24, 3, 4, tzinfo=UTC),
        ("keyCompromise", "certificateHold", None)[place % 3],
    )
    for place, serial in enumerate([*SHORT, *LONG])
}
TWICE = encode_entry(SHORT[0], datetime(2025, 6, 1, tzinfo=UTC), [encode_reason(6)])


def build_trusted() -> TrustedCrl:
    """The list that the golden segment is of. Nobody signed it: everything in it is fixed, a key would not be."""
    codes = {"keyCompromise": [encode_reason(1)], "certificateHold": [encode_reason(6)], None: []}
    entries = [encode_entry(serial, fact.revoked_at, codes[fact.reason]) for serial, fact in reversed(FACTS.items())]
    shape = ListShape(this_update=HEADER.this_update, next_update=HEADER.next_update, number=HEADER.crl_number)
    crl = read_crl(build_list(build_root(), [*entries, TWICE], shape))
    data = memoryview(bytes(crl.data).ljust(HEADER.size, b"\0"))
    return TrustedCrl(
        crl=replace(crl, data=data, point=replace(crl.point, names=NAMES)),
        anchor=build_root().anchor,
        scope=HEADER.scope,
        covers=HEADER.covers,
        next_update=HEADER.next_update,
        mark=ListMark(HEADER.crl_number, HEADER.this_update, HEADER.sha256),
    )


def test_the_golden_segment_is_written_again_octet_for_octet() -> None:
    parts: list[bytes] = []
    assert build_segment(build_trusted(), lambda part: parts.append(bytes(part))).header == HEADER
    assert b"".join(parts) == GOLDEN.read_bytes()


def test_the_golden_segment_says_what_was_written() -> None:
    segment = Segment.open(memoryview(GOLDEN.read_bytes()))
    assert segment.header == HEADER
    assert segment.header_sha256.hex() == "79c182840ab191caa4bfee4fd022f1b2ac8a43ca820d6bd6d47f94c30d34f88f"
    assert {serial: segment.find(serial) for serial in FACTS} == FACTS
    assert [segment.find(serial) for serial in (1, SHORT[0] + 1, 2 << 64, (1 << 159))] == [None] * 4
    assert segment.check_digest()


def test_a_segment_of_the_first_version_is_refused() -> None:
    with pytest.raises(SegmentDamaged, match="version"):
        Segment.open(memoryview((VECTORS / "crl_segment_v1.idx").read_bytes()))


def test_each_octet_is_where_the_document_says() -> None:
    """The tables of docs/crl-index.md, read without the product."""
    octets = GOLDEN.read_bytes()
    assert octets[:8] == b"KIOSKCRL"
    version, header_size, file_size, short, long = struct.unpack_from("<IIQQQ", octets, 8)
    assert (version, header_size, file_size, short, long) == (2, 256, len(octets), 66, 5)
    assert octets[40:72] == hashlib.sha256(octets[256:]).digest()
    assert struct.unpack_from("<QQ", octets, 72) == (HEADER.size, HEADER.entries)
    times = [int(HEADER.this_update.timestamp()), int(HEADER.next_update.timestamp())]
    assert list(struct.unpack_from("<qq", octets, 88)) == times
    assert struct.unpack_from("<BBH", octets, 104) == (1, 0, 2)
    (fields_size,) = struct.unpack_from("<I", octets, 108)
    fields = build_fields(HEADER.scope.key_id, b"\0\xf1\x23\x45\x67", HEADER.sha256, *sorted(NAMES))
    assert octets[112 : 112 + fields_size] == fields
    assert octets[112 + fields_size : 252] == bytes(140 - fields_size)
    assert octets[252:256] == crc(octets[:252])

    directory, pages = 256, 320
    keys = sorted(SHORT)
    assert octets[directory:pages] == struct.pack("<QQQ", keys[0], keys[32], keys[64]).ljust(64, b"\0")
    for number in range(3):
        page = octets[pages + 424 * number : pages + 424 * number + 424]
        mine = keys[32 * number : 32 * number + 32]
        empty = 32 - len(mine)
        assert list(struct.unpack_from("<32Q", page)) == mine + [(1 << 64) - 1] * empty
        said = zip(struct.unpack_from("<32I", page, 256), page[384:416], strict=True)
        assert list(said) == [record(FACTS[key]) for key in mine] + [(0, 0)] * empty
        assert page[416:] == crc(page[:416], number) + bytes(4)

    long_directory, long_page = 1600, 1664
    numbers = sorted(LONG, key=lambda serial: (serial & (1 << 64) - 1, serial >> 64))
    assert octets[pages + 1272 : long_directory] == bytes(8)
    assert octets[long_directory : long_directory + 8] == struct.pack("<Q", numbers[0] & (1 << 64) - 1)
    page = octets[long_page : long_page + 808]
    found = [page[256 + 12 * slot : 268 + 12 * slot] + page[8 * slot : 8 * slot + 8][::-1] for slot in range(5)]
    assert [int.from_bytes(number, "big") for number in found] == numbers
    said = zip(struct.unpack_from("<5I", page, 640), page[768:773], strict=True)
    assert list(said) == [record(FACTS[n]) for n in numbers]
    assert page[800:] == crc(page[:800]) + bytes(4)
    assert octets[long_page + 808 :] == bytes(len(octets) - long_page - 808)
    assert len(octets) == 2496


def crc(octets: bytes, page: int = 0) -> bytes:
    return struct.pack("<I", zlib.crc32(octets, page))


def record(fact: ListEntry) -> tuple[int, int]:
    seconds = int((fact.revoked_at - datetime(1950, 1, 1, tzinfo=UTC)).total_seconds())
    return seconds, {"keyCompromise": 1, "certificateHold": 6, None: 255}[fact.reason]


@pytest.mark.parametrize("counts", [(0, 0), (1, 0), (0, 1), (PAGE, PAGE + 1), (5_000_000, 0), (1000, 2000)])
def test_the_parts_follow_one_another_in_multiples_of_64(counts: tuple[int, int]) -> None:
    layout = lay_out(256, *counts)
    places = [place for table in (layout.short, layout.long) for place in (table.directory, table.pages, table.end)]
    assert places == sorted(places)
    assert not [place for place in places if place % 64]
    assert layout.size <= 256 + 13.5 * (counts[0] + PAGE) + 25.5 * (counts[1] + PAGE) + 4 * 64


@pytest.mark.parametrize(
    "header",
    [
        HEADER,
        replace(HEADER, crl_number=None),
        replace(HEADER, crl_number=0),
        replace(HEADER, crl_number=(1 << 160) - 1),
        replace(HEADER, scope=ListScope(HEADER.scope.key_id, b""), point_names=frozenset(), covers="all"),
        replace(HEADER, covers="ca", scope=ListScope(HEADER.scope.key_id, derive_point(NAMES, "ca"))),
        replace(HEADER, this_update=datetime(1950, 1, 1, tzinfo=UTC)),
        replace(HEADER, next_update=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_header_is_read_as_it_was_written(header: ListHeader) -> None:
    octets = build_segment_header(SegmentHeader(header, 0, 0, b"b" * 32))
    about, layout, _ = read_segment_header(memoryview(octets))
    assert about == SegmentHeader(header, 0, 0, b"b" * 32)
    assert layout.header == layout.size == len(octets)


def test_every_changed_octet_of_a_header_is_noticed() -> None:
    octets = GOLDEN.read_bytes()
    size = read_segment_header(memoryview(octets))[1].header
    for place in range(size):
        for mask in (0x01, 0x80, 0xFF):
            changed = octets[:place] + bytes([octets[place] ^ mask]) + octets[place + 1 :]
            with pytest.raises(SegmentDamaged):
                Segment.open(memoryview(changed))


def test_a_file_of_another_size_is_refused() -> None:
    octets = GOLDEN.read_bytes()
    for other in (*(octets[:end] for end in range(0, len(octets), 7)), octets + b"\0", octets * 2, b"\0" * 4096):
        with pytest.raises(SegmentDamaged):
            Segment.open(memoryview(other))


def forge(**changes: int) -> bytes:
    """A header with other numbers and the right checksum."""
    octets = bytearray(build_segment_header(SegmentHeader(HEADER, 0, 0, bytes(32))))
    places = {
        "version": (8, "<I"),
        "size": (12, "<I"),
        "file": (16, "<Q"),
        "short": (24, "<Q"),
        "this": (88, "<q"),
        "covers": (104, "B"),
        "zero": (105, "B"),
        "names": (106, "<H"),
        "fields": (108, "<I"),
        "padding": (-5, "B"),
    }
    for name, value in changes.items():
        place, form = places[name]
        struct.pack_into(form, octets, place % len(octets), value)
    octets[-4:] = struct.pack("<I", zlib.crc32(octets[:-4]))
    return bytes(octets)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 1},
        {"version": 3},
        {"size": 1 << 31},
        {"size": 10},
        {"size": 128},
        {"file": 5},
        {"short": 1},
        {"short": (1 << 64) - 1},
        {"this": 1 << 62},
        {"covers": 3},
        {"zero": 1},
        {"names": 1},
        {"names": 3},
        {"fields": 0},
        {"fields": 1 << 30},
        {"padding": 1},
    ],
    ids=str,
)
def test_a_header_with_the_right_checksum_and_the_wrong_content_is_refused(changes: dict[str, int]) -> None:
    with pytest.raises(SegmentDamaged):
        Segment.open(memoryview(forge(**changes)))


def test_a_forged_header_that_changes_nothing_is_the_same() -> None:
    assert Segment.open(memoryview(forge())).header == HEADER
