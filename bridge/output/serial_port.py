"""Write the number to a serial port, as a barcode reader there would: 8 data bits, no parity, one stop bit.

The whole text goes in one write. A device that is not there, is in use, or does not take it in time is `SerialFailed`.
"""

from __future__ import annotations

import serial

from bridge.output.errors import SerialFailed
from bridge.output.settings import OutputSettings

WRITE_SECONDS = 2.0


def write_serial(settings: OutputSettings, text: str) -> int:
    """How many bytes went out. Raises `SerialFailed`."""
    sent = 0
    try:
        with serial.Serial(
            settings.device, settings.baud, write_timeout=WRITE_SECONDS, exclusive=True if _POSIX else None
        ) as port:
            sent = port.write(text.encode("ascii")) or 0
            port.flush()
    except (serial.SerialException, OSError, ValueError):
        raise SerialFailed(sent=sent) from None
    if sent != len(text):
        raise SerialFailed(sent=sent)
    return sent


_POSIX = hasattr(serial, "PosixPollSerial")
