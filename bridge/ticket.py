"""Judge what the server signed: key statements, hello, challenge and output tickets (`docs/wire.md` 1 and 2). PURE.

The signature is checked with the algorithm pinned to Ed25519 (RFC 8037); times are judged with the caller's `now`, in
whole seconds since 1970-01-01T00:00:00Z as the server counts them, never with the clock of this machine. Every
refusal is a `TicketRefused` with a reason for the log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bridge.errors import TicketRefused
from bridge.output.text import is_number
from bridge.strict_json import NotStrict, decode_base64url, encode_base64url, parse_object

ISSUER = "kiosk"
AUDIENCE = "kiosk-bridge"
KEY_TYPE = "kiosk-key+jwt"
HELLO_TYPE = "kiosk-hello+jwt"
CHALLENGE_TYPE = "kiosk-challenge+jwt"
OUTPUT_TYPE = "kiosk-output+jwt"
HELLO_SECONDS = 60
CHALLENGE_SECONDS = 180
OUTPUT_SECONDS = 5
SKEW_SECONDS = 5
PURPOSES = frozenset({"identify", "enrol", "basic_four"})
METHODS = frozenset({"pin", "kazashi"})
OUTPUT_KINDS = frozenset({"wedge", "serial"})
MAXIMUM_JWS = 4096
MAXIMUM_TEXT = 255

_JWS = jwt.PyJWS(algorithms=["EdDSA"])
_KEY_CLAIMS = frozenset({"iss", "kid", "x", "nbf", "exp"})
_COMMON = frozenset({"iss", "aud", "jti", "iat", "exp", "terminal", "origin"})
_HELLO_CLAIMS = _COMMON | {"address", "bridge_nonce", "page_key"}
_OUTPUT_CLAIMS = _COMMON | {"session", "card", "kind", "number"}
_CHALLENGE_CLAIMS = _COMMON | {"session", "service", "purpose", "method", "nonce", "consent", "lease", "card"}


@dataclass(frozen=True, slots=True)
class Terminal:
    """Who this terminal is and whom it trusts. `origin` is the one origin whose page may use this bridge;
    `identity_key` vouches for the server's tickets.
    """

    id: str
    origin: str
    identity_key: Ed25519PublicKey
    key: Ed25519PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class TicketKey:
    """A key that the identity key vouches for, between two server times."""

    kid: str
    public_key: Ed25519PublicKey
    not_before: int
    expires: int


@dataclass(frozen=True, slots=True)
class HelloTicket:
    """`issued_at` is the server's time; `keys` sign the challenges of this connection."""

    jti: str
    issued_at: int
    keys: Mapping[str, TicketKey]


@dataclass(frozen=True, slots=True)
class ChallengeTicket:
    """What one card is asked to sign, and why. `compact` is the ticket as it came; `nonce` and `consent` are raw
    bytes.
    """

    compact: str
    jti: str
    expires: int
    terminal: str
    origin: str
    session: str
    service: str
    purpose: str
    method: str
    nonce: bytes
    consent: bytes
    lease: str
    card: str


@dataclass(frozen=True, slots=True)
class OutputTicket:
    """A number to hand over to the system on this computer, while the card `card` still lies there."""

    jti: str
    session: str
    card: str
    kind: str
    number: str = field(repr=False)


class UsedTickets:
    """The tickets this bridge has used. A ticket lives 180 s, so an hour of memory is plenty; `now` is any rising
    clock in seconds.
    """

    KEEP_SECONDS = 3600.0
    MAXIMUM = 10_000

    def __init__(self) -> None:
        self._used: dict[str, float] = {}

    def use(self, jti: str, now: float) -> None:
        """Raises `TicketRefused` the second time."""
        while self._used and now - next(iter(self._used.values())) > self.KEEP_SECONDS:
            del self._used[next(iter(self._used))]
        if jti in self._used:
            raise TicketRefused("used before")
        if len(self._used) >= self.MAXIMUM:
            raise TicketRefused("too many tickets")
        self._used[jti] = now


def derive_fingerprint(public_key: bytes) -> str:
    """The name of an Ed25519 key: the first 16 bytes of its SHA-256, base64url."""
    return encode_base64url(hashlib.sha256(public_key).digest()[:16])


def judge_key_statement(statement: str, identity_key: Ed25519PublicKey) -> TicketKey:
    """One ticket key, vouched for by the pinned identity key. Raises `TicketRefused`."""
    identity_kid = derive_fingerprint(identity_key.public_bytes_raw())
    claims = _claims(statement, KEY_TYPE, {identity_kid: identity_key}, _KEY_CLAIMS)
    raw = _raw(claims, "x", 32)
    if claims["kid"] != derive_fingerprint(raw):
        raise TicketRefused("key statement names another key")
    not_before, expires = _seconds(claims, "nbf"), _seconds(claims, "exp")
    return TicketKey(claims["kid"], Ed25519PublicKey.from_public_bytes(raw), not_before, expires)


def judge_hello(
    ticket: str,
    statements: Iterable[str],
    *,
    identity_key: Ed25519PublicKey,
    terminal: str,
    origin: str,
    address: str,
    bridge_nonce: bytes,
    page_key: bytes,
) -> HelloTicket:
    """The ticket that admits one page. Its freshness is the bridge's own nonce in it. Raises `TicketRefused`."""
    keys = {key.kid: key for key in (judge_key_statement(item, identity_key) for item in statements)}
    claims = _claims(ticket, HELLO_TYPE, {kid: key.public_key for kid, key in keys.items()}, _HELLO_CLAIMS)
    issued_at = _judge_common(claims, terminal, origin, HELLO_SECONDS)
    _judge_key_time(keys[_kid(ticket)], issued_at)
    if _text(claims, "address") != address:
        raise TicketRefused("dialled another address")
    if _raw(claims, "bridge_nonce", 32) != bridge_nonce:
        raise TicketRefused("another nonce")
    if _raw(claims, "page_key", 32) != page_key:
        raise TicketRefused("another page key")
    return HelloTicket(_jti(claims), issued_at, keys)


def judge_challenge(
    ticket: str, keys: Mapping[str, TicketKey], *, terminal: str, origin: str, now: float
) -> ChallengeTicket:
    """The ticket for one signature of one card. `now` is the server's time as the bridge counts it on. Raises
    `TicketRefused`.
    """
    claims = _claims(ticket, CHALLENGE_TYPE, {kid: key.public_key for kid, key in keys.items()}, _CHALLENGE_CLAIMS)
    issued_at = _judge_common(claims, terminal, origin, CHALLENGE_SECONDS)
    expires = _judge_time(ticket, claims, keys, issued_at, now)
    purpose, method = _text(claims, "purpose"), _text(claims, "method")
    if purpose not in PURPOSES:
        raise TicketRefused("unknown purpose")
    if method not in METHODS:
        raise TicketRefused("unknown method")
    consent, lease = _raw(claims, "consent", 0, 32), _text(claims, "lease", empty=True)
    _judge_circumstances(purpose, method, consent, lease)
    return ChallengeTicket(
        compact=ticket,
        jti=_jti(claims),
        expires=expires,
        terminal=terminal,
        origin=origin,
        session=_text(claims, "session"),
        service=_text(claims, "service"),
        purpose=purpose,
        method=method,
        nonce=_raw(claims, "nonce", 32),
        consent=consent,
        lease=lease,
        card=_text(claims, "card"),
    )


def _judge_circumstances(purpose: str, method: str, consent: bytes, lease: str) -> None:
    """A tap needs somebody who attends it, an enrolment or a reading of the basic 4 information the consent that was
    shown; neither has the other's.
    """
    if purpose == "enrol" and (method != "kazashi" or not consent or lease):
        raise TicketRefused("an enrolment without consent")
    if purpose == "basic_four" and (method != "pin" or not consent or lease):
        raise TicketRefused("a reading without consent")
    if purpose == "identify" and (method == "kazashi") != bool(lease):
        raise TicketRefused("a tap without a lease" if method == "kazashi" else "a lease without a tap")


def judge_output(ticket: str, keys: Mapping[str, TicketKey], *, terminal: str, origin: str, now: float) -> OutputTicket:
    """The ticket for one hand-over. Raises `TicketRefused`."""
    claims = _claims(ticket, OUTPUT_TYPE, {kid: key.public_key for kid, key in keys.items()}, _OUTPUT_CLAIMS)
    _judge_time(ticket, claims, keys, _judge_common(claims, terminal, origin, OUTPUT_SECONDS), now)
    kind, number = _text(claims, "kind"), _text(claims, "number")
    if kind not in OUTPUT_KINDS:
        raise TicketRefused("unknown kind")
    if not is_number(number):
        raise TicketRefused("malformed number")
    return OutputTicket(_jti(claims), _text(claims, "session"), _text(claims, "card"), kind, number)


def _judge_time(
    ticket: str, claims: Mapping[str, Any], keys: Mapping[str, TicketKey], issued_at: int, now: float
) -> int:
    """When it ends. A hello has no such judgement: its freshness is the bridge's nonce."""
    _judge_key_time(keys[_kid(ticket)], now)
    if now < issued_at - SKEW_SECONDS:
        raise TicketRefused("not yet valid")
    expires = _seconds(claims, "exp")
    if now > expires:
        raise TicketRefused("expired")
    return expires


def _claims(
    compact: str, kind: str, keys: Mapping[str, Ed25519PublicKey], expected: frozenset[str]
) -> Mapping[str, Any]:
    """The verified claims of one compact JWS: exact header, known key, exactly the expected claims."""
    if len(compact) > MAXIMUM_JWS:
        raise TicketRefused("too long")
    kid = _kid(compact, kind)
    if kid not in keys:
        raise TicketRefused("unknown key")
    try:
        payload: bytes = _JWS.decode_complete(compact, keys[kid], algorithms=["EdDSA"])["payload"]
        claims = parse_object(payload, limit=MAXIMUM_JWS)
    except (jwt.PyJWTError, InvalidSignature):
        raise TicketRefused("bad signature") from None
    except NotStrict:
        raise TicketRefused("malformed claims") from None
    if claims.keys() != expected:
        raise TicketRefused("missing or unknown claim")
    if claims["iss"] != ISSUER:
        raise TicketRefused("another issuer")
    return claims


def _kid(compact: str, kind: str | None = None) -> str:
    """The key id in the header; with `kind`, after checking that the header is exactly what this kind has."""
    try:
        header = parse_object(decode_base64url(compact.partition(".")[0]), limit=MAXIMUM_JWS)
    except NotStrict:
        raise TicketRefused("malformed header") from None
    kid = header.get("kid")
    if not isinstance(kid, str) or (kind is not None and header != {"alg": "EdDSA", "typ": kind, "kid": kid}):
        raise TicketRefused("another kind")
    return kid


def _judge_common(claims: Mapping[str, Any], terminal: str, origin: str, lifetime: int) -> int:
    if claims["aud"] != AUDIENCE:
        raise TicketRefused("another audience")
    if claims["terminal"] != terminal:
        raise TicketRefused("another terminal")
    if claims["origin"] != origin:
        raise TicketRefused("another origin")
    issued_at, expires = _seconds(claims, "iat"), _seconds(claims, "exp")
    if not 0 < expires - issued_at <= lifetime:
        raise TicketRefused("wrong lifetime")
    return issued_at


def _judge_key_time(key: TicketKey, now: float) -> None:
    if not key.not_before <= now <= key.expires:
        raise TicketRefused("key not in force")


def _jti(claims: Mapping[str, Any]) -> str:
    _raw(claims, "jti", 16)
    return str(claims["jti"])


def _seconds(claims: Mapping[str, Any], name: str) -> int:
    value = claims[name]
    if type(value) is not int or not 0 <= value < 2**40:
        raise TicketRefused(f"malformed {name}")
    return value


def _text(claims: Mapping[str, Any], name: str, *, empty: bool = False) -> str:
    value = claims[name]
    if not isinstance(value, str) or len(value) > MAXIMUM_TEXT or not (value or empty) or not value.isprintable():
        raise TicketRefused(f"malformed {name}")
    return value


def _raw(claims: Mapping[str, Any], name: str, *lengths: int) -> bytes:
    value = claims[name]
    try:
        raw = decode_base64url(value) if isinstance(value, str) else None
    except NotStrict:
        raw = None
    if raw is None or len(raw) not in lengths:
        raise TicketRefused(f"malformed {name}")
    return raw
