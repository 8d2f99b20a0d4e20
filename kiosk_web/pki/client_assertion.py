"""A client's assertion (RFC 7523): the signed statement by which a program proves who it is. PURE.

The library checks the signature and nothing else; claims are judged here, with the time that is handed in. The
algorithm follows from the registered key, never from what the assertion says.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import jwt

from kiosk_web.pki.client_keys import ClientKey

LIFETIME = timedelta(seconds=60)
SKEW = timedelta(seconds=5)
MAXIMUM_LENGTH = 8 * 1024
MAXIMUM_JTI = 128

_HEADER = frozenset({"alg", "typ", "kid"})
_LATEST = 1 << 40

RefusedClaim = Literal["claims", "audience", "expired", "too_long", "not_yet_valid", "jti", "jti_used"]


@dataclass(frozen=True, slots=True)
class Assertion:
    """A right one. Its `jti` is still to be used up, which only the database can do."""

    client: str
    key_id: str
    jti: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Unproven:
    """Not signed by the client it names, for whatever reason: nothing more is said."""


@dataclass(frozen=True, slots=True)
class RefusedAssertion:
    """Signed by the client, and still not right. `why` is told, so that its engineer can mend it."""

    why: RefusedClaim


def read_claimed_client(compact: str) -> str | None:
    """Whom the assertion names, so that the keys can be looked up. It proves nothing."""
    if len(compact) > MAXIMUM_LENGTH or compact.count(".") != 2:
        return None
    claims = _load_object(_decode(compact.split(".")[1]))
    subject = claims.get("sub")
    return subject if isinstance(subject, str) else None


def judge_assertion(
    compact: str, client: str, keys: Sequence[ClientKey], audience: str, now: datetime
) -> Assertion | Unproven | RefusedAssertion:
    """`keys` are those of `client` that hold now; `audience` is the address of the token endpoint."""
    header = _load_object(_decode(compact.partition(".")[0]))
    if "alg" not in header or not _HEADER.issuperset(header):
        return Unproven()
    for key in keys:
        payload = _verify(compact, key)
        if payload is not None:
            return _judge_claims(_load_object(payload), client, key, audience, now)
    return Unproven()


def _verify(compact: str, key: ClientKey) -> bytes | None:
    verifier = jwt.PyJWS(algorithms=[key.algorithm])
    try:
        decoded = verifier.decode_complete(compact, key.public_key, algorithms=[key.algorithm])
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return bytes(decoded["payload"])


def _judge_claims(
    claims: dict[str, Any], client: str, key: ClientKey, audience: str, now: datetime
) -> Assertion | RefusedAssertion:
    if claims.get("iss") != client or claims.get("sub") != client:
        return RefusedAssertion("claims")
    if claims.get("aud") not in (audience, [audience]):
        return RefusedAssertion("audience")
    expires_at = _judge_times(claims, now)
    if isinstance(expires_at, RefusedAssertion):
        return expires_at
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAXIMUM_JTI:
        return RefusedAssertion("jti")
    return Assertion(client, key.id, jti, expires_at)


def _judge_times(claims: dict[str, Any], now: datetime) -> datetime | RefusedAssertion:
    """When it expires; `exp` must be there, `iat` and `nbf` may."""
    expires_at, issued_at, not_before = (_read_time(claims.get(name)) for name in ("exp", "iat", "nbf"))
    if expires_at is None or any(name in claims and _read_time(claims[name]) is None for name in ("iat", "nbf")):
        return RefusedAssertion("claims")
    if expires_at <= now:
        return RefusedAssertion("expired")
    if expires_at > now + LIFETIME:
        return RefusedAssertion("too_long")
    if any(time is not None and time > now + SKEW for time in (issued_at, not_before)):
        return RefusedAssertion("not_yet_valid")
    return expires_at


def _read_time(value: object) -> datetime | None:
    """Seconds since 1970 (RFC 7519 2). A fraction is let go."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LATEST:
        return None
    return datetime.fromtimestamp(int(value), UTC)


def _decode(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part.encode("ascii") + b"=" * (-len(part) % 4))
    except (UnicodeEncodeError, binascii.Error):
        return b""


def _load_object(data: bytes) -> dict[str, Any]:
    """Empty for anything but one JSON object in which no name stands twice."""
    try:
        value = json.loads(data, object_pairs_hook=_refuse_duplicates)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found
