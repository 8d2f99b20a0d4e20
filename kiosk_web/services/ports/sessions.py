"""Sessions of terminals, what their cards were asked to sign, and work that is under way. Plain rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol


@dataclass(frozen=True, repr=False)
class ChallengeRecord:
    """What the server asked a card to sign, exactly; the bytes are rebuilt from this alone."""

    id: str
    ticket: str
    terminal: str
    origin: str
    session: str
    service: str
    purpose: str
    method: Literal["pin", "kazashi"]
    nonce: bytes
    consent: bytes
    lease: str
    card: str
    reference: str
    issued_at: datetime
    expires_at: datetime
    consumed_at: datetime | None = None


@dataclass(frozen=True)
class SessionRecord:
    """The session of one terminal. `version` only rises; a write names the version it read."""

    terminal: str
    version: int
    state: str
    page: str
    since: datetime


@dataclass(frozen=True)
class OutboxRecord:
    id: int
    terminal: str
    challenge: str


class SessionRows(Protocol):
    async def load(self, terminal: str) -> SessionRecord | None: ...
    async def save(
        self, record: SessionRecord, name: str, wake_at: datetime | None, expected_version: int | None
    ) -> bool:
        """Write the next version; False if another writer was first (`expected_version` None: no row may exist)."""
        ...

    async def list_due(self, now: datetime) -> tuple[str, ...]: ...
    async def list_waiting(self) -> tuple[str, ...]:
        """The terminals whose state has a deadline, passed or not."""
        ...

    async def load_newest_time(self) -> datetime | None:
        """The latest moment at which a visit went on, a card was asked or a lease was opened; None for none."""
        ...

    async def set_back_ends(self, jump: timedelta, now: datetime) -> None:
        """The clock was set back by so much, to `now`: whatever is kept or holds until a time of day, beside visits,
        leases and challenges, does so until as much earlier. `load_newest_time` is `now` at the latest then.
        """
        ...

    async def list_all(self) -> tuple[SessionRecord, ...]: ...
    async def add_challenge(self, record: ChallengeRecord) -> None: ...
    async def find_challenge(self, challenge: str) -> ChallengeRecord | None: ...
    async def consume_challenge(self, challenge: str, terminal: str, now: datetime) -> ChallengeRecord | None:
        """One UPDATE … RETURNING: the challenge for the one caller who was first and in time, None for all others."""
        ...

    async def is_reference_used(self, reference: str) -> bool: ...
    async def add_work(self, terminal: str, challenge: str, now: datetime) -> None: ...
    async def finish_work(self, terminal: str, challenge: str, now: datetime) -> None: ...
    async def list_unfinished_work(self) -> tuple[OutboxRecord, ...]: ...
    async def forget_old(self, before: datetime) -> None:
        """Delete hello tickets, challenges, superseded pages and finished work older than this."""
        ...
