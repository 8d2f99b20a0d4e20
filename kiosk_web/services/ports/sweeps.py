"""Sweeps over linked people. Plain rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class SweepRecord:
    """One sweep: when, how far (`reached` is the last person; empty before and after), and how many. No person."""

    began_at: datetime
    ended_at: datetime | None = None
    reached: str = ""
    persons: int = 0
    marked: int = 0
    unconfirmed: int = 0
    id: int = 0


class SweepRows(Protocol):
    async def find_latest(self) -> SweepRecord | None: ...
    async def add(self, record: SweepRecord) -> int:
        """The number under which `save` finds it."""
        ...

    async def save(self, record: SweepRecord) -> None: ...
