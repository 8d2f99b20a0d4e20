"""What the way of the basic 4 information asks of the database: ciphertext, and how far it got. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, repr=False)
class SealedReading:
    """One reading for one system. `jwe` is "" once it was handed over or its life has ended.

    `taken_by`: the client that picks it up, since `taken_at`, and says with `receipt` that it arrived (`delivered_at`).
    `attempts` and `next_attempt_at` are those of the signed webhook; None where the system picks it up.
    """

    id: str
    reference: str
    system: str
    jwe: str
    created_at: datetime
    expires_at: datetime
    delivered_at: datetime | None = None
    attempts: int = 0
    next_attempt_at: datetime | None = None
    taken_by: str | None = None
    taken_at: datetime | None = None
    receipt: str | None = None


class SealedReadingRows(Protocol):
    async def add(self, record: SealedReading) -> None: ...
    async def find(self, reading: str) -> SealedReading | None: ...
    async def find_waiting(self, system: str, reference: str, now: datetime) -> SealedReading | None:
        """The reading whose ciphertext is there, within its life; whether it was taken or not."""
        ...

    async def note_taken(self, reading: str, client: str, receipt: str, now: datetime, until: datetime) -> None:
        """A client is given it for the first time. A webhook waits until then: the client may say that it arrived."""
        ...

    async def find_by_receipt(self, receipt: str, client: str) -> SealedReading | None: ...
    async def forget(self, system: str, reference: str, client: str) -> None:
        """The client does not want it, unless another one has it: the ciphertext is gone, handed over to nobody."""
        ...

    async def list_due(self, system: str, now: datetime) -> tuple[SealedReading, ...]:
        """Those of a system whose webhook is due and whose life has not ended, the oldest first; a few at a time."""
        ...

    async def finish(self, reading: str, now: datetime, attempts: int) -> None:
        """The receiver has it: the ciphertext is gone from here on."""
        ...

    async def retry(self, reading: str, attempts: int, next_attempt_at: datetime) -> None: ...
    async def has_expired(self, now: datetime, keep_after: datetime, taken_before: datetime) -> bool:
        """Would `forget_expired` change anything?"""
        ...

    async def forget_expired(self, now: datetime, keep_after: datetime, taken_before: datetime) -> None:
        """Delete every ciphertext past its life, or taken by then and not waiting for a webhook, and rows that ended
        before `keep_after`.
        """
        ...
