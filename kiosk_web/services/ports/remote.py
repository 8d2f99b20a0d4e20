"""Validations by API: challenges, answers that are kept, linked certificates. Plain rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol


class RemoteChallengeRecord(NamedTuple):
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

    def __repr__(self) -> str:
        return "RemoteChallengeRecord(…)"


class RemoteVisitRecord(NamedTuple):
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
    """The answer to a request with an Idempotency-Key, sealed. `status` 0: it is still being worked on."""

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

    async def drop_open_challenges(self) -> None:
        """Those that nobody has used."""
        ...

    async def add_visits(self, records: Iterable[RemoteVisitRecord]) -> None: ...
    async def find_linked(self, system: str, ppids: Collection[str]) -> Mapping[str, LinkedCertificate]:
        """The persons behind these PPIDs of this system; others are left out."""
        ...

    async def begin_reply(self, client: str, key: str, request_sha256: bytes, now: datetime, until: datetime) -> bool:
        """True if no answer under this key is kept or being worked on: it is now, until then."""
        ...

    async def find_reply(self, client: str, key: str) -> KeptReply | None: ...
    async def keep_reply(
        self, client: str, key: str, request_sha256: bytes, status: int, body: str, until: datetime
    ) -> None:
        """Nothing, where another request has this key by now. The same holds for `drop_reply`."""
        ...

    async def drop_reply(self, client: str, key: str, request_sha256: bytes) -> None: ...
    async def forget_expired(self, now: datetime) -> None:
        """Delete challenges and kept answers that are over."""
        ...
