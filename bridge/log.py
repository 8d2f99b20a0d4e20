"""Logs: one JSON object a line on standard error, with stable event names and nothing that is personal or secret.

The code never hands a secret to a log. The redaction here is the second net: it masks values under telling keys,
bytes of any kind, and any text that looks like a command carrying a PIN (ISO/IEC 7816-4 INS 20, 24 and 2C: VERIFY,
CHANGE REFERENCE DATA, RESET RETRY COUNTER).
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

MASK = "[redacted]"
SECRET_KEYS = frozenset(
    {"pin", "iv", "data", "apdu", "command", "code", "secret", "key", "ticket", "certificate", "signature", "cookie"}
)
_FAILURE_CODE = re.compile(r"[a-z_]{1,40}")
_PIN_COMMAND = re.compile(r"(?i)(?<![0-9a-f])[0-9a-f]0[\s:,]*(?:20|24|2c)(?:[\s:,]*[0-9a-f]{2}){2,}")
_PIN_LIST = re.compile(r"\[\s*\d{1,3}\s*,\s*(?:32|36|44)\s*,[\s\d,]*\]")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

Event = MutableMapping[str, Any]


def redact(_logger: object, _method: str, event: Event) -> Event:
    """The structlog processor that masks what must not be written."""
    for key, value in event.items():
        event[key] = _masked(key, value)
    return event


def _masked(key: str, value: object) -> object:
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if key in SECRET_KEYS and not (key == "code" and isinstance(value, str) and _FAILURE_CODE.fullmatch(value)):
        return MASK
    if isinstance(value, str):
        value = _PIN_LIST.sub(MASK, _PIN_COMMAND.sub(MASK, value))
        return "".join(sign if sign.isprintable() or sign == "\n" else f"\\x{ord(sign):02x}" for sign in value)
    if isinstance(value, dict):
        return {str(name): _masked(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked("", inner) for inner in value]
    if isinstance(value, int | float | None):
        return value
    return f"[{type(value).__name__}]"


def configure_log(level: str = "info") -> None:
    """Set structlog up for this process, and send what libraries log through the same net. `level` is a lower-case
    name.
    """
    threshold = _LEVELS[level]
    processors: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
        structlog.processors.JSONRenderer(ensure_ascii=True),
    ]
    structlog.configure(
        processors=[structlog.stdlib.add_logger_name, *processors],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=_StderrLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[_drop_record, *processors]))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    # what the socket library has to say about a peer is for a debugger: its lines can quote the peer
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(max(threshold, logging.WARNING))


class _StderrLogger:
    """Writes each line to the standard error of this moment."""

    def __init__(self, name: str) -> None:
        self.name = name

    def msg(self, line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    debug = info = warning = error = critical = exception = msg


class _StderrLoggerFactory:
    def __call__(self, *arguments: Any) -> _StderrLogger:
        return _StderrLogger(str(arguments[0]) if arguments else "bridge")


def _drop_record(_logger: object, _method: str, event: Event) -> Event:
    record = event.pop("_record", None)
    event.pop("_from_structlog", None)
    if record is not None:
        event["logger"] = record.name
    return event


class SampledCount:
    """Counts by name and lets one line through per interval, so that a flood cannot fill a disk. `now` is any rising
    clock in seconds.
    """

    def __init__(self, interval_seconds: float = 10.0) -> None:
        self._interval = interval_seconds
        self._counts: dict[str, int] = {}
        self._next: float | None = None

    def count(self, name: str, now: float) -> dict[str, int] | None:
        """The counts since the last line when it is time for one, else None."""
        self._counts[name] = self._counts.get(name, 0) + 1
        if self._next is not None and now < self._next:
            return None
        self._next = now + self._interval
        counts, self._counts = self._counts, {}
        return counts
