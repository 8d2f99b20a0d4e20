"""The public keys of programs that call the API: which are taken, and what each may sign with. PURE.

One algorithm for each kind of key, whatever a JWK says of itself: a key is never used for another one.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
)

Algorithm = Literal["EdDSA", "ES256", "PS256"]
PublicKey = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey

RSA_BITS = range(2048, 4097)
MAXIMUM_OCTETS = 16 * 1024
_SECRET_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class ClientKeyRefused(ValueError):
    """Not a public key that a client may have. The message says what to give instead."""


@dataclass(frozen=True, slots=True)
class ClientKey:
    """`der` is its SubjectPublicKeyInfo; `id` the SHA-256 of that, base64url."""

    id: str
    algorithm: Algorithm
    der: bytes
    public_key: PublicKey


def read_client_key(data: bytes) -> ClientKey:
    """A public key in PEM, or one JWK. Raises `ClientKeyRefused`."""
    if len(data) > MAXIMUM_OCTETS:
        raise ClientKeyRefused("this is no public key: it is too long")
    if b"PRIVATE KEY" in data:
        raise ClientKeyRefused("this is a private key; it stays with the client: give its public half")
    if data.lstrip().startswith(b"{"):
        return build_client_key(_read_jwk(data))
    try:
        public_key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        raise ClientKeyRefused("this is neither a public key in PEM (BEGIN PUBLIC KEY) nor a JWK") from None
    return build_client_key(public_key)


def load_client_key(der: bytes) -> ClientKey:
    """One that was taken before, by its SubjectPublicKeyInfo."""
    return build_client_key(load_der_public_key(der))


def build_client_key(public_key: object) -> ClientKey:
    """Raises `ClientKeyRefused` for a kind or size that is not taken."""
    algorithm: Algorithm
    match public_key:
        case Ed25519PublicKey():
            algorithm = "EdDSA"
        case EllipticCurvePublicKey(curve=SECP256R1()):
            algorithm = "ES256"
        case RSAPublicKey(key_size=bits) if bits in RSA_BITS:
            algorithm = "PS256"
        case _:
            raise ClientKeyRefused("a client's key is Ed25519, P-256, or RSA with 2048 to 4096 bits")
    der = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key_id = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode("ascii")
    return ClientKey(key_id, algorithm, der, public_key)


def _read_jwk(data: bytes) -> PublicKey:
    """RFC 7517, RFC 8037. `alg`, `use` and `kid` are not looked at."""
    try:
        jwk = json.loads(data)
        if not isinstance(jwk, dict):
            raise TypeError
        if not _SECRET_MEMBERS.isdisjoint(jwk):
            raise ClientKeyRefused("this JWK holds a private key; it stays with the client: give its public half")
        match jwk.get("kty"), jwk.get("crv"):
            case "OKP", "Ed25519":
                return Ed25519PublicKey.from_public_bytes(_decode(jwk["x"]))
            case "EC", "P-256":
                return EllipticCurvePublicNumbers(_number(jwk["x"]), _number(jwk["y"]), SECP256R1()).public_key()
            case "RSA", None:
                return RSAPublicNumbers(_number(jwk["e"]), _number(jwk["n"])).public_key()
    except ClientKeyRefused:
        raise
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ClientKeyRefused("this JWK cannot be read") from None
    raise ClientKeyRefused("a client's key is Ed25519, P-256, or RSA with 2048 to 4096 bits")


def _decode(value: Any) -> bytes:
    if not isinstance(value, str):
        raise TypeError
    return base64.urlsafe_b64decode(value.encode("ascii") + b"=" * (-len(value) % 4))


def _number(value: Any) -> int:
    return int.from_bytes(_decode(value), "big")
