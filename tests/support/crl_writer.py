"""Revocation lists as raw DER: small ones with whatever entries a test wants, and national ones in seconds.

`build_list` puts any bytes where the entries go, `write_list` streams millions of made-up entries to a file: each has a
serial number of its own (`derive_serials` tells which), a date, and a reason on seven of ten. Both sign with the key of
a `Root`, so that any verifier takes them. Nothing here is about real certificates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from tests.support.der import BIT_STRING, EXPLICIT_0, GENERALIZED_TIME, OCTET_STRING, SEQUENCE, tlv
from tests.support.jpki import NOW, Root

BOOLEAN = 0x01
INTEGER = 0x02
OBJECT_IDENTIFIER = 0x06
ENUMERATED = 0x0A
UTC_TIME = 0x17

RSA_SHA256 = bytes.fromhex("300d06092a864886f70d01010b0500")
ECDSA_SHA384 = bytes.fromhex("300a06082a8648ce3d040303")

REASON_CODE = bytes.fromhex("551d15")
INVALIDITY_DATE = bytes.fromhex("551d18")
CERTIFICATE_ISSUER = bytes.fromhex("551d1d")

REASONS = (4, 5, 6, 3, 1, 9, 4)
"""What the entries of `write_list` give as their reason, in turn; of each ten the last three give none."""

CHUNK = 1 << 18
"""Entries that are made at once."""


@dataclass(frozen=True)
class ListShape:
    """All of a list but its entries. None leaves a part out; `extensions` are whole Extension elements beside the rest.

    `point` is the value of issuingDistributionPoint, `key_id` the key identifier (empty: the one of the signer),
    `version` the DER of the version. `outer_algorithm` is for lists that name two.
    """

    this_update: datetime = NOW - timedelta(hours=2)
    next_update: datetime | None = NOW + timedelta(hours=28)
    number: int | None = 1000
    key_id: bytes | None = b""
    point: bytes | None = None
    extensions: Sequence[bytes] = ()
    issuer: x509.Name | None = None
    generalized_time: bool = False
    version: bytes = b"\x02\x01\x01"
    algorithm: bytes | None = None
    outer_algorithm: bytes | None = None


@dataclass(frozen=True)
class EntryShape:
    """What the entries of `write_list` look like. `serial_octets` from 4 to 20; `extra` is one more extension."""

    serial_octets: int = 4
    ascending: bool = False
    reasons: bool = True
    generalized_time: bool = False
    extra: bytes = b""


def encode_integer(value: int) -> bytes:
    """INTEGER in its shortest form."""
    return tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def encode_time(moment: datetime, *, generalized: bool = False) -> bytes:
    """UTCTime, or GeneralizedTime on demand."""
    if generalized:
        return tlv(GENERALIZED_TIME, moment.strftime("%Y%m%d%H%M%SZ").encode())
    return tlv(UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())


def encode_extension(oid: bytes, value: bytes, *, critical: bool = False) -> bytes:
    """One Extension; `oid` is the content of the identifier."""
    flag = tlv(BOOLEAN, b"\xff") if critical else b""
    return tlv(SEQUENCE, tlv(OBJECT_IDENTIFIER, oid) + flag + tlv(OCTET_STRING, value))


def encode_reason(code: int, *, critical: bool = False) -> bytes:
    """The entry extension reasonCode."""
    return encode_extension(REASON_CODE, tlv(ENUMERATED, bytes([code])), critical=critical)


def encode_entry(
    serial: int | bytes,
    moment: datetime | bytes = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    extensions: Sequence[bytes] = (),
    *,
    generalized: bool = False,
) -> bytes:
    """One entry. `serial` and `moment` as bytes are whole elements, right or not."""
    number = serial if isinstance(serial, bytes) else encode_integer(serial)
    time = moment if isinstance(moment, bytes) else encode_time(moment, generalized=generalized)
    return tlv(SEQUENCE, number + time + (tlv(SEQUENCE, b"".join(extensions)) if extensions else b""))


def encode_point(names: Sequence[x509.GeneralName] = (), **flags: bool) -> bytes:
    """The value of issuingDistributionPoint; `flags` as `cryptography` calls them."""
    said = dict.fromkeys(
        ("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs"), False
    )
    return x509.IssuingDistributionPoint(
        full_name=list(names) or None, relative_name=None, only_some_reasons=None, **(said | flags)
    ).public_bytes()


def build_list(root: Root, entries: Sequence[bytes] | None = None, shape: ListShape = ListShape()) -> bytes:
    """A signed list in memory. `entries` are whole entries; None leaves revokedCertificates out."""
    body = b"" if entries is None else tlv(SEQUENCE, b"".join(entries))
    head, tail = _build_tbs_frame(root, shape)
    tbs = tlv(SEQUENCE, head + body + tail)
    signature = _sign(root, _hash(root, [tbs]))
    return tlv(SEQUENCE, tbs + (shape.outer_algorithm or _algorithm(root, shape)) + tlv(BIT_STRING, b"\0" + signature))


def write_list(
    path: Path,
    root: Root,
    count: int,
    entries: EntryShape = EntryShape(),
    shape: ListShape = ListShape(),
    *,
    first: int = 0,
) -> None:
    """Stream a signed list of `count` entries to `path`: the serials `derive_serials(first + i)`, nothing kept.

    A million entries take about a third of a second.
    """
    entry_sizes = [len(_build_pattern(entries, reason)) for reason in (False, True)]
    with_reason = sum(len(range(slot, count, 10)) for slot in range(len(REASONS))) if entries.reasons else 0
    size = entry_sizes[0] * (count - with_reason) + entry_sizes[1] * with_reason
    head, tail = _build_tbs_frame(root, shape)
    revoked = _header(SEQUENCE, size)
    tbs = _header(SEQUENCE, len(head) + len(revoked) + size + len(tail)) + head + revoked
    algorithm = shape.outer_algorithm or _algorithm(root, shape)
    length = len(_sign(root, _hash(root, [b""])))
    if not isinstance(root.key, rsa.RSAPrivateKey):
        raise ValueError("only signatures of a fixed length can be streamed")
    after = algorithm + _header(BIT_STRING, length + 1) + b"\0"
    whole = len(tbs) + size + len(tail) + len(after) + length
    with path.open("wb") as file:
        file.write(_header(SEQUENCE, whole))
        digest = hashlib.sha256()
        for part in _stream(tbs, entries, count, first, tail):
            digest.update(part)
            file.write(part)
        file.write(after + _sign(root, digest.digest()))


def derive_serials(first: int, count: int, shape: EntryShape = EntryShape()) -> list[int]:
    """The serial numbers of the entries `first` to `first + count`: all different, positive, of the same length."""
    return [int.from_bytes(row.tobytes(), "big") for row in _build_serials(first, count, shape)]


def derive_absent_serials(first: int, count: int) -> np.ndarray:
    """Serial numbers of 4 octets that no list of `write_list` has, as u64: all of those are even, these are odd."""
    return _build_numbers(first, count, ascending=False) + np.uint64(1)


def _stream(tbs: bytes, shape: EntryShape, count: int, first: int, tail: bytes) -> Iterator[bytes]:
    yield tbs
    for start in range(0, count, CHUNK):
        yield _build_entries(shape, first, start, min(CHUNK, count - start))
    yield tail


def _build_pattern(shape: EntryShape, reason: bool) -> bytes:
    """An entry with zeros for its serial, a date of zeros, and its extensions."""
    extensions = ([encode_reason(0)] if reason else []) + ([shape.extra] if shape.extra else [])
    time = tlv(GENERALIZED_TIME, b"20000101000000Z") if shape.generalized_time else tlv(UTC_TIME, b"000101000000Z")
    return encode_entry(tlv(INTEGER, bytes(shape.serial_octets)), time, extensions)


def _build_entries(shape: EntryShape, first: int, start: int, count: int) -> bytes:
    """The entries from `start` on, by copying patterns into a matrix and filling in its columns."""
    patterns = [np.frombuffer(_build_pattern(shape, reason), np.uint8) for reason in (False, True)]
    longest = len(patterns[1])
    serials = _build_serials(first + start, count, shape)
    place = np.arange(start, start + count)
    reasoned = place % 10 < len(REASONS) if shape.reasons else np.zeros(count, bool)
    rows = np.zeros((count, longest), np.uint8)
    kept = np.ones((count, longest), bool)
    rows[reasoned] = patterns[1]
    rows[~reasoned, : len(patterns[0])] = patterns[0]
    kept[~reasoned, len(patterns[0]) :] = False
    header = 2 if longest < 0x82 else 3
    serial_at = header + 2
    rows[:, serial_at : serial_at + shape.serial_octets] = serials
    _fill_dates(rows, serial_at + shape.serial_octets + 2 + 2 * shape.generalized_time, place + first)
    if shape.reasons:
        code_at = bytes(patterns[1]).index(REASON_CODE) + 7
        rows[reasoned, code_at] = np.array(REASONS, np.uint8)[(place % 10)[reasoned]]
    return rows[kept].tobytes()


def _fill_dates(rows: np.ndarray, at: int, place: np.ndarray) -> None:
    """Year 21 to 25, any month, day 1 to 28, any time of the day, as ten digits of two each."""
    fields = (21 + place % 5, 1 + place % 12, 1 + place % 28, place % 24, place * 7 % 60, place * 11 % 60)
    for number, values in enumerate(fields):
        rows[:, at + 2 * number] = 0x30 + values // 10
        rows[:, at + 2 * number + 1] = 0x30 + values % 10


_SPAN = (0x7FFFFFFF - 0x01000000) // 2
_STEP = 0x2545F493  # prime to the span: every number comes once before any comes twice


def _build_numbers(first: int, count: int, *, ascending: bool) -> np.ndarray:
    """Even numbers of exactly 4 octets, as u64: scattered, or rising."""
    place = np.arange(first, first + count, dtype=np.uint64)
    scattered = place if ascending else place * np.uint64(_STEP) % np.uint64(_SPAN)
    numbers: np.ndarray = np.uint64(0x01000000) + np.uint64(2) * scattered
    return numbers


def _build_serials(first: int, count: int, shape: EntryShape) -> np.ndarray:
    """The octets of each serial, a row each: 4 that tell them apart, the rest made from those."""
    numbers = _build_numbers(first, count, ascending=shape.ascending)
    rows = np.empty((count, shape.serial_octets), np.uint8)
    rows[:, :4] = numbers.astype(">u4").view(np.uint8).reshape(count, 4)
    mixed = numbers
    for column in range(4, shape.serial_octets):
        mixed = mixed * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        rows[:, column] = (mixed >> np.uint64(56)).astype(np.uint8)
    return rows


def _build_tbs_frame(root: Root, shape: ListShape) -> tuple[bytes, bytes]:
    """What stands before and after revokedCertificates."""
    times = [moment for moment in (shape.this_update, shape.next_update) if moment is not None]
    head = shape.version + (shape.algorithm or _algorithm(root, shape)) + (shape.issuer or root.name).public_bytes()
    head += b"".join(encode_time(moment, generalized=shape.generalized_time) for moment in times)
    extensions = []
    if shape.key_id is not None:
        key_id = shape.key_id or x509.SubjectKeyIdentifier.from_public_key(root.key.public_key()).digest
        extensions.append(encode_extension(bytes.fromhex("551d23"), tlv(SEQUENCE, tlv(0x80, key_id))))
    if shape.number is not None:
        extensions.append(encode_extension(bytes.fromhex("551d14"), encode_integer(shape.number)))
    if shape.point is not None:
        extensions.append(encode_extension(bytes.fromhex("551d1c"), shape.point, critical=True))
    extensions += shape.extensions
    tail = tlv(EXPLICIT_0, tlv(SEQUENCE, b"".join(extensions))) if extensions else b""
    return head, tail


def _algorithm(root: Root, shape: ListShape) -> bytes:
    return shape.algorithm or (RSA_SHA256 if isinstance(root.key, rsa.RSAPrivateKey) else ECDSA_SHA384)


def _hash(root: Root, parts: Sequence[bytes]) -> bytes:
    digest = hashlib.sha256() if isinstance(root.key, rsa.RSAPrivateKey) else hashlib.sha384()
    for part in parts:
        digest.update(part)
    return digest.digest()


def _sign(root: Root, digest: bytes) -> bytes:
    if isinstance(root.key, rsa.RSAPrivateKey):
        return root.key.sign(digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
    return root.key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA384())))


def _header(tag: int, size: int) -> bytes:
    """Tag and length of an element of `size` octets."""
    return tlv(tag, b"")[:1] + (
        bytes([size]) if size < 0x80 else bytes([0x80 | (size.bit_length() + 7) // 8]) + _minimal(size)
    )


def _minimal(size: int) -> bytes:
    return size.to_bytes((size.bit_length() + 7) // 8, "big")
