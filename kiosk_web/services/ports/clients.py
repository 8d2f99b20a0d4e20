"""Clients of the API, their keys and tokens. Plain rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kiosk_web.pki.status_policy import PolicyName


@dataclass(frozen=True)
class ClientRecord:
    """A program of a municipality that may call the API. `name` is its client_id.

    `systems` are the cooperating systems it speaks for, `methods` how it may have certificates confirmed, `origins`
    the pages on which residents use it, `rate` the requests it may make in a minute, `terminals` the names of those at
    which it may ask for a reading, `link_systems` the systems whose links it may read and change,
    `redirect_uris` the addresses to which a browser may be sent back, sign by sign.
    """

    name: str
    systems: tuple[str, ...]
    methods: tuple[PolicyName, ...]
    origins: tuple[str, ...]
    rate: int
    created_at: datetime
    revoked_at: datetime | None = None
    terminals: tuple[str, ...] = ()
    link_systems: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClientKeyRecord:
    """One public key of a client. It holds until `ends_at`, or until it is replaced."""

    id: str
    client: str
    der: bytes
    created_at: datetime
    ends_at: datetime | None = None


@dataclass(frozen=True, repr=False)
class TokenRecord:
    """An access token, by its hash. It ends with the key that it was got with."""

    sha256: bytes
    client: str
    key_id: str
    expires_at: datetime


class ClientRows(Protocol):
    async def add(self, record: ClientRecord, key: ClientKeyRecord) -> None: ...
    async def find(self, name: str) -> ClientRecord | None: ...
    async def list_all(self) -> tuple[ClientRecord, ...]: ...
    async def revoke(self, name: str, now: datetime) -> None:
        """End the client and its tokens."""
        ...

    async def add_key(self, key: ClientKeyRecord, others_end_at: datetime) -> None:
        """A new key; the others end then, if not earlier."""
        ...

    async def list_keys(self, client: str, now: datetime) -> tuple[ClientKeyRecord, ...]:
        """Those that hold now, the newest first; none of a revoked client."""
        ...

    async def is_key_known(self, key_id: str) -> bool:
        """Whether any client has it or had it."""
        ...

    async def use_assertion(self, client: str, jti_sha256: bytes, expires_at: datetime) -> bool:
        """True for the first use of this `jti`."""
        ...

    async def add_token(self, record: TokenRecord) -> None: ...
    async def find_by_token(self, sha256: bytes, now: datetime) -> ClientRecord | None:
        """Whose token it is. None for an unknown or expired one, and when its client or key has ended."""
        ...

    async def forget_expired(self, now: datetime) -> None:
        """Delete assertions and tokens that nobody can use any more."""
        ...
