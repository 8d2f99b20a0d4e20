"""The time of this computer. Everything else gets a clock, or `now`, handed in."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def read_clock() -> datetime:
    """Now, aware."""
    return datetime.now(UTC)


def read_steady_seconds() -> float:
    """Seconds since some moment; nobody can set this clock."""
    return time.monotonic()
