"""One thread that waits for the readers to change and tells the event loop. It never touches a card."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from bridge.card.transport import ReaderSource, ReadersSnapshot

WAIT_SECONDS = 60.0
RETRY_SECONDS = 1.0

_log = structlog.get_logger("bridge.monitor")


class ReaderMonitor:
    """`publish` is called on the monitor's thread with each snapshot that differs from the one before; the first
    comes at once.
    """

    def __init__(self, source: ReaderSource, publish: Callable[[ReadersSnapshot], None]) -> None:
        self._source = source
        self._publish = publish
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reader-monitor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_seconds: float) -> bool:
        """Close the source, which ends the wait; False when the thread hangs in the driver."""
        self._stopping.set()
        self._source.close()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        previous: ReadersSnapshot | None = None
        while not self._stopping.is_set():
            try:
                snapshot = self._source.wait_for_change(previous, WAIT_SECONDS)
            except Exception:
                # the source promises not to raise; a terminal that stops looking at its reader would be worse than a
                # line in the log
                _log.exception("reader_watch_failed")
                self._stopping.wait(RETRY_SECONDS)
                previous = None
                continue
            if snapshot != previous and not self._stopping.is_set():
                previous = snapshot
                self._publish(snapshot)
