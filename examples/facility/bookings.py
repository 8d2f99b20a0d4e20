"""Users of an invented booking system. It keeps PPID ↔ its own user number; there is no name in it."""

from __future__ import annotations

import re
import threading

_PPID = re.compile(r"[0-9A-Z]{8,64}")
_FIRST_NUMBER = 30410001


class Users:
    """Kept in memory: a restart forgets everybody."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}

    def find(self, ppid: str) -> int | None:
        """The user number of a PPID."""
        with self._lock:
            return self._numbers.get(ppid)

    def register(self, ppid: str) -> int:
        """The user number of a PPID, a new one for one that is new. Raises `ValueError` for what is no PPID."""
        if not _PPID.fullmatch(ppid):
            raise ValueError("not a PPID")
        with self._lock:
            return self._numbers.setdefault(ppid, _FIRST_NUMBER + len(self._numbers))

    def count(self) -> int:
        """How many are registered."""
        with self._lock:
            return len(self._numbers)
