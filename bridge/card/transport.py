"""What the bridge asks of a reader: the wire to one card, and one source of readers.

Two implementations: `bridge.card.pcsc` (real readers through PC/SC) and `bridge.virtual.reader` (a card in this
process). The same contract suite (`tests/contract/`) runs on both. Nothing here does I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from bridge.card.reader_keypad import Keypad


class ReaderState(Enum):
    """What can be said of the readers as a whole; the values are the wire's (`docs/wire.md` 6, message `reader`)."""

    READY = "ready"
    MISSING = "missing"
    SERVICE_DOWN = "service_down"
    DENIED = "denied"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class ReaderSnapshot:
    """One reader at one moment.

    `event_count` is the upper half of PC/SC's dwEventState: two different values with a card present both times mean
    that the card was lifted in between, even if nobody saw it away (PC/SC part 5; pcsc-lite's SCardGetStatusChange).
    """

    name: str
    card_present: bool
    mute: bool
    event_count: int
    atr: bytes


@dataclass(frozen=True, slots=True)
class ReadersSnapshot:
    """All readers at one moment. `generation` rises when the source had to be opened again (service restart, lost
    context).
    """

    state: ReaderState
    readers: tuple[ReaderSnapshot, ...]
    generation: int


class CardTransport(Protocol):
    """The wire to one connected card. Blocking; used from one thread only."""

    def transmit(self, command: bytes) -> tuple[bytes, int]:
        """Send one command APDU; return response data and the 16-bit status word (ISO/IEC 7816-4).

        Raises `CardRemoved`, `CardReset`, `ReaderServiceDown` or `CardCommunicationError` from `bridge.errors`.
        """
        ...


class CardConnection(CardTransport, Protocol):
    """A card, opened exclusively where the reader allows it, in one transaction from the beginning to `close`."""

    @property
    def reader_name(self) -> str: ...

    def check_present(self) -> None:
        """Keep the transaction alive and prove that the same card is still there (SCardStatus).

        Raises `CardRemoved`, `CardReset` or `ReaderServiceDown`.
        """
        ...

    def find_keypad(self) -> Keypad | None:
        """The reader's own keypad, if it announces one on which it has a PIN typed and compared. A reader that does not
        answer the question has none. Never raises.
        """
        ...

    def close(self, *, unpower: bool = True) -> None:
        """End the transaction and disconnect; unpowering clears every PIN state on the card. Never raises."""
        ...


class ReaderSource(Protocol):
    """One source of readers. `wait_for_change` and `connect` are called from different threads."""

    @property
    def virtual(self) -> bool:
        """True for readers that are not hardware. A production bridge refuses them."""
        ...

    def wait_for_change(self, previous: ReadersSnapshot | None, timeout_seconds: float) -> ReadersSnapshot:
        """Block until something differs from `previous`, or until the timeout; return what holds now.

        Recovers by itself from a service that went away (`ReaderState.SERVICE_DOWN`, then again `READY` with a higher
        generation). `None` returns at once. Never raises for a missing service or reader: those are states.
        """
        ...

    def connect(self, reader_name: str) -> CardConnection:
        """Open the card on this reader and begin a transaction.

        Raises `ReaderMissing`, `ReaderBusy`, `CardRemoved`, `CardMute`, `ReaderServiceDown` or `AccessDenied`.
        """
        ...

    def close(self) -> None:
        """Make `wait_for_change` return at once and release everything. May be called from any thread."""
        ...
