"""A visit under way as both threads see it: secrets go in, and so does the reason to end, of which the first stays."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from bridge.card.pin import Secret
from bridge.card.transport import CardConnection
from bridge.errors import (
    BridgeError,
    CardCommunicationError,
    CardGone,
    CardMute,
    KeypadFailed,
    ReaderMissing,
)
from bridge.presence import CardInstance
from bridge.ticket import ChallengeTicket

EXPLAIN_SECONDS = 0.5  # how long a failed command waits for the monitor to say that the card went


class RunningVisit:
    """One visit as both threads see it. `end` may be called from any thread; the first reason stays."""

    def __init__(self, challenge: ChallengeTicket, instance: CardInstance | None) -> None:
        self.challenge = challenge
        self.instance = instance
        self._inbox: queue.SimpleQueue[Secret | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._error: BridgeError | None = None
        self._over = False

    def give(self, pin: Secret) -> None:
        """Hand over the PIN; a visit that is over wipes it."""
        with self._lock:
            if not self._over and self._error is None:
                self._inbox.put(pin)
                return
        pin.wipe()

    def end(self, error: BridgeError) -> None:
        """Before its next command, for the first reason that is given; later ones change nothing."""
        with self._lock:
            if self._error is None:
                self._error = error
                self._inbox.put(None)

    def check(self) -> None:
        """Raises the reason when the visit has to end."""
        if self._error is not None:
            raise self._error

    def wait(self, seconds: float) -> Secret | None:
        """The PIN, or None when `seconds` have passed. Raises the reason when the visit has to end."""
        self.check()
        try:
            pin = self._inbox.get(timeout=seconds)
        except queue.Empty:
            pin = None
        if self._error is not None:
            if pin is not None:
                pin.wipe()
            raise self._error
        return pin

    def finish(self) -> None:
        """Nothing is taken in any more, and what was not used is wiped."""
        with self._lock:
            self._over = True
        while True:
            try:
                pin = self._inbox.get_nowait()
            except queue.Empty:
                return
            if pin is not None:
                pin.wipe()


class GuardedTransport:
    """The wire to the card, which asks before each command whether the visit still goes on."""

    def __init__(self, connection: CardConnection, check: Callable[[], None]) -> None:
        self._connection = connection
        self._check: Callable[[], None] | None = check

    def transmit(self, command: bytes) -> tuple[bytes, int]:
        if self._check is not None:
            self._check()
        return self._connection.transmit(command)

    def release(self) -> None:
        """Let the closing command through, which a visit that was ended needs too."""
        self._check = None


def explain(visit: RunningVisit, error: BridgeError) -> BridgeError:
    """The reason behind a command that failed: the monitor may be about to say that the card was lifted or changed."""
    if isinstance(error, CardGone | CardMute | CardCommunicationError | KeypadFailed | ReaderMissing):
        try:
            pin = visit.wait(EXPLAIN_SECONDS)
        except BridgeError as reason:
            return reason
        if pin is not None:
            pin.wipe()
    return error
