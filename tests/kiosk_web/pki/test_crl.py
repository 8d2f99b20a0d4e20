"""Reading a list: everything around its entries, strictly, and never the entries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from kiosk_web.pki.crl import MAX_FRAME, MalformedCrl, keep_frame, read_crl
from kiosk_web.pki.distribution_points import IssuingPoint
from kiosk_web.pki.names import canonicalise_name
from tests.support.crl_writer import (
    INTEGER,
    UTC_TIME,
    ListShape,
    build_list,
    encode_entry,
    encode_extension,
    encode_integer,
    encode_point,
)
from tests.support.der import BIT_STRING, EXPLICIT_0, SEQUENCE, content, split, tlv
from tests.support.jpki import NOW, build_municipal_name, build_root

ROOT = build_root()
EC_ROOT = build_root(label="lists", algorithm="ec")
POINT = encode_point([x509.DirectoryName(build_municipal_name())])
DELTA = encode_extension(bytes.fromhex("551d1b"), encode_integer(7), critical=True)
UNKNOWN = bytes.fromhex("2a030405")
GOOD = build_list(ROOT, [encode_entry(5)])


def refuse(data: bytes) -> str:
    with pytest.raises(MalformedCrl) as refusal:
        read_crl(data)
    assert refusal.value.why == "malformed"
    return str(refusal.value)


def test_all_that_a_list_says_of_itself_is_read() -> None:
    data = build_list(ROOT, [encode_entry(5), encode_entry(6)], ListShape(number=123456789, point=POINT))
    crl = read_crl(data)
    library = x509.load_der_x509_crl(data)
    assert bytes(crl.signed_view) == library.tbs_certlist_bytes
    assert (crl.signature, crl.signature_oid) == (library.signature, library.signature_algorithm_oid.dotted_string)
    assert (crl.this_update, crl.next_update) == (library.last_update_utc, library.next_update_utc)
    assert crl.issuer == canonicalise_name(library.issuer.public_bytes()) == ROOT.anchor.canonical_name
    assert crl.authority_key_id == ROOT.anchor.key_id
    assert crl.point == IssuingPoint(frozenset({canonicalise_name(build_municipal_name().public_bytes())}))
    assert (crl.crl_number, crl.delta, crl.unknown_critical, crl.algorithms_agree) == (123456789, False, (), True)
    assert (crl.size, repr(crl)) == (len(data), "UnverifiedCrl(…)")
    start, end = crl.entries
    assert split(bytes(crl.data[start:end])) == [encode_entry(5), encode_entry(6)]


@pytest.mark.parametrize("entries", [None, []])
def test_a_list_may_be_empty(entries: list[bytes] | None) -> None:
    start, end = read_crl(build_list(ROOT, entries)).entries
    assert start == end


def test_only_what_must_be_there_must_be_there() -> None:
    crl = read_crl(build_list(ROOT, None, ListShape(number=None, key_id=None, next_update=None)))
    assert (crl.next_update, crl.crl_number, crl.authority_key_id, crl.point) == (None, None, None, IssuingPoint())


def test_a_list_of_the_first_version_has_no_extensions() -> None:
    bare = ListShape(version=b"", number=None, key_id=None)
    assert read_crl(build_list(ROOT, [encode_entry(5)], bare)).authority_key_id is None
    assert "follow the entries" in refuse(build_list(ROOT, [encode_entry(5)], ListShape(version=b"")))


@pytest.mark.parametrize("version", [0, 2, -1, 1 << 70])
def test_lists_of_other_versions_are_refused(version: int) -> None:
    refuse(build_list(ROOT, None, ListShape(version=encode_integer(version))))


def test_a_view_is_read_where_it_lies() -> None:
    memory = bytearray(GOOD)
    crl = read_crl(memoryview(memory).toreadonly())
    assert crl.data == GOOD
    with pytest.raises(BufferError):
        memory.clear()


def test_the_entries_are_not_touched() -> None:
    crl = read_crl(build_list(ROOT, [b"no entry", b"at all"]))
    assert crl.data[crl.entries[0] : crl.entries[1]] == b"no entryat all"


def test_times_may_be_of_the_next_century() -> None:
    shape = ListShape(this_update=NOW, next_update=datetime(2120, 1, 1, tzinfo=UTC), generalized_time=True)
    assert read_crl(build_list(ROOT, None, shape)).next_update == shape.next_update


@pytest.mark.parametrize(
    ("extensions", "delta", "unknown"),
    [
        ([DELTA], True, ()),
        ([encode_extension(UNKNOWN, b"", critical=True)], False, ("1.2.3.4.5",)),
        ([encode_extension(UNKNOWN, b"")], False, ()),
        ([encode_extension(bytes.fromhex("551d2e"), b"\x30\0")], False, ()),
        ([encode_extension(bytes.fromhex("551d2e"), b"\x30\0", critical=True)], False, ("2.5.29.46",)),
    ],
    ids=["delta", "unknown critical", "unknown", "freshest", "freshest critical"],
)
def test_further_extensions_are_noted(extensions: list[bytes], delta: bool, unknown: tuple[str, ...]) -> None:
    crl = read_crl(build_list(ROOT, None, ListShape(extensions=extensions)))
    assert (crl.delta, crl.unknown_critical) == (delta, unknown)


def test_two_algorithms_are_noted() -> None:
    crl = read_crl(build_list(ROOT, None, ListShape(outer_algorithm=bytes.fromhex("300a06082a8648ce3d040303"))))
    assert (crl.algorithms_agree, crl.signature_oid) == (False, "1.2.840.10045.4.3.3")


def test_an_algorithm_with_other_parameters_is_none() -> None:
    parameters = bytes.fromhex("301306092a864886f70d01010b0406616263646566")
    assert read_crl(build_list(ROOT, None, ListShape(algorithm=parameters))).signature_oid == ""


def test_a_key_may_be_named_by_its_issuer_alone() -> None:
    value = tlv(SEQUENCE, tlv(0xA1, tlv(0x82, b"a")) + tlv(0x82, b"\x05"))
    shape = ListShape(key_id=None, extensions=[encode_extension(bytes.fromhex("551d23"), value)])
    assert read_crl(build_list(ROOT, None, shape)).authority_key_id is None


@pytest.mark.parametrize(
    "extension",
    [
        encode_extension(bytes.fromhex("551d23"), b""),
        encode_extension(bytes.fromhex("551d23"), b"\x30\0\0"),
        encode_extension(bytes.fromhex("551d14"), encode_integer(-1)),
        encode_extension(bytes.fromhex("551d14"), encode_integer(1 << 160)),
        encode_extension(bytes.fromhex("551d14"), encode_integer(5) + b"\0"),
        encode_extension(bytes.fromhex("551d14"), b"\x02\x02\x00\x05"),
        encode_extension(bytes.fromhex("551d1b"), b"", critical=True),
        encode_extension(bytes.fromhex("551d1c"), b"\x30\x01\0", critical=True),
        encode_extension(UNKNOWN, bytes(70_000)),
    ],
)
def test_broken_extensions_make_a_list_malformed(extension: bytes) -> None:
    refuse(build_list(ROOT, None, ListShape(key_id=None, number=None, extensions=[extension])))


def rebuild(**changed: bytes) -> bytes:
    """The good list with some of its parts replaced; the signature no longer matters."""
    tbs, algorithm, bits = split(content(GOOD))
    names = ("version", "inner", "issuer", "this_update", "next_update", "revoked", "extensions")
    inner = dict(zip(names, split(content(tbs)), strict=True))
    outer = {"tbs": b"", "algorithm": algorithm, "bits": bits, "after": b""}
    inner |= {name: value for name, value in changed.items() if name in inner}
    outer |= {name: value for name, value in changed.items() if name in outer}
    outer["tbs"] = outer["tbs"] or tlv(SEQUENCE, b"".join(inner.values()))
    return tlv(SEQUENCE, b"".join(outer.values()))


def test_the_parts_make_the_list() -> None:
    assert rebuild() == GOOD


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOOD[:-1],
        GOOD + b"\0",
        tlv(0x31, content(GOOD)),
        rebuild(after=b"\x05\0"),
        rebuild(bits=tlv(BIT_STRING, b"")),
        rebuild(bits=tlv(BIT_STRING, b"\x01\x80")),
        rebuild(bits=tlv(0x04, b"\0")),
        rebuild(algorithm=tlv(SEQUENCE, b"")),
        rebuild(tbs=tlv(SEQUENCE, b"")),
        rebuild(tbs=tlv(0x31, b"")),
        rebuild(inner=b""),
        rebuild(issuer=b""),
        rebuild(issuer=tlv(SEQUENCE, b"\0")),
        rebuild(this_update=b"", next_update=b""),
        rebuild(this_update=tlv(UTC_TIME, b"2601010000Z")),
        rebuild(this_update=tlv(INTEGER, b"\x05")),
        rebuild(next_update=tlv(UTC_TIME, b"260230000000Z")),
        rebuild(revoked=tlv(SEQUENCE, b"") * 2),
        rebuild(revoked=tlv(INTEGER, b"\x05")),
        rebuild(extensions=tlv(0xA1, b"")),
        rebuild(extensions=tlv(EXPLICIT_0, b"")),
        rebuild(extensions=tlv(EXPLICIT_0, tlv(SEQUENCE, b""))),
        rebuild(extensions=tlv(EXPLICIT_0, tlv(SEQUENCE, b"")) + b"\x05\0"),
    ],
)
def test_what_is_no_list_is_refused(data: bytes) -> None:
    refuse(data)


@pytest.mark.parametrize("root", [ROOT, EC_ROOT], ids=["rsa", "ec"])
def test_every_cut_list_is_refused(root: object) -> None:
    data = build_list(root, [encode_entry(5)], ListShape(point=POINT, next_update=NOW + timedelta(days=1)))  # type: ignore[arg-type]  # a Root
    for end in range(len(data)):
        refuse(data[:end])


@pytest.mark.parametrize("entries", [None, [encode_entry(5), encode_entry(6)]])
def test_only_a_list_with_the_very_same_frame_is_read_again_from_it(entries: list[bytes] | None) -> None:
    data = build_list(ROOT, entries, ListShape(point=POINT))
    crl = read_crl(data)
    frame = keep_frame(crl)
    assert frame is not None
    start, end = crl.entries
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        again = frame.read_again(memoryview(changed))
        assert (again is not None) is (start <= place < end)
        if again is not None:
            assert again.data == changed
            assert (again.entries, again.signature, again.point) == (crl.entries, crl.signature, crl.point)
    for other in (data[:-1], data + b"\0", data[:start] + encode_entry(7) + data[start:], b""):
        assert frame.read_again(memoryview(other)) is None


def test_a_frame_does_not_hold_the_memory_of_its_list_and_is_small() -> None:
    memory = bytearray(GOOD)
    frame = keep_frame(read_crl(memory))
    memory.clear()  # raises while a view of it is held
    assert frame is not None
    assert len(frame.before) + len(frame.behind) < 1000
    large = [UNKNOWN, *(bytes([0x2A, 3, 4, 6, number]) for number in range(3))]
    shape = ListShape(extensions=tuple(encode_extension(oid, bytes(MAX_FRAME // 4)) for oid in large))
    assert keep_frame(read_crl(build_list(ROOT, [encode_entry(5)], shape))) is None
