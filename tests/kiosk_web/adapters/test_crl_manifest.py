"""The manifest: what is written is read back, whoever lacks the key cannot write one, and not one bit may differ."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk_web.adapters.crl_manifest import (
    LONGEST_LABEL,
    Manifest,
    ManifestDamaged,
    ManifestRecord,
    SegmentFile,
    SegmentPlace,
    build_manifest,
    hash_name,
    read_manifest,
)
from kiosk_web.pki.crl_trust import ListMark, ListScope
from tests.support.crl_stand import index_key

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
TOWNS = 1740


def digest(*words: object) -> bytes:
    return hashlib.sha256(repr(words).encode()).digest()


def record(number: int, *, files: int = 3, names: tuple[bytes, ...] = ()) -> ManifestRecord:
    key_id = digest("key", number % 3)[: 20 if number % 2 else 32]
    point = digest("point", number) if number else b""
    file = SegmentFile(digest("file", number % files).hex(), 10_000 + number % files)
    return ManifestRecord(
        scope=ListScope(key_id, point),
        label=f"authca03-{number}.crl",
        mark=ListMark(
            None if number % 5 == 4 else (1 << 159) + number, NOW - timedelta(hours=number % 30), digest("list", number)
        ),
        next_update=NOW + timedelta(hours=1 + number % 30),
        entries=number * 1000,
        size=number * 32_000,
        place=SegmentPlace(file, 64 * number, 1000 + number, digest("header", number)),
        names=frozenset(hash_name(key_id, name) for name in names or (f"town {number}".encode(),)),
    )


def build(*records: ManifestRecord, key: Ed25519PrivateKey | None = None) -> bytes:
    return build_manifest(records, generation=7, written_at=NOW, sign=(key or index_key()).sign)


def read(data: bytes) -> Manifest:
    return read_manifest(data, index_key().public_key())


def test_what_is_written_is_read_back() -> None:
    records = [record(number) for number in range(50)]
    manifest = read(build(*records))
    assert (len(manifest), manifest.generation, manifest.written_at) == (50, 7, NOW)
    assert sorted(manifest.load_records(), key=lambda r: r.label) == sorted(records, key=lambda r: r.label)
    assert set(manifest.files) == {one.place.file for one in records}
    for number in range(50):
        one = manifest.record(number)
        assert replace(one, names=frozenset()) == one
        assert manifest.place(number) == one.place


def test_a_list_is_found_by_each_of_its_names_and_its_key() -> None:
    records = [record(number, names=(f"a{number}".encode(), b"shared")) for number in range(1, 40)]
    manifest = read(build(*records))
    for one in records:
        (found,) = manifest.find(one.scope.key_id, f"a{one.entries // 1000}".encode())
        assert manifest.record(found).scope == one.scope
        shared = manifest.find(one.scope.key_id, b"shared")
        assert {manifest.record(number).label for number in shared} == {
            other.label for other in records if other.scope.key_id == one.scope.key_id
        }
    assert manifest.find(b"another key", b"a1") == ()
    assert manifest.find(records[0].scope.key_id, b"") == ()


def test_an_empty_manifest_has_nothing() -> None:
    manifest = read(build())
    assert (len(manifest), manifest.files, manifest.load_records()) == (0, (), ())
    assert manifest.find(b"key", b"") == ()


def test_the_same_records_make_the_same_bytes_whatever_their_order() -> None:
    records = [record(number) for number in range(20)]
    assert build(*records) == build(*reversed(records))


def test_a_manifest_of_all_towns_is_small() -> None:
    data = build(*(record(number) for number in range(TOWNS)))
    assert len(data) < 480_000
    assert len(read(data)) == TOWNS


def test_no_bit_may_differ() -> None:
    data = build(record(1), record(2))
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << (place % 8)
        with pytest.raises(ManifestDamaged):
            read(bytes(changed))


@pytest.mark.parametrize("length", [0, 1, 8, 40, 63, 64, 100, 103, 104])
def test_a_manifest_that_was_cut_off_is_refused(length: int) -> None:
    with pytest.raises(ManifestDamaged):
        read(build(record(1))[:length])


def test_a_manifest_with_something_behind_is_refused() -> None:
    with pytest.raises(ManifestDamaged):
        read(build(record(1)) + bytes(64))


def test_a_manifest_of_another_installation_is_refused() -> None:
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    with pytest.raises(ManifestDamaged, match="signature"):
        read(build(record(1), key=other))


def test_a_signature_over_something_else_counts_nothing() -> None:
    body = build(record(1))[:-64]
    for message in (body, hashlib.sha256(body).digest(), b"kiosk-card/1\0" + hashlib.sha256(body).digest()):
        with pytest.raises(ManifestDamaged):
            read(body + index_key().sign(message))


def test_two_lists_of_one_scope_are_not_written() -> None:
    with pytest.raises(ValueError, match="one scope"):
        build(record(1), replace(record(2), scope=record(1).scope))


@pytest.mark.parametrize("scope", [ListScope(b"", b""), ListScope(bytes(33), b""), ListScope(b"key", bytes(31))])
def test_a_scope_that_does_not_fit_is_not_written(scope: ListScope) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        build(replace(record(1), scope=scope))


@pytest.mark.parametrize("label", ["", "short", "長い名前" * 20 + "霞区.crl", "x" * 200])
def test_of_a_long_label_the_end_is_kept(label: str) -> None:
    kept = read(build(replace(record(1), label=label))).record(0).label
    assert label.endswith(kept)
    assert kept == label or LONGEST_LABEL - 4 < len(kept.encode()) <= LONGEST_LABEL
