"""What goes out for a number: the characters and the closing key. PURE."""

from __future__ import annotations

import re
from typing import Literal

Suffix = Literal["enter", "tab", "none"]
NUMBER = re.compile(r"[0-9A-Z]{1,32}")
FRAME = re.compile(r"[0-9A-Z]{0,8}")
ENTER, TAB = "\r", "\t"
_CLOSING = {"enter": ENTER, "tab": TAB, "none": ""}


def is_number(text: str) -> bool:
    """Digits and capital letters alone: the same keys on every layout, and no character that a program acts on."""
    return NUMBER.fullmatch(text) is not None


def build_output(number: str, *, prefix: str, trailer: str, suffix: Suffix) -> str:
    """`prefix`, number, `trailer` (the start and stop letters of a barcode reader, mostly empty), and Enter or Tab."""
    if not is_number(number):
        raise ValueError("not a number that may be handed over")
    return prefix + number + trailer + _CLOSING[suffix]
