"""Revocation lists: bytes as a server could send them, bytes signed by the CA itself, entries alone, index files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509

from kiosk_web.pki.crl import MalformedCrl, UnverifiedCrl, read_crl
from kiosk_web.pki.crl_builder import build_segment
from kiosk_web.pki.crl_entries import EPOCH, NO_REASON, Entries, scan_entries
from kiosk_web.pki.crl_layout import SegmentDamaged, find_field, read_segment_header
from kiosk_web.pki.crl_segment import Segment
from kiosk_web.pki.crl_trust import CrlPolicy, RefusedCrl, TrustedCrl, judge_crl
from kiosk_web.pki.trust import TrustStore
from tests.fuzz.target import Target
from tests.support.crl_walk import Refused, walk
from tests.support.crl_writer import build_list, encode_entry, encode_extension, encode_reason
from tests.support.der import SEQUENCE, content, split, tlv
from tests.support.generated_case import ROOTS
from tests.support.generated_lists import FIELDS, build_lists
from tests.support.jpki import NOW, build_root
from tests.support.segments import state_entry
from tests.support.signed_der import build_signed, choose_algorithm

Row = tuple[int, datetime, int | None]

ROOT = build_root(2023)
STORE = TrustStore(root.anchor for root in ROOTS.values())
ALGORITHM = choose_algorithm(ROOT.key)
FRAME = b"\x30" * 40
"""Octets around entries, as a list has them; they look a little like the beginning of one."""

BLOCKS = (64, 256 * 1024)


@cache
def build_all_lists() -> tuple[bytes, ...]:
    """A list of each single deviation; none with bytes around it."""
    around = ("a byte after", "length not minimal")
    cases = [{field: value} for field, values in FIELDS.items() if field != "root" for value in values]
    return tuple(der for case in cases if case.get("encoding") not in around for der in build_lists(case).lists)


@cache
def find_signed() -> frozenset[bytes]:
    """What a root has signed, or tried to."""
    return frozenset(split(content(der))[0] for der in build_all_lists())


def judge(data: bytes) -> TrustedCrl | None:
    """A list that is believed, or None; nothing but the named error is raised."""
    try:
        crl = read_crl(data)
    except MalformedCrl as error:
        assert error.why
        return None
    check_entries(crl)
    judged = judge_crl(crl, STORE, CrlPolicy(), NOW, {})
    if isinstance(judged, RefusedCrl):
        assert judged.why
        return None
    return judged


def check_entries(crl: UnverifiedCrl) -> None:
    start, end = crl.entries
    expected = walk_entries(bytes(crl.data[start:end]))
    for block in BLOCKS:
        assert scan(crl.data, start, end, block) == expected


def walk_entries(data: bytes) -> list[Row] | None:
    """By the plainest means; None where there is something that a list does not have."""
    try:
        return sorted(walk(data), key=str)
    except Refused:
        return None


def scan(data: memoryview, start: int, end: int, block: int) -> list[Row] | None:
    try:
        blocks = list(scan_entries(data, start, end, block))
    except MalformedCrl as error:
        assert error.why
        return None
    return sorted((row for found in blocks for part in (found.short, found.long) for row in list_rows(part)), key=str)


def list_rows(entries: Entries) -> Iterator[Row]:
    columns = (entries.keys.tolist(), entries.tails, entries.seconds.tolist(), entries.reasons.tolist())
    for key, tail, seconds, reason in zip(*columns, strict=True):
        serial = int.from_bytes(tail.tobytes(), "big") << 64 | key
        yield serial, EPOCH + timedelta(seconds=seconds), None if reason == NO_REASON else reason


def judge_any(data: bytes) -> None:
    """Whatever the bytes: the scan finds what a walk finds, and what is believed was signed by a root."""
    trusted = judge(data)
    if trusted is not None:
        assert bytes(trusted.crl.signed_view) in find_signed()


def judge_signed_by_root(data: bytes) -> None:
    """Any signed part, rightly signed: what is believed is a complete list, in force, to the other library as well; and
    its index says of every serial number what the other library says.
    """
    der = build_signed(tlv(SEQUENCE, data), ROOT.key, ALGORITHM)
    trusted = judge(der)
    if trusted is None:
        return
    try:
        segment = build(trusted)
    except MalformedCrl:
        return
    theirs = asn1_crl.CertificateList.load(der)
    assert_complete(theirs, segment)
    entries = theirs["tbs_cert_list"]["revoked_certificates"]
    serials = {entry["user_certificate"].native for entry in entries or ()}
    assert segment.header.entries == len(entries or ())
    for serial in serials:
        assert segment.find(serial) is not None
        for neighbour in {serial - 1, serial + 1} - serials - {0}:
            assert segment.find(neighbour) is None


def assert_complete(theirs: asn1_crl.CertificateList, segment: Segment) -> None:
    fields = theirs["tbs_cert_list"]
    assert theirs.issuer == asn1_x509.Name.load(ROOT.name.public_bytes())
    assert fields["this_update"].native == segment.header.this_update <= NOW + timedelta(minutes=2)
    assert fields["next_update"].native == segment.header.next_update >= NOW
    assert theirs.authority_key_identifier == ROOT.anchor.key_id
    assert theirs.delta_crl_indicator_value is None
    assert theirs.critical_extensions <= {"issuing_distribution_point", "authority_key_identifier", "crl_number"}
    point = theirs.issuing_distribution_point_value
    if point is not None:
        assert not point["indirect_crl"].native
        assert point["only_some_reasons"].native is None
        assert not point["only_contains_attribute_certs"].native


def build(trusted: TrustedCrl) -> Segment:
    written = bytearray()
    build_segment(trusted, written.extend)
    return Segment.open(memoryview(bytes(written)))


def scan_any(data: bytes) -> None:
    """Entries alone, in a frame and in blocks of any size: the scan finds what a walk finds."""
    block = 32 + (data[0] if data else 0)
    expected = walk_entries(data)
    view = memoryview(FRAME + data + FRAME * 2)
    for size in (block, *BLOCKS):
        assert scan(view, len(FRAME), len(FRAME) + len(data), size) == expected


def build_entries() -> Iterator[bytes]:
    """The entries of all lists, and some that fill several blocks."""
    for der in build_all_lists():
        try:
            crl = read_crl(der)
        except MalformedCrl:
            continue
        yield bytes(crl.data[crl.entries[0] : crl.entries[1]]) or b"\x30"
    yield b"".join(encode_entry(serial, extensions=[encode_reason(4)]) for serial in range(1, 40))
    unknown = encode_extension(bytes.fromhex("2a030405"), bytes(200))
    yield b"".join(encode_entry(serial << 120, extensions=[unknown] * (serial % 3 == 0)) for serial in range(1, 20))


KNOWN = dict.fromkeys((*range(3, 900, 3), *(serial << 70 for serial in range(3, 90, 3))), 4)


@cache
def write_segment() -> bytes:
    """An index of several pages."""
    entries = [encode_entry(serial, extensions=[encode_reason(reason)]) for serial, reason in KNOWN.items()]
    trusted = judge(build_list(ROOT, entries))
    assert trusted is not None
    written = bytearray()
    build_segment(trusted, written.extend)
    return bytes(written)


EXPECTED = state_entry(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "superseded")


def cut_checksums(data: bytes) -> list[bytes]:
    """The checksums of all pages: somebody who makes right ones for other pages is no accident."""
    layout = read_segment_header(memoryview(data))[1]
    return [
        data[start : start + 4]
        for table in (layout.short, layout.long)
        for start in range(table.pages + find_field(table.page, "checksum"), table.end, table.page.itemsize)
    ]


def open_any(data: bytes) -> None:
    """A file that is not what was written: it is damaged, or says the truth. Its header is authenticated elsewhere."""
    try:
        segment = Segment.open(memoryview(data))
    except SegmentDamaged:
        return
    if segment.header_sha256 != Segment.open(memoryview(write_segment())).header_sha256:
        return
    intact = cut_checksums(data) == cut_checksums(write_segment())
    for serial in (3, 4, 192, 193, 450, 897, 898, 3 << 70, (3 << 70) + 1, 87 << 70, 88 << 70):
        try:
            found = segment.find(serial)
        except SegmentDamaged:
            continue
        assert not intact or found == (EXPECTED if serial in KNOWN else None)
    try:
        many = segment.find_many([3, 4, 192, 193, 450, 897, 898, 3 << 70, 87 << 70])
    except SegmentDamaged:
        return
    assert not intact or many.listed.tolist() == [True, False, True, False, True, True, False, True, True]


TARGETS = (
    Target("list", judge_any, build_all_lists),
    Target("signed_list", judge_signed_by_root, lambda: map(content, find_signed())),
    Target("entries", scan_any, build_entries),
    Target("segment", open_any, lambda: (write_segment(),), longest=16 * 1024),
)
