"""A strict reader of DER elements (ITU-T X.690): only what must be taken from the bytes as they came, not re-encoded.

`cryptography` parses certificates; this module cuts out the signed bytes themselves and the fields that must be
compared raw.
"""

from __future__ import annotations

from dataclasses import dataclass

SEQUENCE = 0x30
INTEGER = 0x02
BIT_STRING = 0x03
VERSION = 0xA0


class MalformedDer(ValueError):
    """The bytes are not the DER that was expected; the message names the place, never the content."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element of `data`: `start` is its tag, `content` the first byte of its value, `end` the byte after it."""

    tag: int
    start: int
    content: int
    end: int


def read_element(data: bytes, start: int, limit: int, tag: int) -> Element:
    """Read the element at `start`, which must carry `tag` and end by `limit`; lengths are minimal and definite."""
    if start + 2 > limit:
        raise MalformedDer("element is cut off")
    if data[start] != tag:
        raise MalformedDer(f"tag {tag:#04x} expected")
    first = data[start + 1]
    content = start + 2
    if first < 0x80:
        length = first
    else:
        size = first & 0x7F
        if not 1 <= size <= 4 or content + size > limit:
            raise MalformedDer("length is indefinite, too long or cut off")
        length = int.from_bytes(data[content : content + size], "big")
        if length < 0x80 or length >> (8 * (size - 1)) == 0:
            raise MalformedDer("length is not minimal")
        content += size
    if content + length > limit:
        raise MalformedDer("value is cut off")
    return Element(tag, start, content, content + length)


@dataclass(frozen=True, slots=True)
class SignedCertificate:
    """The outer parts of a certificate as raw bytes (RFC 5280 4.1): what is signed, how, and the signature."""

    tbs: bytes
    algorithm: bytes
    inner_algorithm: bytes
    signature: bytes
    serial: int


def read_signed_certificate(der: bytes) -> SignedCertificate:
    """Cut a certificate into parts without re-encoding any of them. Raises `MalformedDer`; no byte may follow."""
    whole = read_element(der, 0, len(der), SEQUENCE)
    if whole.end != len(der):
        raise MalformedDer("bytes follow the certificate")
    tbs = read_element(der, whole.content, whole.end, SEQUENCE)
    algorithm = read_element(der, tbs.end, whole.end, SEQUENCE)
    bits = read_element(der, algorithm.end, whole.end, BIT_STRING)
    if bits.end != whole.end:
        raise MalformedDer("bytes follow the signature")
    if bits.content == bits.end or der[bits.content] != 0:
        raise MalformedDer("signature is not whole octets")

    position = tbs.content
    if position < tbs.end and der[position] == VERSION:
        position = read_element(der, position, tbs.end, VERSION).end
    serial = read_element(der, position, tbs.end, INTEGER)
    if serial.content == serial.end:
        raise MalformedDer("serial number is empty")
    inner = read_element(der, serial.end, tbs.end, SEQUENCE)
    return SignedCertificate(
        tbs=der[tbs.start : tbs.end],
        algorithm=der[algorithm.start : algorithm.end],
        inner_algorithm=der[inner.start : inner.end],
        signature=der[bits.content + 1 : bits.end],
        serial=int.from_bytes(der[serial.content : serial.end], "big", signed=True),
    )


def read_subject_public_key(spki: bytes) -> bytes:
    """The octets of `subjectPublicKey` alone: what OCSP hashes as issuerKeyHash (RFC 6960 4.1.1)."""
    whole = read_element(spki, 0, len(spki), SEQUENCE)
    algorithm = read_element(spki, whole.content, whole.end, SEQUENCE)
    bits = read_element(spki, algorithm.end, whole.end, BIT_STRING)
    if bits.content == bits.end or spki[bits.content] != 0 or bits.end != len(spki):
        raise MalformedDer("public key is not whole octets")
    return spki[bits.content + 1 : bits.end]
