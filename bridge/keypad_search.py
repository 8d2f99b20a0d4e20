"""The reader's own keypad as the card worker uses it: looked for on each connection, and known to be waiting."""

from __future__ import annotations

import threading

import structlog

from bridge.card.reader_keypad import Keypad
from bridge.card.transport import CardConnection

_log = structlog.get_logger("bridge.keypad")


class KeypadSearch:
    """`waiting` may be read from any thread."""

    def __init__(self) -> None:
        self._waiting = threading.Event()
        self._missed = ""

    @property
    def waiting(self) -> bool:
        """The reader takes keys now. Nothing but the reader ends that, and until then no other command is possible."""
        return self._waiting.is_set()

    def find(self, connection: CardConnection) -> Keypad | None:
        """The keypad of this reader. Without one the log says so, once for each reader, and the screen has the keys."""
        keypad = connection.find_keypad()
        if keypad is None:
            if connection.reader_name != self._missed:
                self._missed = connection.reader_name
                _log.warning("reader_keypad_missing")
            return None
        self._missed = ""
        return _WatchedKeypad(keypad, self._waiting)


class _WatchedKeypad:
    """See `Keypad`."""

    def __init__(self, keypad: Keypad, waiting: threading.Event) -> None:
        self._keypad = keypad
        self._waiting = waiting

    def verify(self, structure: bytes) -> int:
        self._waiting.set()
        try:
            return self._keypad.verify(structure)
        finally:
            self._waiting.clear()
