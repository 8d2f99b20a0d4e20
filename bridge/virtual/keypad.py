"""The keys of the virtual reader: `keypad.json` (`docs/card-profile.md`), and how it reads PIN_VERIFY_STRUCTURE
(PC/SC part 10).
"""

from __future__ import annotations

import logging
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bridge.virtual.profile import ProfileMalformed, load_object, parse_keys

FILE: Final = "keypad.json"
TIMED_OUT: Final = 0x6400
CANCELLED: Final = 0x6401
WRONG_LENGTH: Final = 0x6403
STRUCTURE_REFUSED: Final = 0x6B80

_log = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 0.02
_HEAD: Final = struct.Struct("<BBBBBBBBBHB3sI")
_ASCII_IN_BYTES: Final = 0x82
_LENGTH_BYTE: Final = 4
_WORDS: Final = {"timeout": TIMED_OUT, "cancel": CANCELLED, "refuse": STRUCTURE_REFUSED}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader is to do: how long to wait, how many digits to take, and the command they go into."""

    seconds: int
    minimum: int
    maximum: int
    command: bytes

    def build_command(self, digits: str) -> bytes:
        """The command with the digits in its data."""
        return self.command[: _LENGTH_BYTE + 1] + digits.encode("ascii")


def parse_verify_structure(raw: bytes) -> Asked | None:
    """None for what this reader cannot do: it knows one form alone, ASCII digits that are the whole data."""
    if len(raw) < _HEAD.size + _LENGTH_BYTE + 1:
        return None
    seconds, more, form, block, length_form, most, fewest, _until, _messages, _language, _index, _prologue, size = (
        _HEAD.unpack_from(raw)
    )
    command = raw[_HEAD.size :]
    fits = size == len(command) and command[_LENGTH_BYTE] == len(command) - _LENGTH_BYTE - 1 == block == most
    if not fits or form != _ASCII_IN_BYTES or length_form or not 1 <= fewest <= most:
        return None
    return Asked(seconds + more, fewest, most, command)


class VirtualKeys:
    """The keys; there are none as long as there is no file. What was pressed is taken once, also before it was asked
    for.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._pause = threading.Event()  # never set
        self._taken = self._load()[0]

    @property
    def there(self) -> bool:
        return self._file.is_file()

    def take(self, seconds: float, look: Callable[[], None]) -> str | int:
        """Wait for digits and the key that confirms them: the digits, or the status word of a reader that got none.
        `look` is called while nothing comes and raises when the card was lifted.
        """
        deadline = time.monotonic() + seconds
        while True:
            serial, keys = self._load()
            if serial > self._taken and keys:
                self._taken = serial
                return _WORDS.get(keys, keys)
            look()
            if time.monotonic() >= deadline:
                return TIMED_OUT
            self._pause.wait(_LOOK_SECONDS)

    def _load(self) -> tuple[int, str]:
        if not self.there:
            return 0, ""
        try:
            return parse_keys(load_object(self._file))
        except ProfileMalformed as trouble:
            _log.warning("virtual keypad: %s", trouble)
            return 0, ""
