"""What the API asks of the database: its clients, their keys, assertions and tokens; challenges to cards elsewhere;
answers that are given again. Rows are plain values.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
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


@dataclass(frozen=True, repr=False)
class RemoteChallengeRecord:
    """What a card at a reader of the client's own was asked to sign; the bytes are rebuilt from this alone."""

    id: str
    client: str
    system: str
    origin: str
    purpose: str
    nonce: bytes
    reference: str
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class RemoteVisitRecord:
    """One validation by the API, without personal data, as `AuditRecord` is for a visit at a terminal."""

    reference: str
    client: str
    system: str
    outcome: str
    code: str
    status_outcome: str
    status_method: str
    fallback: str
    this_update: datetime | None
    next_update: datetime | None
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, repr=False)
class KeptReply:
    """The answer to a request with an Idempotency-Key. `status` 0: it is still being worked on."""

    request_sha256: bytes
    status: int
    body: str


@dataclass(frozen=True, repr=False)
class LinkedCertificate:
    """The newest certificate known of a person."""

    issuer_key_id: bytes
    serial: int


class RemoteRows(Protocol):
    async def add_challenge(self, record: RemoteChallengeRecord) -> None: ...
    async def consume_challenge(self, challenge: str, client: str, now: datetime) -> RemoteChallengeRecord | None:
        """One UPDATE … RETURNING: the challenge for the one caller who was first and in time, None for all others."""
        ...

    async def add_visit(self, record: RemoteVisitRecord) -> None: ...
    async def find_linked(self, system: str, ppids: Collection[str]) -> Mapping[str, LinkedCertificate]:
        """The persons behind these PPIDs of this system; others are left out."""
        ...

    async def begin_reply(self, client: str, key: str, request_sha256: bytes, now: datetime, until: datetime) -> bool:
        """True if no answer under this key is kept or being worked on: it is now, until then."""
        ...

    async def find_reply(self, client: str, key: str) -> KeptReply | None: ...
    async def keep_reply(self, client: str, key: str, status: int, body: str, until: datetime) -> None: ...
    async def drop_reply(self, client: str, key: str) -> None: ...
    async def forget_expired(self, now: datetime) -> None:
        """Delete challenges and kept answers that are over."""
        ...
