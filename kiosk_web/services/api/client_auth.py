"""Who calls the API: an assertion signed with a registered key buys a short-lived access token (OAuth 2.0 client
credentials, `private_key_jwt`); the token names the client at every request.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from kiosk_web.pki.client_assertion import (
    Assertion,
    RefusedAssertion,
    Unproven,
    judge_assertion,
    read_claimed_client,
)
from kiosk_web.pki.client_keys import load_client_key
from kiosk_web.services.api.rate_limit import RateLimits
from kiosk_web.services.keys import encode_base64url
from kiosk_web.services.ports import Clock, Entropy, Store
from kiosk_web.services.ports.clients import ClientRecord, TokenRecord

TOKEN_LIFETIME = timedelta(minutes=5)
TOKEN_OCTETS = 32
KEPT_BEYOND = timedelta(seconds=30)
"""A used `jti` is remembered for a little longer than the assertion holds, for clocks of several hosts."""


@dataclass(frozen=True, repr=False)
class AccessToken:
    """Shown once; only its hash is stored."""

    value: str
    client: str
    lifetime: timedelta


@dataclass(frozen=True)
class TooMany:
    """The client has used up its requests; it may come again after so many seconds."""

    retry_after: int


class ClientAuthService:
    """`audience` is the address of the token endpoint, as clients write it into their assertions."""

    def __init__(self, *, store: Store, audience: str, limits: RateLimits, clock: Clock, entropy: Entropy) -> None:
        self._store = store
        self._audience = audience
        self._limits = limits
        self._clock = clock
        self._entropy = entropy

    async def issue_token(
        self, compact: str, client: str | None
    ) -> AccessToken | Unproven | RefusedAssertion | TooMany:
        """`client` is what the request says beside the assertion, if anything: it must be the same."""
        name = read_claimed_client(compact)
        if name is None or client not in (None, name):
            return Unproven()
        now = self._clock()
        async with self._store.read() as transaction:
            record = await transaction.clients.find(name)
            keys = [load_client_key(key.der) for key in await transaction.clients.list_keys(name, now)]
        assertion = judge_assertion(compact, name, keys, self._audience, now)
        if not isinstance(assertion, Assertion):
            return assertion
        if record is None:
            return Unproven()
        wait = self._limits.take(name, record.rate, now)
        if wait:
            return TooMany(wait)
        value = encode_base64url(self._entropy(TOKEN_OCTETS))
        token = TokenRecord(hash_token(value), name, assertion.key_id, now + TOKEN_LIFETIME)
        jti_sha256 = hashlib.sha256(assertion.jti.encode("utf-8", "surrogatepass")).digest()
        async with self._store.write() as transaction:
            if not await transaction.clients.use_assertion(name, jti_sha256, assertion.expires_at + KEPT_BEYOND):
                return RefusedAssertion("jti_used")
            await transaction.clients.add_token(token)
        return AccessToken(value, name, TOKEN_LIFETIME)

    async def find_client(self, token: str) -> ClientRecord | TooMany | None:
        """Whose token it is; one request of its rate is used. None for a token that does not hold."""
        now = self._clock()
        record = await self._store.glance().clients.find_by_token(hash_token(token), now)
        if record is None:
            return None
        wait = self._limits.take(record.name, record.rate, now)
        return TooMany(wait) if wait else record


def hash_token(value: str) -> bytes:
    """The only form in which a token is stored."""
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()
