"""Signed structures put together by hand: SEQUENCE { signed part, algorithm, BIT STRING }, as certificates, lists and
basic OCSP answers are, with algorithms that a library rightly does not offer any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from tests.support.der import BIT_STRING, SEQUENCE, content, split, tlv
from tests.support.jpki import Key

OBJECT_IDENTIFIER = 0x06
NULL = b"\x05\x00"


def build_oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    octets = bytearray()
    for arc in (40 * first + second, *rest):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(arc & 0x7F | 0x80)
        octets += bytes(reversed(septets))
    return tlv(OBJECT_IDENTIFIER, bytes(octets))


@dataclass(frozen=True)
class Algorithm:
    """An AlgorithmIdentifier, and how to sign with it."""

    identifier: bytes
    sign: Callable[[Key, bytes], bytes]


def _rsa(oid: str, algorithm: hashes.HashAlgorithm, parameters: bytes = NULL) -> Algorithm:
    def sign(key: Key, data: bytes) -> bytes:
        assert isinstance(key, rsa.RSAPrivateKey)
        return key.sign(data, padding.PKCS1v15(), algorithm)

    return Algorithm(tlv(SEQUENCE, build_oid(oid) + parameters), sign)


def _ecdsa(oid: str, algorithm: hashes.HashAlgorithm) -> Algorithm:
    def sign(key: Key, data: bytes) -> bytes:
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key.sign(data, ec.ECDSA(algorithm))

    return Algorithm(tlv(SEQUENCE, build_oid(oid)), sign)


def _pss(algorithm: hashes.HashAlgorithm, hash_oid: str) -> Algorithm:
    size = algorithm.digest_size
    hashed = tlv(SEQUENCE, build_oid(hash_oid) + NULL)
    mask = tlv(SEQUENCE, build_oid("1.2.840.113549.1.1.8") + hashed)
    parameters = tlv(SEQUENCE, tlv(0xA0, hashed) + tlv(0xA1, mask) + tlv(0xA2, tlv(0x02, bytes([size]))))

    def sign(key: Key, data: bytes) -> bytes:
        assert isinstance(key, rsa.RSAPrivateKey)
        return key.sign(data, padding.PSS(padding.MGF1(algorithm), size), algorithm)

    return Algorithm(tlv(SEQUENCE, build_oid("1.2.840.113549.1.1.10") + parameters), sign)


RSA_ALGORITHMS: dict[str, Algorithm] = {
    "SHA-256": _rsa("1.2.840.113549.1.1.11", hashes.SHA256()),
    "SHA-256 without parameters": _rsa("1.2.840.113549.1.1.11", hashes.SHA256(), b""),
    "SHA-1": _rsa("1.2.840.113549.1.1.5", hashes.SHA1()),
    "MD5": _rsa("1.2.840.113549.1.1.4", hashes.MD5()),
    "SHA-384": _rsa("1.2.840.113549.1.1.12", hashes.SHA384()),
    "SHA-512": _rsa("1.2.840.113549.1.1.13", hashes.SHA512()),
    "PSS": _pss(hashes.SHA256(), "2.16.840.1.101.3.4.2.1"),
}
EC_ALGORITHMS: dict[str, Algorithm] = {
    "SHA-384": _ecdsa("1.2.840.10045.4.3.3", hashes.SHA384()),
    "SHA-256": _ecdsa("1.2.840.10045.4.3.2", hashes.SHA256()),
    "SHA-1": _ecdsa("1.2.840.10045.4.1", hashes.SHA1()),
}


def choose_algorithm(key: Key, name: str | None = None) -> Algorithm:
    """The algorithm of that name where the key can be used with it, else the right one for the key."""
    if isinstance(key, rsa.RSAPrivateKey):
        return RSA_ALGORITHMS.get(name or "", RSA_ALGORITHMS["SHA-256"])
    return EC_ALGORITHMS.get(name or "", EC_ALGORITHMS["SHA-384"])


def build_signed(signed: bytes, key: Key, algorithm: Algorithm, rest: bytes = b"") -> bytes:
    """The whole: `signed` is the element that is signed, `rest` what follows the signature."""
    return tlv(SEQUENCE, signed + algorithm.identifier + tlv(BIT_STRING, b"\0" + algorithm.sign(key, signed)) + rest)


def split_signed(whole: bytes) -> list[bytes]:
    """The fields of the signed part of a certificate or list."""
    return split(content(split(content(whole))[0]))


@dataclass(frozen=True)
class Mutation:
    """One change of bytes, valid for any length: `at` and `value` are taken modulo what is there."""

    kind: str
    at: int
    value: int

    def apply(self, data: bytes) -> bytes:
        at = self.at % len(data)
        match self.kind:
            case "flip":
                return data[:at] + bytes([data[at] ^ (self.value % 255 + 1)]) + data[at + 1 :]
            case "cut":
                return data[:at]
            case "insert":
                return data[:at] + bytes([self.value % 256]) + data[at:]
            case "drop":
                return data[:at] + data[at + 1 :]
            case "append":
                return data + bytes([self.value % 256])
            case _:
                raise ValueError(self.kind)


MUTATIONS = ("flip", "flip", "flip", "flip", "cut", "insert", "drop", "append")
