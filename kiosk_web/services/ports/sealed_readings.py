"""What the way of the basic 4 information asks of the database: ciphertext, and how far it got. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, repr=False)
class SealedReading:
    """One reading for one system. `jwe` is "" once it was handed over or its life has ended.

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


class SealedReadingRows(Protocol):
    async def add(self, record: SealedReading) -> None: ...
    async def find(self, reading: str) -> SealedReading | None: ...
    async def take(self, system: str, reference: str, now: datetime) -> SealedReading | None:
        """The reading with its ciphertext, which is gone from here on; None for one that is unknown, of another
        system, taken before or past its life.
        """
        ...

    async def forget(self, system: str, reference: str) -> None:
        """Nobody may have it any more: the ciphertext is gone, and was handed over to nobody."""
        ...

    async def list_due(self, now: datetime) -> tuple[SealedReading, ...]:
        """Those whose webhook is due and whose life has not ended, the oldest first; a few at a time."""
        ...

    async def finish(self, reading: str, now: datetime, attempts: int) -> None:
        """The receiver has it: the ciphertext is gone from here on."""
        ...

    async def retry(self, reading: str, attempts: int, next_attempt_at: datetime) -> None: ...
    async def has_expired(self, now: datetime, keep_after: datetime) -> bool:
        """Would `forget_expired` change anything?"""
        ...

    async def forget_expired(self, now: datetime, keep_after: datetime) -> None:
        """Delete every ciphertext past its life, and rows that ended before `keep_after`."""
        ...
