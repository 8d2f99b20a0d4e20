"""The serial port at which a barcode reader would hang: a pseudo-terminal that this program opens itself.

A reader sends the digits of a card and Enter. Whatever is not a short line of letters and digits is dropped.
"""

from __future__ import annotations

import os
import re
import tty
from collections.abc import Iterator

_NUMBER = re.compile(rb"[0-9A-Za-z-]{1,32}")
_LONGEST_LINE = 64


class BarcodeReader:
    """`path` is the device to which a reader is connected. Not on Windows, which has no pseudo-terminals."""

    def __init__(self) -> None:
        self._inside, self._outside = os.openpty()  # the outer end stays open, so that nobody hangs up the line
        tty.setraw(self._outside)
        self.path = os.ttyname(self._outside)

    def read_numbers(self) -> Iterator[str]:
        """One number after another, for as long as the program runs. Blocks."""
        line = b""
        while data := os.read(self._inside, 256):
            for byte in data:
                if byte not in b"\r\n":
                    line = (line + bytes([byte]))[-_LONGEST_LINE:]
                elif line:
                    if _NUMBER.fullmatch(line):
                        yield line.decode("ascii")
                    line = b""
