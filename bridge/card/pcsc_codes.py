"""Numbers of PC/SC (part 5; as in winscard.h and pcsclite.h): return codes, each with its error, and reader states."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from bridge.errors import (
    AccessDenied,
    BridgeError,
    CardCommunicationError,
    CardMute,
    CardRemoved,
    CardReset,
    ReaderBusy,
    ReaderMissing,
    ReaderServiceDown,
)


class Code(IntEnum):
    SUCCESS = 0x00000000
    INTERNAL_ERROR = 0x80100001
    CANCELLED = 0x80100002
    INVALID_HANDLE = 0x80100003
    INVALID_PARAMETER = 0x80100004
    NO_MEMORY = 0x80100006
    UNKNOWN_READER = 0x80100009
    TIMEOUT = 0x8010000A
    SHARING_VIOLATION = 0x8010000B
    NO_SMARTCARD = 0x8010000C
    UNKNOWN_CARD = 0x8010000D
    PROTO_MISMATCH = 0x8010000F
    NOT_READY = 0x80100010
    INVALID_VALUE = 0x80100011
    SYSTEM_CANCELLED = 0x80100012
    COMM_ERROR = 0x80100013
    NOT_TRANSACTED = 0x80100016
    READER_UNAVAILABLE = 0x80100017
    SHUTDOWN = 0x80100018
    NO_SERVICE = 0x8010001D
    SERVICE_STOPPED = 0x8010001E
    NO_READERS_AVAILABLE = 0x8010002E
    SERVER_TOO_BUSY = 0x80100031
    UNSUPPORTED_CARD = 0x80100065
    UNRESPONSIVE_CARD = 0x80100066
    UNPOWERED_CARD = 0x80100067
    RESET_CARD = 0x80100068
    REMOVED_CARD = 0x80100069
    SECURITY_VIOLATION = 0x8010006A


_ERRORS: Final[dict[int, type[BridgeError]]] = {
    Code.INVALID_HANDLE: ReaderServiceDown,
    Code.NO_SERVICE: ReaderServiceDown,
    Code.SERVICE_STOPPED: ReaderServiceDown,
    Code.SYSTEM_CANCELLED: ReaderServiceDown,
    Code.SHUTDOWN: ReaderServiceDown,
    Code.SERVER_TOO_BUSY: ReaderServiceDown,
    Code.SECURITY_VIOLATION: AccessDenied,
    Code.UNKNOWN_READER: ReaderMissing,
    Code.READER_UNAVAILABLE: ReaderMissing,
    Code.NO_READERS_AVAILABLE: ReaderMissing,
    Code.SHARING_VIOLATION: ReaderBusy,
    Code.NO_SMARTCARD: CardRemoved,
    Code.REMOVED_CARD: CardRemoved,
    Code.RESET_CARD: CardReset,
    Code.UNKNOWN_CARD: CardMute,
    Code.UNSUPPORTED_CARD: CardMute,
    Code.UNRESPONSIVE_CARD: CardMute,
    Code.UNPOWERED_CARD: CardMute,
    Code.PROTO_MISMATCH: CardMute,
}

UNCLEAR: Final = frozenset({Code.COMM_ERROR, Code.NOT_TRANSACTED})
"""What a driver answers when the card is pulled, the reader unplugged, or the service killed: one must ask again."""


def build_error(code: int) -> BridgeError:
    """The named error of a code other than success; anything unlisted is `CardCommunicationError`."""
    name = Code(code).name if code in Code.__members__.values() else "unknown"
    return _ERRORS.get(code, CardCommunicationError)(f"PC/SC {code:08X} ({name})")


_CHANGED: Final = 0x0002
_UNKNOWN_OR_UNAVAILABLE: Final = 0x0004 | 0x0008
_PRESENT: Final = 0x0020
_MUTE: Final = 0x0200


@dataclass(frozen=True, slots=True)
class State:
    """dwEventState of one reader."""

    raw: int

    @property
    def to_wait_from(self) -> int:
        """The state to hand in when waiting for another one."""
        return self.raw & ~_CHANGED

    @property
    def known(self) -> bool:
        return not self.raw & _UNKNOWN_OR_UNAVAILABLE

    @property
    def present(self) -> bool:
        return bool(self.raw & _PRESENT)

    @property
    def mute(self) -> bool:
        return self.present and bool(self.raw & _MUTE)

    @property
    def event_count(self) -> int:
        return self.raw >> 16 & 0xFFFF
