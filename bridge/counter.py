"""The number that each piece of evidence of this terminal carries; it only rises, also across restarts and crashes.

Numbers are reserved in blocks: the file always holds a number that was never given out, so a crash wastes numbers and
repeats none.
"""

from __future__ import annotations

import threading
from pathlib import Path

from bridge.errors import SettingsError
from bridge.state_file import replace_file
from bridge.strict_json import NotStrict, build_text, parse_object

FILE = "counter.json"
BLOCK = 1000
MAXIMUM = 2**53 - 1  # the largest whole number that a page can carry exactly


class EvidenceCounter:
    """`take` may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        """Raises `SettingsError` when the file is missing or broken: guessing a number could repeat one."""
        self._path = folder / FILE
        self._next = _load(self._path)
        self._reserved = self._next
        self._lock = threading.Lock()
        self._reserve()

    @staticmethod
    def issue(folder: Path) -> None:
        """Write the file of a new terminal."""
        _store(folder / FILE, 1)

    def take(self) -> int:
        """A number that no piece of evidence of this terminal has had."""
        with self._lock:
            if self._next >= self._reserved:
                self._reserve()
            number = self._next
            self._next += 1
            return number

    def _reserve(self) -> None:
        _store(self._path, self._next + BLOCK)
        self._reserved = self._next + BLOCK


def _load(path: Path) -> int:
    advice = "enrol this terminal again with: kiosk-bridge enrol --replace"
    try:
        value = parse_object(path.read_bytes(), limit=1024)
    except OSError as trouble:
        raise SettingsError(f"cannot read {path.name} ({trouble.strerror}); {advice}") from None
    except NotStrict as trouble:
        raise SettingsError(f"{path.name} is broken ({trouble}); {advice}") from None
    number = value.get("next")
    if value.keys() != {"v", "next"} or value["v"] != 1 or type(number) is not int or not 1 <= number < MAXIMUM - BLOCK:
        raise SettingsError(f"{path.name} is broken; {advice}")
    return number


def _store(path: Path, number: int) -> None:
    replace_file(path, build_text({"v": 1, "next": number}).encode())
