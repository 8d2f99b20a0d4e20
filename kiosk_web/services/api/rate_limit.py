"""How many requests a client may make: one bucket each, in the memory of this process. Time comes in as an argument."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime


@dataclass
class _Bucket:
    left: float
    at: datetime


class RateLimits:
    """`rate` requests a minute in the long run, and as many at once after a quiet minute."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}  # by registered client: strangers have none

    def take(self, client: str, rate: int, now: datetime) -> int:
        """0 if the request may go on; else in how many whole seconds the next one may."""
        bucket = self._buckets.setdefault(client, _Bucket(rate, now))
        passed = max((now - bucket.at).total_seconds(), 0.0)
        bucket.left, bucket.at = min(bucket.left + passed * rate / 60, float(rate)), now
        if bucket.left < 1:
            return max(1, math.ceil((1 - bucket.left) * 60 / rate))
        bucket.left -= 1
        return 0
