"""A row of measured times and what is said of it. PURE."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence


class Samples:
    """Times in seconds, or ratios. Raises ValueError for none at all."""

    def __init__(self, values: Sequence[float]) -> None:
        if not values:
            raise ValueError("nothing was measured")
        self._sorted = sorted(values)

    def __len__(self) -> int:
        return len(self._sorted)

    @property
    def values(self) -> list[float]:
        """All of them, the least first."""
        return list(self._sorted)

    @property
    def median(self) -> float:
        return statistics.median(self._sorted)

    @property
    def p95(self) -> float:
        """By nearest rank: a value that was seen, with at most 5 % above it."""
        return self._sorted[math.ceil(0.95 * len(self._sorted)) - 1]

    @property
    def longest(self) -> float:
        return self._sorted[-1]

    def describe_times(self) -> str:
        return (
            f"median {show_milliseconds(self.median)}, p95 {show_milliseconds(self.p95)}, "
            f"longest {show_milliseconds(self.longest)}, {len(self)} times"
        )

    def describe_ratios(self) -> str:
        return f"median {self.median:.2f}, p95 {self.p95:.2f}, {len(self)} times"


def show_milliseconds(seconds: float) -> str:
    milliseconds = seconds * 1000
    return f"{milliseconds:.2f} ms" if milliseconds < 10 else f"{milliseconds:.1f} ms"


def show_microseconds(seconds: float) -> str:
    microseconds = seconds * 1_000_000
    return f"{microseconds:.2f} µs" if microseconds < 10 else f"{microseconds:.0f} µs"


def show_seconds(seconds: float) -> str:
    """In the unit that suits it."""
    return show_milliseconds(seconds) if seconds < 1 else f"{seconds:.2f} s"
