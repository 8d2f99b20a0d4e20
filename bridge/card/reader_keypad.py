"""The keypad that a reader may have: how it is found, and what is asked of it (PC/SC part 10, version 2.02: "IFDs with
secure PIN entry capabilities"). What the reader is handed is built in `bridge.card.keypad`. PURE.
"""

from __future__ import annotations

import struct
from typing import Final, Protocol

FEATURE_REQUEST: Final = 3400
"""The function of CM_IOCTL_GET_FEATURE_REQUEST (2.2); each system makes a control code of its own from it."""

_FEATURE_VERIFY_PIN_DIRECT: Final = 0x06
_FEATURE: Final = struct.Struct(">BBI")  # tag, length, control code: big-endian on every machine (2.2)


class Keypad(Protocol):
    """The keypad of the reader on which one connected card lies. Used from that connection's thread."""

    def verify(self, structure: bytes) -> int:
        """Have a PIN typed and compared: FEATURE_VERIFY_PIN_DIRECT. Returns the status word of the reader or the card.

        Blocks until the reader gives up; nothing ends it sooner. Raises `KeypadFailed`, or what a command to the card
        raises.
        """
        ...


def find_verify_control(features: bytes) -> int | None:
    """The control code of FEATURE_VERIFY_PIN_DIRECT in a reader's answer to CM_IOCTL_GET_FEATURE_REQUEST (2.2: six
    bytes for each feature). None without it, and for an answer that is not of that form.
    """
    if len(features) % _FEATURE.size:
        return None
    rows = list(_FEATURE.iter_unpack(features))
    if any(length != 4 for _, length, _ in rows):
        return None
    return next((control for tag, _, control in rows if tag == _FEATURE_VERIFY_PIN_DIRECT), None)
