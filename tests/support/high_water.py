"""High-water marks in memory: what the database keeps in production."""

from __future__ import annotations

from datetime import datetime

from kiosk_web.pki.status import HighWaterMark, merge_marks


class MemoryHighWaterMarks:
    """Implements `services.status.validation.HighWaterMarks`."""

    def __init__(self) -> None:
        self.marks: dict[bytes, HighWaterMark] = {}

    async def load(self, key: bytes) -> HighWaterMark | None:
        return self.marks.get(key)

    async def record(self, key: bytes, mark: HighWaterMark) -> HighWaterMark:
        stored = self.marks.get(key)
        self.marks[key] = mark if stored is None else merge_marks(stored, mark)
        return self.marks[key]

    async def load_newest_time(self) -> datetime | None:
        return max((mark.this_update for mark in self.marks.values()), default=None)
