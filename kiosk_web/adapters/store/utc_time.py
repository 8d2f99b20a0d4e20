"""The type of every column that is a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, TypeDecorator

_TEXT = "%04d-%02d-%02d %02d:%02d:%02d.%06d"


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept as naive UTC because SQLite has no zones. A naive time is refused (`ValueError`).

    SQLite keeps it as text; written and read here in one step, which takes a fifth of the time of SQLAlchemy's two.
    """

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return _require_utc(value).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        return _write_time if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        return _read_time if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _require_utc(value: datetime) -> datetime:
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        raise ValueError("naive time")
    return value.astimezone(UTC)


def _write_time(value: datetime | None) -> str | None:
    """`2026-11-26 03:21:50.123456`, as SQLAlchemy writes it. `isoformat` takes twice as long."""
    if value is None:
        return None
    utc = _require_utc(value)
    return _TEXT % (utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second, utc.microsecond)


def _read_time(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value + "+00:00")
