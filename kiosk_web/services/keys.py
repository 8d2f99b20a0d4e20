"""The server's keys: an identity key that bridges pin at enrolment, and short-lived ticket keys it vouches for
(`docs/wire.md` 1).
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk_web.pki.fields import build_fields
from kiosk_web.services.ports import Entropy

ISSUER = "kiosk"
AUDIENCE = "kiosk-bridge"
KEY_TYPE = "kiosk-key+jwt"
LIFETIME = timedelta(days=14)
ROTATE_BEFORE = timedelta(days=2)
ENROLLED_PREFIX = b"kiosk-enrolled/1\0"

_JWS = jwt.PyJWS(algorithms=["EdDSA"])


def encode_base64url(value: bytes) -> str:
    """Without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def derive_fingerprint(public_key: bytes) -> bytes:
    """The first 16 bytes of the SHA-256 of a raw public key."""
    return hashlib.sha256(public_key).digest()[:16]


def sign_compact(claims: dict[str, Any], typ: str, kid: str, key: Ed25519PrivateKey) -> str:
    """A compact JWS with exactly the header `alg`, `typ`, `kid`."""
    payload = json.dumps(claims, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return _JWS.encode(payload.encode(), key, algorithm="EdDSA", headers={"typ": typ, "kid": kid})


@dataclass(frozen=True, repr=False)
class TicketKey:
    """One ticket key. `not_before` and `expires_at` are whole seconds."""

    private: Ed25519PrivateKey
    not_before: datetime
    expires_at: datetime

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    @property
    def kid(self) -> str:
        return encode_base64url(derive_fingerprint(self.public))


def build_ticket_key(seed: bytes, now: datetime, lifetime: timedelta = LIFETIME) -> TicketKey:
    """A new key out of 32 random bytes."""
    begin = now.replace(microsecond=0)
    return TicketKey(Ed25519PrivateKey.from_private_bytes(seed), begin, begin + lifetime)


def derive_rotation(keys: tuple[TicketKey, ...], now: datetime, entropy: Entropy) -> tuple[TicketKey, TicketKey]:
    """Current and next. A key near its end makes room for its successor, which bridges have known before."""
    usable = [key for key in sorted(keys, key=lambda key: key.expires_at) if key.expires_at > now + ROTATE_BEFORE]
    if not usable:
        usable = [build_ticket_key(entropy(32), now, LIFETIME / 2)]
    if len(usable) == 1:
        usable.append(build_ticket_key(entropy(32), now))
    return usable[0], usable[1]


class KeyRing:
    """Identity key and both ticket keys. `current` signs."""

    def __init__(self, identity: Ed25519PrivateKey, current: TicketKey, following: TicketKey) -> None:
        self._identity = identity
        self._use(current, following)

    def _use(self, current: TicketKey, following: TicketKey) -> None:
        self.current, self.following = current, following
        self.statements = (self._state(current), self._state(following))

    @property
    def identity_public(self) -> bytes:
        return self._identity.public_key().public_bytes_raw()

    @property
    def identity_fingerprint(self) -> bytes:
        return derive_fingerprint(self.identity_public)

    def rotate(self, current: TicketKey, following: TicketKey) -> None:
        """Sign with `current` from now on."""
        self._use(current, following)

    def sign_ticket(self, typ: str, claims: dict[str, Any]) -> str:
        return sign_compact(claims, typ, self.current.kid, self.current.private)

    def confirm_enrolment(self, public_key: bytes, terminal: str, origin: str) -> bytes:
        """The identity key's word that this terminal key is now enrolled (`docs/wire.md` 3)."""
        return self._identity.sign(ENROLLED_PREFIX + build_fields(public_key, terminal, origin))

    def _state(self, key: TicketKey) -> str:
        claims = {
            "iss": ISSUER,
            "kid": key.kid,
            "x": encode_base64url(key.public),
            "nbf": int(key.not_before.timestamp()),
            "exp": int(key.expires_at.timestamp()),
        }
        return sign_compact(claims, KEY_TYPE, encode_base64url(self.identity_fingerprint), self._identity)
