"""Does something keep the system's clock right? Asked of the kernel, where that costs no more than a system call.

Linux: `adjtimex` (2) with nothing to change; the kernel sets STA_UNSYNC until a time service (chrony, ntpd,
systemd-timesyncd) has synchronised the clock, and again when it has not for long. Elsewhere the answer is `unknown`:
Windows and macOS tell it only through programs of their own.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Literal

ClockState = Literal["synchronised", "unsynchronised", "unknown"]

STA_UNSYNC = 0x0040
_RESERVED = 64


class _Timex(ctypes.Structure):
    """`struct timex` of <sys/timex.h> up to the status, with room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * _RESERVED),
    )


def read_clock_state() -> ClockState:
    """What the kernel says now. Never raises."""
    if sys.platform != "linux":
        return "unknown"
    buffer = _Timex()
    try:
        answered = ctypes.CDLL(None).adjtimex(ctypes.byref(buffer))
    except (OSError, AttributeError):
        return "unknown"
    return judge_timex(answered, buffer.status)


def judge_timex(answered: int, status: int) -> ClockState:
    """What `adjtimex` returned (-1: it refused), and the status bits it filled in."""
    if answered < 0:
        return "unknown"
    return "unsynchronised" if status & STA_UNSYNC else "synchronised"
