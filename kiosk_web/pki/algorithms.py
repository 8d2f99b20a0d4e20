"""The signature algorithms that count: an allow-list by OID, with the keys that may be used with each.

JPKI signs with RSA-2048 and SHA-256 today (ordinance: integers of 2048 bits or more); the next card is expected with
ECDSA on P-384 and SHA-384. SHA-1, RSASSA-PSS and every other algorithm are refused by not being listed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeGuard

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
AlgorithmName = Literal["rsa-sha256", "ecdsa-p384-sha384"]
Judgement = Literal["good", "algorithm_refused", "signature_invalid"]

_PKCS1, _SHA256, _ECDSA_SHA384 = padding.PKCS1v15(), hashes.SHA256(), ec.ECDSA(hashes.SHA384())

RSA_BITS = range(2048, 8193)
RSA_EXPONENTS = range(65537, 1 << 32, 2)


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One accepted algorithm: its name in settings, its OID in certificates and answers."""

    name: AlgorithmName
    oid: str


ALGORITHMS: dict[str, Algorithm] = {
    algorithm.oid: algorithm
    for algorithm in (
        Algorithm("rsa-sha256", "1.2.840.113549.1.1.11"),
        Algorithm("ecdsa-p384-sha384", "1.2.840.10045.4.3.3"),
    )
}
DEFAULT_ALGORITHMS: frozenset[AlgorithmName] = frozenset({"rsa-sha256", "ecdsa-p384-sha384"})


_NAMES = {
    "1.2.840.113549.1.1.2": "RSA with MD2",
    "1.2.840.113549.1.1.4": "RSA with MD5",
    "1.2.840.113549.1.1.5": "RSA with SHA-1",
    "1.3.14.3.2.29": "RSA with SHA-1",
    "1.2.840.113549.1.1.10": "RSASSA-PSS",
    "1.2.840.113549.1.1.11": "RSA with SHA-256",
    "1.2.840.113549.1.1.12": "RSA with SHA-384",
    "1.2.840.113549.1.1.13": "RSA with SHA-512",
    "1.2.840.113549.1.1.14": "RSA with SHA-224",
    "1.2.840.10040.4.3": "DSA with SHA-1",
    "1.2.840.10045.4.1": "ECDSA with SHA-1",
    "1.2.840.10045.4.3.1": "ECDSA with SHA-224",
    "1.2.840.10045.4.3.2": "ECDSA with SHA-256",
    "1.2.840.10045.4.3.3": "ECDSA with SHA-384",
    "1.2.840.10045.4.3.4": "ECDSA with SHA-512",
    "1.3.101.112": "Ed25519",
    "1.3.101.113": "Ed448",
}


def explain_refusal(oid: str) -> str:
    """Why a signature was `algorithm_refused`, naming its algorithm; for people."""
    name = _NAMES.get(oid, oid)
    if oid in ALGORITHMS:
        return f"its signature algorithm, {name}, is not for this key or not allowed here"
    return f"its signature algorithm, {name}, is not on the list"


def judge_key(key: object) -> TypeGuard[PublicKey]:
    """Is this a key the allow-list knows: RSA of 2048 to 8192 bits with a sane exponent, or a point on P-384?"""
    return _name_algorithm(key) is not None


def _name_algorithm(key: object) -> AlgorithmName | None:
    """The one algorithm that a key of the allow-list is used with."""
    if is_rsa(key):
        return "rsa-sha256" if key.key_size in RSA_BITS and key.public_numbers().e in RSA_EXPONENTS else None
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP384R1):
        return "ecdsa-p384-sha384"
    return None


def judge_key_signature(key: PublicKey, signature: bytes, message: bytes) -> bool:
    """Verify with the one algorithm that fits the key: PKCS #1 v1.5 with SHA-256 (exact), or ECDSA with SHA-384."""
    try:
        if is_rsa(key):
            key.verify(signature, message, _PKCS1, _SHA256)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, _ECDSA_SHA384)
        else:
            return False
    except InvalidSignature:
        return False
    return True


def is_rsa(key: object) -> TypeGuard[rsa.RSAPublicKey]:
    """`isinstance` of an abstract class takes longer than everything else that is asked about a key: remembered."""
    kind: Any = type(key)  # a type is hashable, though not as mypy would have it
    return _is_rsa_type(kind)


@lru_cache(maxsize=64)
def _is_rsa_type(kind: type) -> bool:
    return issubclass(kind, rsa.RSAPublicKey)


def judge_signed(
    oid: str, key: object, signature: bytes, message: bytes, allowed: frozenset[AlgorithmName] = DEFAULT_ALGORITHMS
) -> Judgement:
    """Judge a signature whose algorithm was announced as `oid`: listed, allowed here, fitting the key, and correct."""
    if not _fits(key, oid, allowed):
        return "algorithm_refused"
    return "good" if judge_key_signature(key, signature, message) else "signature_invalid"


def judge_signed_view(
    oid: str, key: object, signature: bytes, message: memoryview, allowed: frozenset[AlgorithmName] = DEFAULT_ALGORITHMS
) -> Judgement:
    """`judge_signed` for hundreds of megabytes: hashed where they lie, not copied, and without the interpreter lock."""
    if not _fits(key, oid, allowed):
        return "algorithm_refused"
    try:
        if isinstance(key, rsa.RSAPublicKey):
            digest = hashlib.sha256(message).digest()
            key.verify(signature, digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
        else:
            digest = hashlib.sha384(message).digest()
            key.verify(signature, digest, ec.ECDSA(Prehashed(hashes.SHA384())))
    except InvalidSignature:
        return "signature_invalid"
    return "good"


def _fits(key: object, oid: str, allowed: frozenset[AlgorithmName]) -> TypeGuard[PublicKey]:
    """Is the announced algorithm listed, allowed here, and the one that this key is used with?"""
    algorithm = ALGORITHMS.get(oid)
    return algorithm is not None and algorithm.name in allowed and algorithm.name == _name_algorithm(key)
