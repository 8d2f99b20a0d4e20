"""Real readers through PC/SC: the only place that knows pyscard, and of it only the lowest calls.

Rules that the design rests on (PC/SC part 5; the pcsc-lite manual of each call): every thread has a context of its own
and shares only `SCardCancel`; each call returns a code and raises nothing; after the service ended, contexts and
handles are dead. Differences are found by comparing what holds now with what held before, never from a "changed" flag,
so that nothing that happened while the service was away is missed.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from typing import Any, Final

from bridge.card.pcsc_codes import Code, State
from bridge.card.pcsc_connection import PcscConnection
from bridge.card.transport import CardConnection, ReaderSnapshot, ReadersSnapshot, ReaderState
from bridge.errors import SettingsError

_PNP: Final = r"\\?PnP?\Notification"
_FIRST_PAUSE_SECONDS: Final = 0.1
# A restarted service must be usable within a second, however long it was away; asking costs a fifth of a millisecond.
_LONGEST_PAUSE_SECONDS: Final = 0.8
# pcsc-lite before 2.3 can miss a reader that is plugged in between two waits: look again now and then.
_LONGEST_WAIT_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.5
_CANCEL_SECONDS: Final = 0.05
_CANCEL_ATTEMPTS: Final = 40

_UNAWARE: Final = 0
_ATTEMPTS: Final = 3

_States = list[tuple[str, int]]


def load_scard() -> Any:
    """The module `smartcard.scard`, which has no types. Raises `SettingsError` when pyscard is not installed."""
    try:
        from smartcard import scard
    except ImportError:
        raise SettingsError(
            "real card readers need pyscard: install this program with its extra `pcsc`, or use a virtual reader"
        ) from None
    return scard


class PcscSource:
    """See `ReaderSource`. `wait_for_change` belongs to one thread, `connect` to another; `close` to any."""

    def __init__(self) -> None:
        """Raises `SettingsError` without pyscard. Needs no running service."""
        self._scard = load_scard()
        self._lock = threading.Lock()
        self._context: Any = None  # written under the lock by the waiting thread; `close` reads it
        self._closed = threading.Event()
        self._waiting = threading.Lock()
        self._generation = 0
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        self._retry_at = 0.0
        self._state = ReaderState.SERVICE_DOWN
        self._confirmed = False
        self._states: _States = []
        self._notifies_readers = sys.platform != "darwin"

    @property
    def virtual(self) -> bool:
        return False

    @property
    def generation(self) -> int:
        """Rises each time the service was found again; a connection of an older generation is dead."""
        return self._generation

    def wait_for_change(self, previous: ReadersSnapshot | None, timeout_seconds: float) -> ReadersSnapshot:
        deadline = time.monotonic() + timeout_seconds
        with self._waiting:
            try:
                while True:
                    snapshot = self._look()
                    left = deadline - time.monotonic()
                    if snapshot != previous or left <= 0 or self._closed.is_set():
                        return snapshot
                    self._wait(left)
            finally:
                if self._closed.is_set():
                    self._drop_context()

    def connect(self, reader_name: str) -> CardConnection:
        return PcscConnection(self._scard, reader_name, self._generation, lambda: self._generation)

    def close(self) -> None:
        self._closed.set()
        for _ in range(_CANCEL_ATTEMPTS):
            # A cancel that comes just before the wait begins is lost, hence again until the waiting thread has left.
            with self._lock:
                if self._context is not None:
                    self._scard.SCardCancel(self._context)
            if self._waiting.acquire(timeout=_CANCEL_SECONDS):
                self._waiting.release()
                break
        else:
            return  # the driver hangs; its context stays with the thread that hangs in it
        self._drop_context()

    def _look(self) -> ReadersSnapshot:
        """What holds now, without waiting."""
        readers = self._read_states()
        if readers is None:
            return ReadersSnapshot(self._state, (), self._generation)
        found = tuple(
            _build_snapshot(name, State(state), bytes(atr))
            for name, state, atr in readers
            if name != _PNP and State(state).known
        )
        self._states = [(name, State(state).to_wait_from) for name, state, _ in readers]
        self._state = ReaderState.READY if found else ReaderState.MISSING
        return ReadersSnapshot(self._state, found, self._generation)

    def _read_states(self) -> list[tuple[str, int, list[int]]] | None:
        """Name, state and ATR of each reader and of the pseudo reader; `None` without a service."""
        for _ in range(_ATTEMPTS):
            names = self._list_readers()
            if names is None:
                return None
            if self._notifies_readers:
                names.append(_PNP)
            code, states = self._get_status([(name, _UNAWARE) for name in names], 0)
            if code in (Code.SUCCESS, Code.TIMEOUT):
                return states
            if code != Code.UNKNOWN_READER:  # that one was unplugged since it was listed: list again
                self._lose(code)
                return None
        return []

    def _wait(self, seconds: float) -> None:
        """Until something may have changed, or the time is over."""
        if self._context is None:
            self._closed.wait(min(seconds, max(0.0, self._retry_at - time.monotonic())))
            return
        if not self._states:
            self._closed.wait(min(seconds, _POLL_SECONDS))
            return
        longest = _LONGEST_WAIT_SECONDS if self._notifies_readers else _POLL_SECONDS
        code, _ = self._get_status(self._states, int(min(seconds, longest) * 1000))
        if code not in (Code.SUCCESS, Code.TIMEOUT, Code.CANCELLED, Code.UNKNOWN_READER):
            self._lose(code)

    def _open_context(self) -> bool:
        if self._closed.is_set():
            self._state = ReaderState.SERVICE_DOWN
            return False
        if time.monotonic() < self._retry_at:
            return False
        code, context = self._scard.SCardEstablishContext(self._scard.SCARD_SCOPE_USER)
        if code & 0xFFFFFFFF != Code.SUCCESS:
            self._lose(code & 0xFFFFFFFF)
            return False
        with self._lock:
            self._context = context
        self._confirmed = False
        return True

    def _list_readers(self) -> list[str] | None:
        """Names, none without a reader, `None` without a service."""
        if self._context is None and not self._open_context():
            return None
        code, names = self._scard.SCardListReaders(self._context, [])
        code &= 0xFFFFFFFF
        if code not in (Code.SUCCESS, Code.NO_READERS_AVAILABLE):
            self._lose(code)
            return None
        if not self._confirmed:
            self._confirmed = True
            self._generation += 1
            self._pause_seconds = _FIRST_PAUSE_SECONDS
        return list(names) if code == Code.SUCCESS else []

    def _get_status(self, states: _States, milliseconds: int) -> tuple[int, list[tuple[str, int, list[int]]]]:
        if not states:
            return Code.SUCCESS, []
        code, found = self._scard.SCardGetStatusChange(self._context, milliseconds, states)
        return code & 0xFFFFFFFF, found

    def _lose(self, code: int) -> None:
        """The context is of no more use: say why, and open another one after a pause that doubles, with jitter."""
        self._drop_context()
        self._states = []
        self._state = ReaderState.DENIED if code == Code.SECURITY_VIOLATION else ReaderState.SERVICE_DOWN
        # The jitter keeps two programs of one terminal from asking in step; nothing secret hangs on it.
        pause = self._pause_seconds * random.uniform(0.8, 1.0)  # noqa: S311 a pause needs no strong randomness
        self._retry_at = time.monotonic() + pause
        self._pause_seconds = min(self._pause_seconds * 2, _LONGEST_PAUSE_SECONDS)

    def _drop_context(self) -> None:
        with self._lock:
            context, self._context = self._context, None
            if context is not None:
                self._scard.SCardReleaseContext(context)


def _build_snapshot(name: str, state: State, atr: bytes) -> ReaderSnapshot:
    return ReaderSnapshot(
        name=name,
        card_present=state.present,
        mute=state.mute,
        event_count=state.event_count,
        atr=atr if state.present else b"",
    )
