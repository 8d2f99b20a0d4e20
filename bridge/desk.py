"""What lies on the reader and what kind of card it is, as the page is told. Lives on the event loop; never blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import structlog

from bridge.card.transport import ReadersSnapshot, ReaderState
from bridge.messages import Reader
from bridge.presence import NOTHING, Answered, CardInstance, Inserted, Presence, Swapped, judge_presence
from bridge.worker import Recognised

BUSY_RETRY_SECONDS = 1.0
VIRTUAL_READERS = ("Virtual PCD",)  # the reader names of vsmartcard's driver

_log = structlog.get_logger("bridge.desk")


class Recogniser(Protocol):
    """The part of the card worker that the desk uses."""

    def set_current(self, instance: CardInstance | None) -> None: ...

    def recognise(self, instance: CardInstance) -> None: ...


class CardDesk:
    """Takes snapshots and recognitions in, gives `Reader` messages out through `show` when they change."""

    def __init__(
        self,
        recogniser: Recogniser,
        *,
        show: Callable[[Reader], None],
        later: Callable[[float, Callable[[], None]], object],
        entropy: Callable[[int], bytes],
        production: bool,
    ) -> None:
        """`later(seconds, call)` runs `call` on the loop; `entropy(n)` gives n random bytes."""
        self._recogniser = recogniser
        self._show = show
        self._later = later
        self._entropy = entropy
        self._refused_readers = VIRTUAL_READERS if production else ()
        self._presence: Presence = NOTHING
        self.reader = Reader(ReaderState.MISSING.value, "none", "")

    def observe(self, snapshot: ReadersSnapshot) -> None:
        """One snapshot of the monitor."""
        self._presence, events = judge_presence(
            self._presence, snapshot, self._entropy(16), refused_readers=self._refused_readers
        )
        presence = self._presence
        self._recogniser.set_current(presence.instance)
        for event in events:
            _log.info("presence_changed", change=type(event).__name__)
            if isinstance(event, Inserted | Swapped | Answered) and not presence.mute:
                self._recogniser.recognise(event.instance)
        if presence.instance is None:
            self._tell(Reader(presence.state.value, "none", ""))
        elif presence.mute:
            self._tell(Reader(presence.state.value, "mute", presence.instance.id))
        # a card that answers is shown when it is recognised, a few milliseconds from now

    def recognised(self, report: Recognised) -> None:
        """One answer of the worker; an answer about a card that is no longer there is dropped."""
        instance = self._presence.instance
        if instance is None or instance.id != report.instance or self._presence.mute:
            return
        self._tell(Reader(report.reader, report.card, instance.id))
        if report.reader == "busy":
            self._later(BUSY_RETRY_SECONDS, lambda: self._recognise_again(instance))

    def worker_hangs(self) -> None:
        """The worker does not answer: the reader counts as busy until it has recognised this card anew."""
        instance = self._presence.instance
        if instance is not None:
            self._tell(Reader("busy", "unknown", instance.id))
            self._recogniser.recognise(instance)

    def _recognise_again(self, instance: CardInstance) -> None:
        if self._presence.instance == instance and not self._presence.mute:
            self._recogniser.recognise(instance)

    def _tell(self, reader: Reader) -> None:
        if reader != self.reader:
            self.reader = reader
            _log.info("reader_changed", reader=reader.reader, card=reader.card)
            self._show(reader)
