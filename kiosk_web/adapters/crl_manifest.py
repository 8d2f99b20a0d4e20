"""The manifest: which list of which scope is in force, in which file its segment lies, signed as a whole.

One small file (256 octets for each list) that is read into memory, checked with one hash and one signature, and not
decoded before somebody asks: opening it takes the same short time for one list as for all 1,740 municipalities.

All numbers are little-endian::

    magic 8 | generation u64 | written u64 | files u32 | records u32 | names u32 | 0 u32        header
    sha256 32 | size u64                                                                        for each file
    256 octets, sorted by the hash of the scope                                                 for each record
    u64 …, sorted | u32 … | padding to 8                                                        names, records of names
    Ed25519 over "kiosk-crl-manifest/1\\0" and the SHA-256 of everything before                  signature, 64

A name is the hash of (issuer key id, canonical name of a distribution point), b"" for a list of the whole CA: this is
how the lists that cover a certificate are found. Times are seconds since 1970.
"""

from __future__ import annotations

import hashlib
import struct
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk_web.pki.crl_trust import ListMark, ListScope
from kiosk_web.pki.fields import build_fields

MAGIC = b"KCRLMAN1"
SIGNATURE_LENGTH = 64
LONGEST_KEY_ID = 32
LONGEST_LABEL = 48

_CONTEXT = b"kiosk-crl-manifest/1\0"
_HEADER = struct.Struct("<8sQQIII4x")
_FILE = struct.Struct("<32sQ")
_RECORD = struct.Struct("<B32sB32sB20sB48s32s32sIQQqqQQ4x")
_NO_NUMBER = 0xFF


class ManifestDamaged(Exception):
    """The bytes are not a manifest signed with the key of this installation: nothing of it may be believed."""


@dataclass(frozen=True, slots=True)
class SegmentFile:
    """A file of segments, named by its hash: `segments/<name>.idx`."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class SegmentPlace:
    """Where a segment lies, in octets of its file, and the hash of its header."""

    file: SegmentFile
    offset: int
    length: int
    header_sha256: bytes


@dataclass(frozen=True, slots=True)
class ManifestRecord:
    """One list in force. `label` is where it came from, for staff; `names` are hashes made by `hash_name`.

    `entries` and `size` are of the list; times are aware (UTC).
    """

    scope: ListScope
    label: str
    mark: ListMark
    next_update: datetime
    entries: int
    size: int
    place: SegmentPlace
    names: frozenset[int] = field(repr=False)


def hash_name(key_id: bytes, name: bytes) -> int:
    """The name of a distribution point of one issuer as 64 bits. A list that is found must still be asked its names."""
    return int.from_bytes(hashlib.sha256(build_fields(key_id, name)).digest()[:8], "little")


def build_manifest(
    records: Iterable[ManifestRecord], *, generation: int, written_at: datetime, sign: Callable[[bytes], bytes]
) -> bytes:
    """The bytes of a manifest. Scopes must differ; key ids and labels must fit (`ValueError`)."""
    ordered = sorted(records, key=lambda record: _hash_scope(record.scope))
    if len({record.scope for record in ordered}) != len(ordered):
        raise ValueError("two lists of one scope")
    files = sorted({record.place.file for record in ordered}, key=lambda file: file.name)
    numbers = {file: number for number, file in enumerate(files)}
    names = sorted((name, number) for number, record in enumerate(ordered) for name in record.names)
    body = b"".join(
        [
            _HEADER.pack(MAGIC, generation, _to_seconds(written_at), len(files), len(ordered), len(names)),
            *(_FILE.pack(bytes.fromhex(file.name), file.size) for file in files),
            *(_pack_record(record, numbers[record.place.file]) for record in ordered),
            struct.pack(f"<{len(names)}Q", *(name for name, _ in names)),
            struct.pack(f"<{len(names)}I", *(number for _, number in names)),
            bytes(4 * (len(names) % 2)),
        ]
    )
    return body + sign(_CONTEXT + hashlib.sha256(body).digest())


def read_manifest(data: bytes, key: Ed25519PublicKey) -> Manifest:
    """Check signature and form. Raises `ManifestDamaged`."""
    body, signature = memoryview(data)[:-SIGNATURE_LENGTH], data[-SIGNATURE_LENGTH:]
    if len(body) < _HEADER.size or not data.startswith(MAGIC):
        raise ManifestDamaged("it is not a manifest of this version")
    try:
        key.verify(signature, _CONTEXT + hashlib.sha256(body).digest())
    except InvalidSignature:
        raise ManifestDamaged("its signature is not that of this installation's key") from None
    return Manifest(body)


class Manifest:
    """A manifest whose signature was checked. Records are decoded one by one, when asked for."""

    def __init__(self, body: memoryview) -> None:
        self._records: int
        self.generation: int
        _magic, self.generation, written, files, self._records, names = _HEADER.unpack_from(body)
        self.written_at = _to_time(written)
        begin = _HEADER.size + files * _FILE.size
        self._body = body
        self._begin = begin
        self.files: tuple[SegmentFile, ...] = tuple(
            SegmentFile(sha256.hex(), size) for sha256, size in _FILE.iter_unpack(body[_HEADER.size : begin])
        )
        keys = begin + self._records * _RECORD.size
        numbers = keys + 8 * names
        end = numbers + 4 * names
        if end + 4 * (names % 2) != len(body) or sys.byteorder != "little":
            raise ManifestDamaged("it has another length than it says")
        self._names: Sequence[int] = body[keys:numbers].cast("Q")
        self._numbers: Sequence[int] = body[numbers:end].cast("I")

    def __len__(self) -> int:
        return self._records

    def find(self, key_id: bytes, name: bytes) -> tuple[int, ...]:
        """Numbers of the records that may be about this name of a distribution point."""
        wanted, found = hash_name(key_id, name), []
        position = bisect_left(self._names, wanted)
        while position < len(self._names) and self._names[position] == wanted:
            found.append(self._numbers[position])
            position += 1
        return tuple(found)

    def place(self, number: int) -> SegmentPlace:
        """Where the segment of a record lies."""
        fields = _RECORD.unpack_from(self._body, self._begin + number * _RECORD.size)
        return SegmentPlace(self.files[fields[10]], fields[11], fields[12], fields[8])

    def record(self, number: int) -> ManifestRecord:
        """One record as a whole, without its names."""
        (
            key_length,
            key_id,
            has_point,
            point,
            number_length,
            crl_number,
            label_length,
            label,
            _header_sha256,
            list_sha256,
            *_place,
            this_update,
            next_update,
            entries,
            size,
        ) = _RECORD.unpack_from(self._body, self._begin + number * _RECORD.size)
        known_number = None if number_length == _NO_NUMBER else int.from_bytes(crl_number[:number_length], "big")
        return ManifestRecord(
            scope=ListScope(key_id[:key_length], point if has_point else b""),
            label=label[:label_length].decode("utf-8", "replace"),
            mark=ListMark(known_number, _to_time(this_update), list_sha256),
            next_update=_to_time(next_update),
            entries=entries,
            size=size,
            place=self.place(number),
            names=frozenset(),
        )

    def load_records(self) -> tuple[ManifestRecord, ...]:
        """All records, with their names: what the next manifest is made from."""
        names: list[set[int]] = [set() for _ in range(self._records)]
        for name, number in zip(self._names, self._numbers, strict=True):
            names[number].add(name)
        return tuple(
            ManifestRecord(
                record.scope,
                record.label,
                record.mark,
                record.next_update,
                record.entries,
                record.size,
                record.place,
                frozenset(of_record),
            )
            for number, of_record in enumerate(names)
            for record in [self.record(number)]
        )


def _pack_record(record: ManifestRecord, file: int) -> bytes:
    key_id, point, crl_number = record.scope.key_id, record.scope.point, record.mark.crl_number
    label = shorten_label(record.label)
    if not 0 < len(key_id) <= LONGEST_KEY_ID or len(point) not in (0, 32):
        raise ValueError("the scope does not fit into a record")
    number = b"" if crl_number is None else crl_number.to_bytes((crl_number.bit_length() + 7) // 8, "big")
    return _RECORD.pack(
        len(key_id),
        key_id,
        bool(point),
        point,
        _NO_NUMBER if crl_number is None else len(number),
        number,
        len(label),
        label,
        record.place.header_sha256,
        record.mark.sha256,
        file,
        record.place.offset,
        record.place.length,
        _to_seconds(record.mark.this_update),
        _to_seconds(record.next_update),
        record.entries,
        record.size,
    )


def shorten_label(label: str) -> bytes:
    """The end of a label, in at most `LONGEST_LABEL` octets: names of files differ there."""
    text = label
    while len(text.encode("utf-8", "replace")) > LONGEST_LABEL:
        text = text[1:]
    return text.encode("utf-8", "replace")


def _hash_scope(scope: ListScope) -> bytes:
    return hashlib.sha256(build_fields(scope.key_id, scope.point)).digest()


def _to_seconds(time: datetime) -> int:
    return int(time.timestamp())


def _to_time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
