"""The bridge with a clock at its reader source, which writes down when a change reached it: `STATE PORT_FILE LOG`.

Two moments are kept of each change: when the blocking SCardGetStatusChange gave it back, and when `wait_for_change`
did, after it had asked what holds now.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any, TextIO

from smartcard import scard

from bridge.card.pcsc import PcscSource
from bridge.card.transport import CardConnection, ReadersSnapshot
from bridge.counter import EvidenceCounter
from bridge.log import configure_log
from bridge.service import BridgeService
from bridge.terminal import load_terminal


class Wakings:
    """The last moment at which a wait for the readers ended; asking without waiting does not count."""

    def __init__(self) -> None:
        self.last = 0.0
        self._ask = scard.SCardGetStatusChange

    def get_status_change(self, context: Any, milliseconds: int, states: Any) -> Any:
        answer = self._ask(context, milliseconds, states)
        if milliseconds:
            self.last = time.monotonic()
        return answer


class TimedSource:
    """See `ReaderSource`."""

    def __init__(self, source: PcscSource, wakings: Wakings, log: TextIO) -> None:
        self._source = source
        self._wakings = wakings
        self._log = log

    @property
    def virtual(self) -> bool:
        return self._source.virtual

    def wait_for_change(self, previous: ReadersSnapshot | None, timeout_seconds: float) -> ReadersSnapshot:
        snapshot = self._source.wait_for_change(previous, timeout_seconds)
        returned = time.monotonic()
        if snapshot != previous:
            card = any(reader.card_present for reader in snapshot.readers)
            self._log.write(json.dumps({"woken": self._wakings.last, "returned": returned, "card": card}) + "\n")
        return snapshot

    def connect(self, reader_name: str) -> CardConnection:
        return self._source.connect(reader_name)

    def close(self) -> None:
        self._source.close()


async def run(state: Path, port_file: Path, log: TextIO) -> None:
    """Until SIGTERM."""
    configure_log("warning")
    wakings = Wakings()
    scard.SCardGetStatusChange = wakings.get_status_change
    source = TimedSource(PcscSource(), wakings, log)
    service = BridgeService(load_terminal(state), source, EvidenceCounter(state), production=False)
    port = await service.start(0)
    fresh = port_file.with_suffix(".new")
    fresh.write_text(f"{port}\n")
    fresh.replace(port_file)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    await service.stop()


if __name__ == "__main__":
    with Path(sys.argv[3]).open("a", encoding="utf-8", buffering=1) as opened:
        asyncio.run(run(Path(sys.argv[1]), Path(sys.argv[2]), opened))
