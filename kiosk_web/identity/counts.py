"""How often certificates were confirmed, by cooperating system, month and method. PURE; no person is in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

JAPAN = timezone(timedelta(hours=9))
MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Validation:
    """One confirmation that was recorded. `method`: `ocsp` or `crl`; `way`: `terminal` or `api`."""

    system: str
    method: str
    way: str
    at: datetime


@dataclass(frozen=True, order=True)
class MonthlyCount:
    """Months are those of Japan, as `YYYY-MM`."""

    month: str
    system: str
    way: str
    method: str
    count: int


def derive_month(moment: datetime) -> str:
    """The month of Japan in which this was, as `2026-11`."""
    return f"{moment.astimezone(JAPAN):%Y-%m}"


def count_months(validations: Iterable[Validation], month: str | None = None) -> tuple[MonthlyCount, ...]:
    """In order of month, system, way and method; of one month, or of all."""
    counts = Counter((derive_month(one.at), one.system, one.way, one.method) for one in validations)
    return tuple(sorted(MonthlyCount(*key, count) for key, count in counts.items() if month is None or key[0] == month))
