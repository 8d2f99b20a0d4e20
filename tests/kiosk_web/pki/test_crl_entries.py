"""The scan of entries: the same as a walk from one to the next, whatever the entries are, and wherever a block ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk_web.pki.crl import MalformedCrl, read_crl
from kiosk_web.pki.crl_entries import EPOCH, NO_REASON, REASONS, Entries, scan_entries
from tests.support.crl_walk import Refused, walk
from tests.support.crl_writer import (
    CERTIFICATE_ISSUER,
    INTEGER,
    INVALIDITY_DATE,
    REASON_CODE,
    UTC_TIME,
    EntryShape,
    build_list,
    encode_entry,
    encode_extension,
    encode_reason,
    encode_time,
    write_list,
)
from tests.support.der import GENERALIZED_TIME, SEQUENCE, tlv
from tests.support.jpki import build_root

Row = tuple[int, datetime, int | None]

ROOT = build_root()
BEFORE, AFTER = b"\x30" * 40, b"\x02" * 80
"""Other bytes around the entries, as a list has them; they look a little like entries."""

INVALIDITY = encode_extension(INVALIDITY_DATE, tlv(GENERALIZED_TIME, b"20250102030405Z"))
UNKNOWN = bytes.fromhex("2a030405")
LARGE = encode_extension(UNKNOWN, bytes(200))
IMITATION = bytes.fromhex("3015020401020304170d3235303130313030303030305a")
"""A whole entry, as octets of a serial number or of an extension."""


def scan(entries: bytes, block: int = 256, before: bytes = BEFORE, after: bytes = AFTER) -> list[Row]:
    """The entries as rows, sorted; checks that the blocks follow one another."""
    data = memoryview(before + entries + after)
    start, end = len(before), len(before) + len(entries)
    blocks = list(scan_entries(data, start, end, block))
    assert all(one.end < other.end for one, other in pairwise(blocks))
    assert not blocks or blocks[-1].end == end
    return sorted((row for found in blocks for part in (found.short, found.long) for row in rows(part)), key=str)


def rows(entries: Entries) -> list[Row]:
    found = []
    for key, tail, seconds, reason in zip(
        entries.keys.tolist(), entries.tails, entries.seconds.tolist(), entries.reasons.tolist(), strict=True
    ):
        serial = int.from_bytes(tail.tobytes(), "big") << 64 | key
        assert bool(serial >> 64) == bool(tail.size)
        found.append((serial, EPOCH + timedelta(seconds=seconds), None if reason == NO_REASON else reason))
    return found


def expected(entries: bytes) -> list[Row]:
    return sorted(walk(entries), key=str)


serials = st.one_of(
    st.integers(1, (1 << 31) - 1),
    st.integers(1, 160).flatmap(lambda bits: st.integers(1 << bits - 1, (1 << bits) - 1)),
    st.binary(max_size=20).map(lambda noise: int.from_bytes((IMITATION + noise)[:20], "big")),
    st.binary(min_size=1, max_size=12).map(lambda noise: int.from_bytes(b"\x30" + noise + b"\x17\x0d", "big")),
    st.sampled_from([0x30, 0x7F, 0x80, 0xFF, 0x100, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, 1 << 64, (1 << 160) - 1]),
)
moments = st.datetimes(datetime(1950, 1, 1), datetime(2049, 12, 31, 23, 59, 59)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
reasons = st.sampled_from(sorted(REASONS))
extensions = st.one_of(
    st.just(()),
    reasons.map(lambda code: (encode_reason(code),)),
    reasons.map(lambda code: (encode_reason(code, critical=True),)),
    reasons.map(lambda code: (encode_reason(code), INVALIDITY)),
    reasons.map(lambda code: (LARGE, encode_reason(code))),
    st.sampled_from([(INVALIDITY,), (LARGE,), (encode_extension(UNKNOWN, IMITATION),)]),
)
entry = st.builds(
    lambda serial, moment, parts, generalized: encode_entry(serial, moment, parts, generalized=generalized),
    serials,
    moments,
    extensions,
    st.sampled_from([False, False, False, True]),
)
plain_entry = st.builds(
    encode_entry,
    st.integers(1, (1 << 40) - 1),
    moments,
    st.one_of(st.just(()), reasons.map(lambda c: (encode_reason(c),))),
)
lists = st.lists(st.one_of(plain_entry, entry), max_size=60).map(b"".join)
blocks = st.sampled_from([1, 24, 64, 100, 255, 1000, 1 << 18])


@pytest.mark.long
@settings(max_examples=400, deadline=None)
@given(lists, blocks)
def test_the_scan_finds_what_a_walk_finds(entries: bytes, block: int) -> None:
    assert scan(entries, block) == expected(entries)


@settings(max_examples=100, deadline=None)
@given(lists, st.integers(0, 40), st.integers(0, 80))
def test_nothing_needs_to_stand_around_the_entries(entries: bytes, before: int, after: int) -> None:
    assert scan(entries, 500, b"\x30" * before, b"\x30" * after) == expected(entries)


@settings(max_examples=60, deadline=None)
@given(st.lists(entry, max_size=30))
def test_the_scan_finds_what_the_library_finds(entries: Sequence[bytes]) -> None:
    data = build_list(ROOT, entries)
    library = []
    for revoked in x509.load_der_x509_crl(data):
        codes = {
            extension.value.reason.value
            for extension in revoked.extensions
            if isinstance(extension.value, x509.CRLReason)
        }
        name = codes.pop() if codes else None
        library.append((revoked.serial_number, revoked.revocation_date_utc, name))
    crl = read_crl(data)
    ours = []
    for found in scan_entries(crl.data, *crl.entries, 200):
        for part in (found.short, found.long):
            ours += [(serial, at, None if code is None else REASONS[code]) for serial, at, code in rows(part)]
    assert sorted(ours, key=str) == sorted(library, key=str)


@pytest.mark.long
@settings(max_examples=400, deadline=None)
@given(lists.filter(bool), blocks, st.data())
def test_changed_entries_are_refused_or_read_as_they_are(entries: bytes, block: int, data: st.DataObject) -> None:
    changed = bytearray(entries)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(changed) - 1))
        changed[place] = data.draw(
            st.sampled_from([0, 1, 2, 8, 0x0D, 0x17, 0x30, 0x7F, 0x80, 0xFF, changed[place] ^ 1])
        )
    if data.draw(st.booleans()):
        del changed[data.draw(st.integers(0, len(changed) - 1)) :]
    try:
        wanted = expected(bytes(changed))
    except (Refused, ValueError):
        with pytest.raises(MalformedCrl):
            scan(bytes(changed), block)
    else:
        assert scan(bytes(changed), block) == wanted


def test_every_changed_octet_of_some_entries_is_refused_or_read_as_it_is() -> None:
    entries = b"".join(
        encode_entry(0x01020304 + number, extensions=[encode_reason(5)] if number % 2 else []) for number in range(8)
    )
    refused = 0
    for place in range(len(entries)):
        for octet in {entries[place] ^ 0x01, entries[place] ^ 0x80, 0x00, 0x30, 0x39}:
            changed = entries[:place] + bytes([octet]) + entries[place + 1 :]
            try:
                wanted = expected(changed)
            except (Refused, ValueError):
                refused += 1
                with pytest.raises(MalformedCrl):
                    scan(changed)
            else:
                assert scan(changed) == wanted
    assert refused > len(entries)


@pytest.mark.parametrize("end", range(1, 120))
def test_entries_that_are_cut_off_are_refused(end: int) -> None:
    entries = b"".join(encode_entry(number, extensions=[encode_reason(1)]) for number in range(0x1000, 0x1004))
    whole = len(entries) // 4
    if end % whole == 0:
        assert len(scan(entries[:end])) == end // whole
    else:
        with pytest.raises(MalformedCrl) as refusal:
            scan(entries[:end])
        assert refusal.value.why == "entry_malformed"


TIME = encode_time(datetime(2026, 1, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (encode_entry(0), "entry_serial"),
        (encode_entry(-1), "entry_serial"),
        (encode_entry(-(1 << 70)), "entry_serial"),
        (encode_entry(1 << 160), "entry_serial"),
        (encode_entry(1 << 300), "entry_serial"),
        (encode_entry(tlv(INTEGER, b"")), "entry_malformed"),
        (encode_entry(tlv(INTEGER, b"\0\x01")), "entry_malformed"),
        (encode_entry(tlv(INTEGER, b"\0" + bytes(8))), "entry_malformed"),
        (encode_entry(tlv(INTEGER, b"\xff\x80")), "entry_malformed"),
        (encode_entry(tlv(0x0A, b"\x01")), "entry_malformed"),
        (encode_entry(5, b""), "entry_malformed"),
        (encode_entry(5, tlv(UTC_TIME, b"2601020304Z")), "entry_malformed"),
        (encode_entry(5, tlv(UTC_TIME, b"260102030405+")), "entry_malformed"),
        (encode_entry(5, tlv(UTC_TIME, b"260230030405Z")), "entry_malformed"),
        (encode_entry(5, tlv(UTC_TIME, b"261302030405Z")), "entry_malformed"),
        (encode_entry(5, tlv(UTC_TIME, b"260002030405Z")), "entry_malformed"),
        (encode_entry(5, tlv(UTC_TIME, b"260100030405Z")), "entry_malformed"),
        (encode_entry(5, tlv(UTC_TIME, b"230229030405Z")), "entry_malformed"),
        (encode_entry(5, tlv(UTC_TIME, b"260102240405Z")), "entry_malformed"),
        (encode_entry(5, tlv(UTC_TIME, b"260102036005Z")), "entry_malformed"),
        (encode_entry(5, tlv(UTC_TIME, b"260102030460Z")), "entry_malformed"),
        (encode_entry(5, tlv(UTC_TIME, b"26 102030405Z")), "entry_malformed"),
        (encode_entry(5, tlv(UTC_TIME, "２6010203040Z".encode())), "entry_malformed"),
        (encode_entry(5, tlv(GENERALIZED_TIME, b"20260102030405.5Z")), "entry_malformed"),
        (encode_entry(5, tlv(GENERALIZED_TIME, b"19491231235959Z")), "entry_date"),
        (encode_entry(5, tlv(GENERALIZED_TIME, b"20860206062816Z")), "entry_date"),
        (encode_entry(5, TIME + tlv(SEQUENCE, b"")), "entry_malformed"),
        (encode_entry(5, TIME + TIME), "entry_malformed"),
        (encode_entry(5, extensions=[encode_reason(1)]) + b"\0\0", "entry_malformed"),
        (encode_entry(5, extensions=[encode_reason(7)]), "entry_malformed"),
        (encode_entry(5, extensions=[encode_reason(11)]), "entry_malformed"),
        (encode_entry(5, extensions=[encode_reason(0x86)]), "entry_malformed"),
        (encode_entry(5, extensions=[encode_extension(REASON_CODE, b"\x02\x01\x01")]), "entry_malformed"),
        (encode_entry(5, extensions=[encode_extension(REASON_CODE, b"\x0a\x01\x01\x00")]), "entry_malformed"),
        (encode_entry(5, extensions=[encode_reason(1), encode_reason(1)]), "entry_malformed"),
        (encode_entry(5, extensions=[encode_reason(8)]), "entry_remove_from_crl"),
        (encode_entry(5, extensions=[encode_reason(8, critical=True)]), "entry_remove_from_crl"),
        (
            encode_entry(5, extensions=[encode_extension(CERTIFICATE_ISSUER, b"\x30\0", critical=True)]),
            "entry_certificate_issuer",
        ),
        (encode_entry(5, extensions=[encode_extension(CERTIFICATE_ISSUER, b"\x30\0")]), "entry_certificate_issuer"),
        (encode_entry(5, extensions=[encode_extension(UNKNOWN, b"", critical=True)]), "entry_critical_extension"),
        (
            encode_entry(5, extensions=[encode_extension(INVALIDITY_DATE, b"", critical=True)]),
            "entry_critical_extension",
        ),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 20])
def test_an_entry_that_does_not_belong_there_is_refused_by_name(broken: bytes, why: str, place: int) -> None:
    entries = [encode_entry(0x10000 + number, extensions=[encode_reason(4)]) for number in range(20)]
    entries.insert(place, broken)
    with pytest.raises(MalformedCrl) as refusal:
        scan(b"".join(entries), 1 << 18)
    assert refusal.value.why == why


def test_dates_from_1950_to_2085_are_read() -> None:
    first, last = datetime(1950, 1, 1, tzinfo=UTC), datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)
    latest = datetime(2086, 2, 6, 6, 28, 15, tzinfo=UTC)
    entries = encode_entry(1, first) + encode_entry(2, last) + encode_entry(3, latest, generalized=True)
    assert [at for _, at, _ in scan(entries)] == [first, last, latest]


def test_every_day_of_a_century_is_read() -> None:
    days = [datetime(1950, 1, 1, 23, 0, 59, tzinfo=UTC) + timedelta(days=number) for number in range(36525)]
    entries = b"".join(encode_entry(number + 1, day) for number, day in enumerate(days))
    found = sorted(scan(entries, 1 << 18))
    assert [at for _, at, _ in found] == days


def test_no_entries_are_no_blocks() -> None:
    assert scan(b"") == []


def test_what_a_serial_number_imitates_is_not_taken_for_an_entry() -> None:
    """The number holds the beginning of an entry whose time is the real one: a false candidate in a true chain."""
    serial = int.from_bytes(b"\x01" + bytes.fromhex("3040020401020304"), "big")
    entries = b"".join(encode_entry(number, extensions=[encode_reason(1)]) for number in (7, serial, 9, serial + 1, 11))
    assert scan(entries, 1 << 18) == expected(entries)


@pytest.mark.parametrize(
    "shape",
    [
        EntryShape(),
        EntryShape(serial_octets=5, ascending=True),
        EntryShape(serial_octets=16),
        EntryShape(serial_octets=20, generalized_time=True),
        EntryShape(reasons=False),
        EntryShape(extra=INVALIDITY),
        EntryShape(extra=LARGE),
    ],
    ids=str,
)
def test_a_written_list_is_read_entry_for_entry(shape: EntryShape, tmp_path: Path) -> None:
    path = tmp_path / "list.crl"
    write_list(path, ROOT, 3000, shape)
    crl = read_crl(path.read_bytes())
    start, end = crl.entries
    assert scan(bytes(crl.data[start:end]), 8000) == expected(bytes(crl.data[start:end]))
    assert len(x509.load_der_x509_crl(path.read_bytes())) == 3000
