"""Building an index: sorted whatever the order, each serial number once, nothing written for a list that is none."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk_web.pki.crl import MalformedCrl
from kiosk_web.pki.crl_builder import build_segment
from kiosk_web.pki.crl_entries import REASONS
from kiosk_web.pki.crl_layout import read_segment_header
from tests.support.crl_writer import (
    EntryShape,
    ListShape,
    build_list,
    derive_absent_serials,
    derive_serials,
    encode_entry,
    encode_reason,
    write_list,
)
from tests.support.jpki import NOW, build_root
from tests.support.segments import index, open_segment, state_entry, trust_list, write_segment

ROOT = build_root()
EARLY, LATE = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize("serial", [77, 1 << 40, 1 << 100])
@pytest.mark.parametrize(
    ("statements", "severest"),
    [
        ([(EARLY, 6), (LATE, 1)], (LATE, 1)),
        ([(LATE, 1), (EARLY, 6)], (LATE, 1)),
        ([(LATE, 4), (EARLY, 5)], (EARLY, 5)),
        ([(LATE, 6), (EARLY, 6)], (EARLY, 6)),
        ([(EARLY, 5), (EARLY, 1)], (EARLY, 1)),
        ([(EARLY, None), (EARLY, 6)], (EARLY, None)),
        ([(EARLY, None), (EARLY, 4)], (EARLY, 4)),
        ([(LATE, 6), (LATE, None), (EARLY, 6), (EARLY, 9)], (EARLY, 9)),
    ],
)
def test_of_several_statements_about_one_number_the_severest_stays(
    serial: int, statements: list[tuple[datetime, int | None]], severest: tuple[datetime, int | None]
) -> None:
    entries = [
        encode_entry(serial, moment, [] if code is None else [encode_reason(code)]) for moment, code in statements
    ]
    others = [encode_entry(serial + step, LATE, [encode_reason(6)]) for step in range(-40, 40) if step]
    octets = index([*others[:30], *entries[:1], *others[30:], *entries[1:]])
    segment = open_segment(octets)
    reason = None if severest[1] is None else REASONS[severest[1]]
    assert segment.find(serial) == state_entry(severest[0], reason)
    assert segment.find(serial - 1) == segment.find(serial + 1) == state_entry(LATE, "certificateHold")
    assert segment.header.entries == 79 + len(entries)
    header = read_segment_header(memoryview(octets))[0]
    assert header.short + header.long == 80


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.integers(1, 9), st.integers(1 << 40, (1 << 40) + 3), st.integers(1 << 64, (1 << 64) + 3)),
            st.sampled_from([EARLY, LATE]),
            st.sampled_from([None, 1, 6]),
        ),
        max_size=60,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_a_list_does_not_matter(
    statements: list[tuple[int, datetime, int | None]], chance: object
) -> None:
    entries = [
        encode_entry(serial, at, [] if code is None else [encode_reason(code)]) for serial, at, code in statements
    ]
    shuffled = entries.copy()
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random
    one, other = open_segment(index(entries)), open_segment(index(shuffled))
    for serial in {serial for serial, _, _ in statements}:
        mine = [(code == 6, at, 99 if code is None else code) for number, at, code in statements if number == serial]
        _, at, code = min(mine)
        wanted = state_entry(at, None if code == 99 else REASONS[code])
        assert one.find(serial) == other.find(serial) == wanted


@pytest.mark.parametrize("span", [0, (1 << 28) - 1, 1 << 28, 3_000_000_000])
def test_dates_may_lie_as_far_apart_as_they_like(span: int) -> None:
    """Small serial numbers are sorted together with their dates and reasons where these are close enough."""
    moments = (EARLY, EARLY + timedelta(seconds=span)) if span < 1 << 30 else (datetime(1951, 1, 1, tzinfo=UTC), EARLY)
    facts = {
        serial * 2654435761 % (1 << 32): state_entry(moments[serial % 2], None if code is None else REASONS[code])
        for serial, code in enumerate([None, *REASONS] * 9, start=1)
    }
    codes = {name: code for code, name in REASONS.items()}
    entries = [
        encode_entry(serial, said.revoked_at, [] if said.reason is None else [encode_reason(codes[said.reason])])
        for serial, said in facts.items()
    ]
    segment = open_segment(index([*entries, *entries[::5]]))
    assert {serial: segment.find(serial) for serial in facts} == facts
    assert [segment.find(serial + 1) for serial in facts] == [None] * len(facts)


def test_an_index_is_always_the_same_octets() -> None:
    data = build_list(ROOT, [encode_entry(serial) for serial in (5, 1 << 80, 3, 1 << 50)])
    assert write_segment(trust_list(data, ROOT)) == write_segment(trust_list(memoryview(data), ROOT))


@pytest.mark.parametrize("place", [0, 30000])
def test_nothing_is_written_for_a_list_with_a_broken_entry(place: int) -> None:
    entries = [encode_entry(serial) for serial in range(1, 30001)]
    entries.insert(place, encode_entry(9, extensions=[encode_reason(8)]))
    written: list[bytes | memoryview] = []
    with pytest.raises(MalformedCrl) as refusal:
        build_segment(trust_list(build_list(ROOT, entries), ROOT), written.append)
    assert (refusal.value.why, written) == ("entry_remove_from_crl", [])


@pytest.mark.parametrize("entries", [None, []], ids=["absent", "empty"])
def test_a_list_of_nobody_is_a_list(entries: list[bytes] | None) -> None:
    data = build_list(ROOT, entries)
    segment = open_segment(write_segment(trust_list(data, ROOT)))
    assert (segment.find(5), segment.find(1 << 90)) == (None, None)
    assert segment.header.entries == 0
    assert segment.header.sha256 == hashlib.sha256(data).digest()
    assert segment.check_digest()


@pytest.mark.parametrize(
    "shape",
    [EntryShape(), EntryShape(ascending=True), EntryShape(serial_octets=7), EntryShape(serial_octets=16)],
    ids=str,
)
def test_a_large_list_becomes_a_small_index(shape: EntryShape, tmp_path: Path) -> None:
    count = 100_000
    write_list(tmp_path / "list.crl", ROOT, count, shape, ListShape(number=7))
    data = (tmp_path / "list.crl").read_bytes()
    told: list[int] = []
    parts: list[bytes] = []
    built = build_segment(trust_list(data, ROOT), lambda part: parts.append(bytes(part)), told.append)
    octets = b"".join(parts)
    segment = open_segment(octets)
    assert built.header == segment.header
    assert (segment.header.entries, segment.header.crl_number) == (count, 7)
    assert built.header_sha256 == segment.header_sha256
    assert len(octets) < count * (25.6 if shape.serial_octets > 8 else 13.6)
    assert told == sorted(told)
    assert len(told) > 5
    present = derive_serials(0, count, shape)
    assert segment.find_many(present).listed.all()
    first = segment.find(present[1])
    assert first == state_entry(datetime(2022, 2, 2, 1, 7, 11, tzinfo=UTC), "cessationOfOperation")
    assert segment.find(present[7]) == state_entry(datetime(2023, 8, 8, 7, 49, 17, tzinfo=UTC), None)
    assert not segment.find_many(derive_absent_serials(0, count)).listed.any()


def test_the_header_says_what_the_list_says() -> None:
    shape = ListShape(this_update=NOW - timedelta(hours=1), next_update=NOW + timedelta(hours=5), number=(1 << 159) - 1)
    data = build_list(ROOT, [encode_entry(5)], shape)
    header = open_segment(write_segment(trust_list(data, ROOT))).header
    assert (header.this_update, header.next_update) == (shape.this_update, shape.next_update)
    assert (header.crl_number, header.size, header.covers) == (shape.number, len(data), "all")
    assert (header.scope.key_id, header.scope.point, header.point_names) == (ROOT.anchor.key_id, b"", frozenset())
    assert header == trust_list(data, ROOT).build_header(1)
