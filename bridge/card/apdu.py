"""Command and response APDUs (ISO/IEC 7816-3 clause 12, ISO/IEC 7816-4 clause 5)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from bridge.card.status_word import SUCCESS, StatusWordError, build_error

CLA_ISO: Final = 0x00
CLA_PROPRIETARY: Final = 0x80
SHORT_LE_MAXIMUM: Final = 256
EXTENDED_LE_MAXIMUM: Final = 65536


class Instruction(IntEnum):
    """The only instructions this program sends."""

    VERIFY = 0x20
    COMPUTE_SIGNATURE = 0x2A
    SELECT = 0xA4
    READ_BINARY = 0xB0
    GET_RESPONSE = 0xC0


@dataclass(frozen=True, slots=True, repr=False)
class CommandApdu:
    """One command. `expected` is Le in bytes (256 or 65536 for "all there is"), `None` for no answer data.

    Its `repr` never shows the data of a VERIFY. `extended` chooses the extended length form; the short form is the
    default because every reader takes it.
    """

    cla: int
    instruction: int
    p1: int
    p2: int
    data: bytes = b""
    expected: int | None = None
    extended: bool = False

    def __post_init__(self) -> None:
        if not all(0 <= value <= 0xFF for value in (self.cla, self.instruction, self.p1, self.p2)):
            raise ValueError("a header byte is out of range")
        if len(self.data) > (0xFFFF if self.extended else 0xFF):
            raise ValueError("too much data for this form")
        if self.expected is not None:
            maximum = EXTENDED_LE_MAXIMUM if self.extended else SHORT_LE_MAXIMUM
            if not 1 <= self.expected <= maximum:
                raise ValueError("the expected length is out of range for this form")

    @property
    def carries_secret(self) -> bool:
        return self.instruction == Instruction.VERIFY and bool(self.data)

    def encode(self) -> bytes:
        """The bytes on the wire. They hold the PIN of a VERIFY in clear: they go to the transport and nowhere else."""
        header = bytes((self.cla, self.instruction, self.p1, self.p2))
        if not self.extended:
            body = bytes((len(self.data),)) + self.data if self.data else b""
            return header + body + (b"" if self.expected is None else bytes((self.expected % 256,)))
        body = b"\x00" + len(self.data).to_bytes(2, "big") + self.data if self.data else b""
        if self.expected is None:
            return header + body
        return header + body + (b"" if self.data else b"\x00") + (self.expected % 65536).to_bytes(2, "big")

    def __repr__(self) -> str:
        data = f"<{len(self.data)} bytes masked>" if self.carries_secret else self.data.hex().upper()
        header = f"{self.cla:02X}{self.instruction:02X}{self.p1:02X}{self.p2:02X}"
        return f"CommandApdu({header} {data} Le={self.expected})"


@dataclass(frozen=True, slots=True, repr=False)
class ResponseApdu:
    """One answer: data and status word.

    Its `repr` shows the length of the data alone (files of a card are personal).
    """

    data: bytes
    status: int

    @property
    def succeeded(self) -> bool:
        return self.status == SUCCESS

    def require_success(self) -> bytes:
        """The data. Raises the named `StatusWordError` for any status but 9000."""
        if not self.succeeded:
            raise self.error
        return self.data

    @property
    def error(self) -> StatusWordError:
        return build_error(self.status)

    def __repr__(self) -> str:
        return f"ResponseApdu(<{len(self.data)} bytes> {self.status:04X})"
