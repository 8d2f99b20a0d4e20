"""What a recorded card wrote down: one line for each exchange (`recorded_card`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "BENCH_CARD_LOG"
"""In the environment of a card's process: the file that it writes to."""


@dataclass(frozen=True, slots=True)
class CardExchange:
    """One line. `began` is on the clock that all processes of a computer share."""

    began: float
    seconds: float
    header: str
    length: int

    @property
    def name(self) -> str:
        asks = "VERIFY" if self.length > 5 else "tries left"
        return {"A4": "SELECT", "B0": "READ", "20": asks, "2A": "SIGN"}.get(self.header[2:4], self.header)


class CardLog:
    """The file, read from where the last look ended."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0
        path.touch()

    def read_new(self) -> list[CardExchange]:
        """What the card was asked since the last look."""
        text = self.path.read_text(encoding="utf-8")
        new, self._read = text[self._read :], len(text)
        return [CardExchange(**json.loads(line)) for line in new.splitlines()]
