"""The index of a list: it says what the list says, and a damaged one says that it is damaged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk_web.pki.crl_entries import EPOCH, NO_REASON, REASONS
from kiosk_web.pki.crl_layout import PAGE, SHORT_PAGE, SegmentDamaged, read_segment_header
from kiosk_web.pki.crl_segment import NOT_LISTED, FoundMany, Segment
from kiosk_web.pki.crl_status import ListEntry
from tests.support.crl_writer import encode_entry, encode_reason
from tests.support.segments import index, open_segment, state_entry

CODES = (None, *REASONS)

SHORT = [5 + 1000 * number for number in range(200)]
LONG = [(1 << 64) + 7 + (number % 5) + (number << 90) for number in range(150)]
"""Thirty each have their last 8 octets in common."""


def state(serials: Sequence[int]) -> dict[int, ListEntry]:
    """A date and a reason for each serial number."""
    facts = {}
    for place, serial in enumerate(serials):
        code = CODES[place % len(CODES)]
        moment = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=place)
        facts[serial] = state_entry(moment, None if code is None else REASONS[code])
    return facts


def build(facts: dict[int, ListEntry]) -> bytes:
    """The segment of a list that says so."""
    codes = {name: code for code, name in REASONS.items()}
    return index(
        [
            encode_entry(serial, entry.revoked_at, [] if entry.reason is None else [encode_reason(codes[entry.reason])])
            for serial, entry in facts.items()
        ]
    )


FACTS = state(SHORT + LONG)
SEGMENT = build(FACTS)
QUESTIONS = sorted({serial + step for serial in FACTS for step in (-1, 0, 1)} | {0, 1, 1 << 63, 1 << 64, 1 << 159})


def ask_many(segment: Segment, questions: Sequence[int]) -> list[ListEntry | None]:
    return tell(segment.find_many(questions))


def tell(found: FoundMany) -> list[ListEntry | None]:
    answers: list[ListEntry | None] = []
    for reason, seconds in zip(found.reasons.tolist(), found.seconds.tolist(), strict=True):
        if reason == NOT_LISTED:
            assert seconds == 0
            answers.append(None)
        else:
            answers.append(
                state_entry(EPOCH + timedelta(seconds=seconds), None if reason == NO_REASON else REASONS[reason])
            )
    return answers


def test_each_entry_is_found_and_nothing_else() -> None:
    segment = open_segment(SEGMENT)
    assert {serial: segment.find(serial) for serial in QUESTIONS} == {serial: FACTS.get(serial) for serial in QUESTIONS}


def test_many_are_found_at_once_in_any_order() -> None:
    segment = open_segment(SEGMENT)
    for questions in (QUESTIONS, QUESTIONS[::-1], QUESTIONS[::3] + QUESTIONS[::2], [], [-1, -(1 << 70)]):
        assert ask_many(segment, questions) == [FACTS.get(serial) for serial in questions]


@pytest.mark.parametrize("largest", [1 << 32, 1 << 64])
def test_an_array_is_as_good_as_numbers(largest: int) -> None:
    questions = [serial for serial in QUESTIONS if serial < largest]
    segment = open_segment(SEGMENT)
    for order in (questions, questions[::-1]):
        found = segment.find_many(np.array(order, np.uint64))
        assert tell(found) == [FACTS.get(serial) for serial in order]
        assert found.listed.tolist() == [serial in FACTS for serial in order]
    assert tell(segment.find_many(np.array([5, 6], np.uint32))) == [FACTS[5], None]
    with pytest.raises(TypeError):
        segment.find_many(np.array([5.0]))


@settings(max_examples=150, deadline=None)
@given(
    st.sets(
        st.one_of(st.integers(1, 300), st.integers(1, (1 << 64) - 1), st.integers(1 << 64, (1 << 160) - 1)),
        max_size=300,
    ),
    st.lists(st.one_of(st.integers(0, 300), st.integers(0, (1 << 160) - 1)), max_size=40),
)
def test_a_segment_says_what_the_list_says(listed: set[int], others: list[int]) -> None:
    facts = state(sorted(listed, key=lambda serial: serial * 2654435761 % 4294967291))
    segment = open_segment(build(facts))
    questions = [*facts, *others]
    assert [segment.find(serial) for serial in questions] == [facts.get(serial) for serial in questions]
    assert ask_many(segment, questions) == [facts.get(serial) for serial in questions]
    assert segment.header.entries == len(facts)


@pytest.mark.parametrize("count", [0, 1, 2, *(PAGE * pages + step for pages in (1, 2, 3) for step in (-1, 0, 1))])
@pytest.mark.parametrize("base", [0, 1 << 70])
def test_pages_of_any_fill_are_searched(count: int, base: int) -> None:
    facts = state([base + 3 * number + 2 for number in range(count)])
    segment = open_segment(build(facts))
    questions = [base + number for number in range(3 * count + 4)]
    assert [segment.find(serial) for serial in questions] == [facts.get(serial) for serial in questions]
    assert ask_many(segment, questions) == [facts.get(serial) for serial in questions]


@pytest.mark.long
@pytest.mark.parametrize("mask", [0x01, 0xFF])
def test_no_changed_octet_gives_another_answer(mask: int) -> None:
    """Every octet of a segment of four pages, and answers from every page: damaged, or the same."""
    facts = state([3 * number + 1 for number in range(70)] + [(1 << 64) + 5 * number for number in range(70)])
    questions = [serial + step for serial in list(facts)[::23] for step in (0, 1)]
    octets = build(facts)
    answers = [facts.get(serial) for serial in questions]
    size = read_segment_header(memoryview(octets))[1].header
    unnoticed = 0
    for place in range(len(octets)):
        changed = octets[:place] + bytes([octets[place] ^ mask]) + octets[place + 1 :]
        try:
            segment = open_segment(changed)
        except SegmentDamaged:
            assert place < size
            continue
        assert place >= size
        damaged = not segment.check_digest()
        assert damaged
        found = [find_or_refuse(segment, serial) for serial in questions]
        assert all(one in (other, "damaged") for one, other in zip(found, answers, strict=True)), place
        unnoticed += "damaged" not in found
    assert unnoticed < 10 * 64  # the zeros that fill the columns up are in no page


def find_or_refuse(segment: Segment, serial: int) -> ListEntry | str | None:
    try:
        found = segment.find(serial)
    except SegmentDamaged:
        found = None
        many: object = None
        with pytest.raises(SegmentDamaged):
            many = ask_many(segment, [serial])
        assert many is None
        return "damaged"
    assert ask_many(segment, [serial]) == [found]
    return found


@pytest.mark.long
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damage_of_any_size_is_never_another_answer(data: st.DataObject) -> None:
    size = read_segment_header(memoryview(SEGMENT))[1].header
    octets = bytearray(SEGMENT)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(size, len(octets) - 1))
        length = data.draw(st.sampled_from([1, 2, 8, 64, 512, 1024]))
        source = data.draw(st.one_of(st.none(), st.integers(size, len(octets) - 1)))
        patch = bytes(length) if source is None else bytes(octets[source : source + length])
        octets[start : start + length] = patch[: len(octets) - start]
    octets = octets[: len(SEGMENT)].ljust(len(SEGMENT), b"\0")
    segment = open_segment(bytes(octets))
    for serial in data.draw(st.lists(st.sampled_from(QUESTIONS), min_size=5, max_size=20)):
        assert find_or_refuse(segment, serial) in (FACTS.get(serial), "damaged")


@pytest.mark.long
def test_a_damaged_directory_leads_nobody_astray() -> None:
    """Each first number of a page made smaller and larger: whoever is led to another page sees it from that page."""
    facts = state([10 * number for number in range(1, 1001)])
    octets = build(facts)
    table = read_segment_header(memoryview(octets))[1].short
    led_astray = 0
    for page in range(table.page_count):
        for value in (0, 1 << 63, 10 * PAGE * page + 5 * PAGE + 5):
            changed = bytearray(octets)
            changed[table.directory + 8 * page : table.directory + 8 * page + 8] = value.to_bytes(8, "little")
            segment = open_segment(bytes(changed))
            for serial in range(1, 10020, 19):
                answer = find_or_refuse(segment, serial)
                assert answer in (facts.get(serial), "damaged")
                led_astray += answer == "damaged"
    assert led_astray > 100


def test_pages_that_changed_places_are_noticed() -> None:
    """Each has its right checksum; only their order is wrong."""
    facts = state([10 * number for number in range(1, 1001)])
    octets = bytearray(build(facts))
    pages, size = read_segment_header(memoryview(octets))[1].short.pages, SHORT_PAGE.itemsize
    first, third = slice(pages, pages + size), slice(pages + 2 * size, pages + 3 * size)
    octets[first], octets[third] = octets[third], octets[first]
    segment = open_segment(bytes(octets))
    answers = {serial: find_or_refuse(segment, serial) for serial in range(1, 10020)}
    assert all(answer in (facts.get(serial), "damaged") for serial, answer in answers.items())
    assert [answers[20], answers[10 * (2 * PAGE + 12)], answers[9000]] == ["damaged", "damaged", facts[9000]]


def test_the_digest_notices_what_no_search_would() -> None:
    octets = bytearray(SEGMENT)
    layout = read_segment_header(memoryview(octets))[1]
    assert open_segment(bytes(octets)).check_digest()
    for place in (layout.short.directory + 8, layout.short.pages, layout.long.end - 1):
        changed = octets.copy()
        changed[place] ^= 1
        assert not open_segment(bytes(changed)).check_digest()


def test_all_entries_can_be_read_at_once() -> None:
    serials, found = open_segment(SEGMENT).read_all()
    assert serials.tolist() == sorted(SHORT)
    assert tell(found) == [FACTS[serial] for serial in sorted(SHORT)]
    assert open_segment(build({})).read_all()[0].tolist() == []


def test_a_segment_is_the_one_that_the_manifest_names() -> None:
    other = index([encode_entry(5)])
    wanted = open_segment(SEGMENT).header_sha256
    assert Segment.open(memoryview(SEGMENT), wanted).header.entries == len(FACTS)
    with pytest.raises(SegmentDamaged):
        Segment.open(memoryview(other), wanted)


def test_a_released_segment_lets_go_of_its_memory() -> None:
    octets = bytearray(SEGMENT)
    segment = open_segment(octets)  # type: ignore[arg-type]  # a buffer that can tell whether it is still in use
    assert segment.find(SHORT[3]) == FACTS[SHORT[3]]
    segment.find_many(SHORT)
    with pytest.raises(BufferError):
        octets.clear()
    segment.release()
    octets.clear()
    with pytest.raises(ValueError, match="released"):
        segment.find(SHORT[3])
