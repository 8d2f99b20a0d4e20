"""A PIN typed on the reader's own keypad: what the reader is asked, and what its answers mean (PC/SC part 10, version
2.02: "IFDs with secure PIN entry capabilities"). PURE.

The reader is handed a VERIFY with a gap in it, takes the digits, fills the gap and sends the command to the card. The
PIN is never in this program.
"""

from __future__ import annotations

import struct
from typing import Final

from bridge.card.apdu import CommandApdu, Instruction
from bridge.card.pin import FOUR_DIGITS, PinRule
from bridge.errors import BridgeError, Cancelled, KeypadFailed, PinMalformed, PinTimeout

ENTRY_SECONDS: Final = 60
MORE_SECONDS: Final = 30
KEYPAD_SECONDS: Final = ENTRY_SECONDS + MORE_SECONDS
"""By then a reader that keeps to what it was told has given up."""
KEYPAD_RULE: Final = FOUR_DIGITS
"""Every PIN that is typed on a reader here. The birth key and verification code B are no PINs: they are on the card."""

NOT_TYPED: Final = (Cancelled, PinTimeout, PinMalformed, KeypadFailed)
"""What ends a VERIFY whose reader says that its keys gave no PIN. Whether that is so, the card's counter tells."""

_VERIFY: Final = struct.Struct("<BBBBBHBBHB3sI")  # PIN_VERIFY_STRUCTURE without abData; little-endian
_BYTES: Final = 0x80  # bmFormatString: positions count in bytes; the PIN begins with the first byte of the data, left
_ASCII: Final = 0x02
_CONFIRMED: Final = 0x02  # bEntryValidationCondition: the key that confirms, so that a slip can be put right
_ONE_MESSAGE: Final = 0x01
_ENTER_PIN: Final = 0x00  # bMsgIndex: the reader's own words for "type your PIN"
_JAPANESE: Final = 0x0411
_GAP: Final = b"\xff"  # no digit: a reader that fills nothing in must not try a PIN that somebody may have


def build_verify_structure(command: CommandApdu, rule: PinRule = KEYPAD_RULE) -> bytes:
    """PIN_VERIFY_STRUCTURE of part 10 for a VERIFY without data (ISO/IEC 7816-4), whose gap has as many bytes as
    the PIN has digits: ASCII, from the first byte of the data on, no padding, no length put in. Raises ValueError for
    any other command, and for a PIN whose length varies.
    """
    if command.instruction != Instruction.VERIFY or command.data or command.expected is not None or command.extended:
        raise ValueError("only a VERIFY without data has a PIN typed into it")
    if rule.minimum != rule.maximum:
        raise ValueError("a PIN of this length cannot be typed on a reader")
    digits = rule.minimum
    data = command.encode() + bytes((digits,)) + digits * _GAP
    head = _VERIFY.pack(
        ENTRY_SECONDS,  # bTimeOut
        MORE_SECONDS,  # bTimeOut2, after the first key
        _BYTES | _ASCII,  # bmFormatString
        digits,  # bmPINBlockString: a block of so many bytes
        0,  # bmPINLengthFormat
        digits << 8 | digits,  # wPINMaxExtraDigit: fewest, most
        _CONFIRMED,  # bEntryValidationCondition
        _ONE_MESSAGE,  # bNumberMessage
        _JAPANESE,  # wLangId
        _ENTER_PIN,  # bMsgIndex
        bytes(3),  # bTeoPrologue
        len(data),  # ulDataLength
    )
    return head + data


def judge_entry(status: int) -> BridgeError | None:
    """What a status word of the reader itself says (part 10, FEATURE_VERIFY_PIN_DIRECT): no PIN went to the card.
    None for every other one, which is the card's.
    """
    match status:
        case 0x6400:
            return PinTimeout("the reader waited for its keys in vain")
        case 0x6401:
            return Cancelled("the reader's cancel key was pressed")
        case 0x6402 | 0x6403:
            return PinMalformed("not as many digits as the card wants")
        case 0x6B80:
            return KeypadFailed("the reader does not take this structure")
    return None
