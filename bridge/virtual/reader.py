"""A virtual reader in this process: a `ReaderSource` that follows `reader.json` (`docs/card-profile.md`)."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Final

from bridge.card.reader_keypad import Keypad
from bridge.card.transport import CardConnection, ReaderSnapshot, ReadersSnapshot, ReaderState
from bridge.errors import CardMute, CardRemoved, ReaderBusy, ReaderMissing
from bridge.virtual.insertion import Insertion
from bridge.virtual.keypad import FILE as KEYPAD
from bridge.virtual.keypad import STRUCTURE_REFUSED, WRONG_LENGTH, VirtualKeys, parse_verify_structure
from bridge.virtual.profile import ProfileMalformed
from bridge.virtual.tray import READER, FolderTray, Placed

NAME: Final = "Virtual Card Reader 00 00"

_log = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 0.03
_EVENTS_PER_SERIAL: Final = 256
_NO_READER: Final = ReadersSnapshot(ReaderState.MISSING, (), 0)


class VirtualSource:
    """One reader; see `ReaderSource` for the contract. All methods may be called from any thread.

    A card that its profile takes away stays away until `serial` rises. A profile that cannot be read is a mute card.
    """

    def __init__(self, folder: Path, reader: str = READER) -> None:
        """`reader`: the file in `folder` that says what lies on it."""
        self._tray = FolderTray(folder, reader)
        self.keys = VirtualKeys(folder / KEYPAD)
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._placed: Placed | None = None
        self._insertion: Insertion | None = None
        self._present = False
        self._extra_events = 0
        self._connection: _VirtualConnection | None = None

    @property
    def virtual(self) -> bool:
        return True

    def wait_for_change(self, previous: ReadersSnapshot | None, timeout_seconds: float) -> ReadersSnapshot:
        deadline = time.monotonic() + timeout_seconds
        while True:
            snapshot = self._look()
            left = deadline - time.monotonic()
            if snapshot != previous or left <= 0 or self._closed.wait(min(left, _LOOK_SECONDS)):
                return snapshot

    def connect(self, reader_name: str) -> CardConnection:
        with self._lock:
            snapshot = self._look()
            if not any(reader.name == reader_name for reader in snapshot.readers):
                raise ReaderMissing("there is no such virtual reader")
            if self._connection is not None:
                raise ReaderBusy("the virtual card is in use")
            if not self._present:
                raise CardRemoved("there is no card on the virtual reader")
            if self._insertion is None or self._insertion.mute:
                raise CardMute("the virtual card does not answer")
            self._connection = _VirtualConnection(self, self._insertion)
            return self._connection

    def close(self) -> None:
        self._closed.set()

    def _look(self) -> ReadersSnapshot:
        with self._lock:
            placed = self._tray.look()
            if placed != self._placed:
                self._placed = placed
                self._extra_events = 0
                self._insert(placed.profile if placed else None)
            if placed is None:
                return _NO_READER
            return ReadersSnapshot(ReaderState.READY, (self._build_snapshot(placed),), 0)

    def _build_snapshot(self, placed: Placed) -> ReaderSnapshot:
        insertion = self._insertion
        return ReaderSnapshot(
            name=NAME,
            card_present=self._present,
            mute=self._present and (insertion is None or insertion.mute),
            event_count=placed.serial * _EVENTS_PER_SERIAL + self._extra_events,
            atr=insertion.atr if insertion else b"",
        )

    def _insert(self, profile: Path | None) -> None:
        self._connection = None  # whoever still holds it finds its card gone
        self._present = profile is not None
        self._insertion = None
        if profile is None:
            return
        try:
            self._insertion = Insertion(profile)
        except ProfileMalformed as trouble:
            _log.warning("virtual card %s: %s", profile.name, trouble)

    def is_current(self, insertion: Insertion) -> bool:
        """Whether this very card still lies on the reader."""
        self._look()
        return self._insertion is insertion

    def take_away(self, swapped_for: str | None) -> None:
        """The card leaves, and the card of another profile takes its place if one is named."""
        with self._lock:
            self._extra_events += 1 if swapped_for is None else 2
            self._insert(self._tray.find(swapped_for) if swapped_for else None)

    def release(self, connection: _VirtualConnection) -> None:
        """The reader is free for another connection."""
        with self._lock:
            if self._connection is connection:
                self._connection = None


class _VirtualConnection:
    """See `CardConnection`."""

    def __init__(self, source: VirtualSource, insertion: Insertion) -> None:
        self._source = source
        self._insertion: Insertion | None = insertion

    @property
    def reader_name(self) -> str:
        return NAME

    def transmit(self, command: bytes) -> tuple[bytes, int]:
        insertion = self._require_card()
        exchange = insertion.transmit(command, lambda: self._source.is_current(insertion))
        if exchange.lost:
            self._source.take_away(exchange.swapped_for)
        self._require_card()
        if exchange.removed and not exchange.lost:
            self._source.take_away(exchange.swapped_for)
        return exchange.response[:-2], int.from_bytes(exchange.response[-2:], "big")

    def check_present(self) -> None:
        self._require_card()

    def find_keypad(self) -> Keypad | None:
        return _VirtualKeypad(self, self._source.keys) if self._source.keys.there else None

    def close(self, *, unpower: bool = True) -> None:
        insertion, self._insertion = self._insertion, None
        if insertion is not None and unpower:
            insertion.power_off()
        self._source.release(self)

    def _require_card(self) -> Insertion:
        if self._insertion is None or not self._source.is_current(self._insertion):
            raise CardRemoved("the virtual card was lifted")
        return self._insertion


class _VirtualKeypad:
    """See `Keypad`. The keys are pressed by writing `keypad.json`."""

    def __init__(self, connection: _VirtualConnection, keys: VirtualKeys) -> None:
        self._connection = connection
        self._keys = keys

    def verify(self, structure: bytes) -> int:
        asked = parse_verify_structure(structure)
        if asked is None:
            return STRUCTURE_REFUSED
        entry = self._keys.take(asked.seconds, self._connection.check_present)
        self._connection.check_present()
        if isinstance(entry, int):
            return entry
        if not asked.minimum <= len(entry) <= asked.maximum:
            return WRONG_LENGTH
        return self._connection.transmit(asked.build_command(entry))[1]
