"""`python -m bridge.virtual` that writes down each exchange: when it began, how long the card took, which command.

Of a command only the header and the length are kept, so that no PIN is written.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from bridge.virtual import __main__ as program
from bridge.virtual import vpcd
from bridge.virtual.card import Exchange
from bridge.virtual.insertion import Insertion
from tests.bench.card_log import VARIABLE


class RecordedInsertion(Insertion):
    """The time of an exchange is the card's own: its waiting, its files, its RSA."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._log = Path(os.environ[VARIABLE]).open("a", encoding="utf-8", buffering=1)  # noqa: SIM115 - as long as the card lies there

    def transmit(self, command: bytes, still_there: Callable[[], bool]) -> Exchange:
        began = time.monotonic()
        exchange = super().transmit(command, still_there)
        seconds = time.monotonic() - began
        entry = {"began": began, "seconds": seconds, "header": command[:4].hex().upper(), "length": len(command)}
        self._log.write(json.dumps(entry) + "\n")
        return exchange


if __name__ == "__main__":
    with patch.object(vpcd, "Insertion", RecordedInsertion):  # the program under measurement, with a clock beside it
        sys.exit(program.main())
