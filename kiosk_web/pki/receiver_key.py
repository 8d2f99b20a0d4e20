"""The public key of a cooperating system, to which the basic 4 information is sealed. PURE.

One way of sealing for each kind of key (RFC 7518 4.3 and 4.6), whatever a JWK says of itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from kiosk_web.pki.client_keys import ClientKeyRefused, read_client_key

KeyManagement = Literal["RSA-OAEP-256", "ECDH-ES+A256KW"]


class ReceiverKeyRefused(ValueError):
    """Not a key to seal with. The message says what to give instead."""


@dataclass(frozen=True, slots=True)
class ReceiverKey:
    """`id` is the SHA-256 of the SubjectPublicKeyInfo, base64url: the `kid` of what is sealed."""

    id: str
    management: KeyManagement
    public_key: RSAPublicKey | EllipticCurvePublicKey


def read_receiver_key(text: str) -> ReceiverKey:
    """A public key in PEM, or one JWK: RSA of 2048 to 4096 bits, or P-256. Raises `ReceiverKeyRefused`."""
    try:
        key = read_client_key(text.encode("utf-8"))
    except ClientKeyRefused as refusal:
        raise ReceiverKeyRefused(str(refusal)) from None
    match key.public_key:
        case RSAPublicKey():
            return ReceiverKey(key.id, "RSA-OAEP-256", key.public_key)
        case EllipticCurvePublicKey():
            return ReceiverKey(key.id, "ECDH-ES+A256KW", key.public_key)
        case _:
            raise ReceiverKeyRefused("Ed25519 signs and cannot be sealed to: give a key of RSA or P-256")
