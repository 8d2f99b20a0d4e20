"""What a municipal system does to a terminal. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kiosk_web.session.facts import (
    AskedReading,
)


@dataclass(frozen=True)
class ReadingRequested:
    """A municipal system asks for a reading here, of a service of its own, until then."""

    reading: AskedReading
    service: str
    until: datetime


@dataclass(frozen=True)
class ReadingCancelled:
    """The system takes its request back, its time is over, or its client was revoked. `reading` is the id."""

    reading: str
    code: Literal["reading_withdrawn", "reading_expired", "reading_client_revoked"]
