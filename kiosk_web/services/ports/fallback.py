"""Openings of the fallback to revocation lists. Plain rows."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from kiosk_web.pki.fallback import OpeningRecord, RecordedCause


class FallbackRows(Protocol):
    """The openings by a manager and by the automatic rule; never deleted."""

    async def add(self, record: OpeningRecord) -> None: ...
    async def close(self, cause: RecordedCause, now: datetime) -> bool:
        """Close those not closed yet; True if there was one."""
        ...

    async def list_open_since(self, moment: datetime) -> tuple[OpeningRecord, ...]:
        """Those that hold now or have held after `moment`, oldest first."""
        ...

    async def list_latest(self, limit: int, cause: RecordedCause | None = None) -> tuple[OpeningRecord, ...]:
        """The newest first."""
        ...
