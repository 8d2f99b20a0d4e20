"""Changed lists: whatever happens to the bytes of one, it never says anything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk_web.pki.crl import MalformedCrl, read_crl
from kiosk_web.pki.crl_builder import build_segment
from kiosk_web.pki.crl_segment import Segment
from kiosk_web.pki.crl_status import ListEntry, ListFinding, judge_crl_status
from kiosk_web.pki.crl_trust import CrlPolicy, ListHeader, RefusedCrl, judge_crl
from kiosk_web.pki.status import Good, OnHold, Revoked
from kiosk_web.pki.trust import TrustStore
from tests.support.crl_writer import ListShape, build_list, encode_entry, encode_point, encode_reason
from tests.support.jpki import NOW, build_municipal_name, build_root, issue, trust

ROOTS = [build_root(2019), build_root(2023)]
ROOT = ROOTS[1]
STORE = TrustStore(root.anchor for root in ROOTS)
POLICY = CrlPolicy()
IN_FORCE, LISTED, HELD, LONG = 0x0A1B2C3D, 0x0A1B2C3E, 0x0A1B2C3F, 0x0A1B2C3D << 96
CERTIFICATES = {serial: trust(issue(ROOT, serial=serial), ROOT) for serial in (IN_FORCE, LISTED, HELD, LONG)}
MUNICIPAL = ListShape(point=encode_point([x509.DirectoryName(build_municipal_name())]))
ENTRIES = [
    encode_entry(LISTED, extensions=[encode_reason(1)]),
    encode_entry(HELD, extensions=[encode_reason(6)]),
    encode_entry(LONG),
]
LIST = build_list(ROOT, ENTRIES, MUNICIPAL)
SILENT = build_list(ROOT, None, MUNICIPAL)

Said = tuple[ListHeader, dict[int, ListEntry | None]]


def judge(data: bytes) -> Said | str:
    """What a list says about four certificates, after the whole way of a list; or the word for which it is refused."""
    try:
        judged = judge_crl(read_crl(data), STORE, POLICY, NOW, {})
        if isinstance(judged, RefusedCrl):
            return judged.why
        written = bytearray()
        build_segment(judged, written.extend)
    except MalformedCrl as error:
        return error.why
    segment = Segment.open(memoryview(bytes(written)))
    return segment.header, {serial: segment.find(serial) for serial in CERTIFICATES}


@cache
def judge_once(data: bytes) -> Said:
    said = judge(data)
    assert not isinstance(said, str)
    return said


def says_the_same(data: bytes, original: bytes) -> bool:
    """False for a refused list; an assertion for one that says anything else."""
    said, before = judge(data), judge_once(original)
    if isinstance(said, str):
        assert said
        return False
    assert (replace(said[0], sha256=before[0].sha256), said[1]) == before
    return True


def change_each_byte(data: bytes, values: Callable[[int], Iterable[int]]) -> Iterator[tuple[int, bytes]]:
    """Other values of every byte, with its place."""
    changed = bytearray(data)
    for position, byte in enumerate(data):
        for other in values(byte):
            if other != byte:
                changed[position] = other
                yield position, bytes(changed)
        changed[position] = byte


def test_the_specimen_says_what_it_should() -> None:
    header, entries = judge_once(LIST)
    outcomes = {
        serial: type(
            judge_crl_status(
                CERTIFICATES[serial], [ListFinding(header, entry)], POLICY, NOW, certificate_mark=None, list_marks={}
            )
        )
        for serial, entry in entries.items()
    }
    assert outcomes == {IN_FORCE: Good, LISTED: Revoked, HELD: OnHold, LONG: Revoked}


def all_values(_byte: int) -> Iterable[int]:
    return range(256)


def other_bits(byte: int) -> Iterable[int]:
    return (byte ^ 1 << bit for bit in range(8))


@pytest.mark.long
@pytest.mark.parametrize(("data", "values"), [(LIST, all_values), (SILENT, other_bits)], ids=["revoking", "silent"])
def test_every_value_of_every_byte_of_a_list_is_refused_or_changes_nothing(
    data: bytes, values: Callable[[int], Iterable[int]]
) -> None:
    """Of the silent one, every bit."""
    same = {position for position, changed in change_each_byte(data, values) if says_the_same(changed, data)}
    assert len(same) < 8  # only bytes that nobody signs and nobody reads


@pytest.mark.parametrize("data", [LIST, SILENT], ids=["revoking", "silent"])
def test_every_cut_list_and_every_longer_one_is_refused(data: bytes) -> None:
    assert not any(says_the_same(data[:end], data) for end in range(len(data)))
    assert not any(says_the_same(data + bytes([octet]), data) for octet in range(256))


def test_every_byte_left_out_or_told_twice_is_refused() -> None:
    for place in range(len(LIST)):
        assert not says_the_same(LIST[:place] + LIST[place + 1 :], LIST)
        assert not says_the_same(LIST[:place] + LIST[place : place + 1] + LIST[place:], LIST)


@settings(max_examples=300)
@given(st.integers(0, len(LIST)), st.integers(0, len(SILENT)), st.integers(0, len(SILENT)), st.binary(max_size=16))
def test_pieces_of_lists_put_together_are_neither(head: int, start: int, end: int, middle: bytes) -> None:
    mixed = LIST[:head] + middle + SILENT[min(start, end) : max(start, end)]
    assert mixed in (LIST, SILENT) or isinstance(judge(mixed), str)


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_any_bytes_at_all_are_refused_by_a_word(data: bytes) -> None:
    assert isinstance(judge(data), str)
