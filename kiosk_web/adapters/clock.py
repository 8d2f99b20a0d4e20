"""The time of this computer. Everything else gets a clock, or `now`, handed in."""

from __future__ import annotations

from datetime import UTC, datetime


def read_clock() -> datetime:
    """Now, aware."""
    return datetime.now(UTC)
