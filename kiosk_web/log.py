"""The log: one JSON line an event on standard error. What could be a secret or a person's datum does not pass."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog

ALLOWED_KEYS = frozenset(
    {"event", "level", "timestamp", "terminal", "state", "code", "address", "error", "where", "count", "reason", "path"}
    | {"request", "client", "system", "attempts", "seconds", "trouble", "why"}
)
_LONG_TOKEN = re.compile(r"[A-Za-z0-9_+=-]{33,}|[0-9]{8,}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
MAXIMUM_VALUE = 300


def redact(logger: object, method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Only known keys, only short text; long tokens and digit strings are masked."""
    for key in list(entry):
        if key not in ALLOWED_KEYS:
            entry[key] = "(left out)"
        elif key not in ("timestamp", "level") and not isinstance(entry[key], bool | int):
            entry[key] = _clean(str(entry[key]))
    return entry


def _clean(text: str) -> str:
    return _LONG_TOKEN.sub("…", _CONTROL.sub("�", text))[:MAXIMUM_VALUE]


def configure_log(stream: TextIO | None = None) -> None:
    """Send the program's own log and that of the libraries (warnings and errors, without their messages) to one
    stream.
    """
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            structlog.processors.JSONRenderer(sort_keys=True, ensure_ascii=False),
        ],
        logger_factory=structlog.WriteLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_LibraryHandler(level=logging.WARNING)]
    root.setLevel(logging.WARNING)


class _LibraryHandler(logging.Handler):
    """A library's message may quote what it was given, so only where it came from is told."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        where = describe_place(error.__traceback__) if error is not None else f"{record.name}:{record.lineno}"
        name = type(error).__name__ if error is not None else record.levelname.lower()
        structlog.get_logger().warning("library", error=name, where=where)


def describe_place(trace: TracebackType | None) -> str:
    """The innermost places of an exception: module file and line, no values."""
    frames = traceback.extract_tb(trace)[-3:]
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))
