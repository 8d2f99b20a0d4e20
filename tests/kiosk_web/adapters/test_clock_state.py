"""Whether the system's clock is kept right is read from the kernel, and said only where it is known."""

from __future__ import annotations

import sys

import pytest

from kiosk_web.adapters.clock_state import STA_UNSYNC, judge_timex, read_clock_state


@pytest.mark.parametrize(
    ("answered", "status", "state"),
    [
        (0, 0x2001, "synchronised"),  # TIME_OK; STA_NANO, STA_PLL
        (1, 0x0011, "synchronised"),  # TIME_INS: a leap second is announced
        (5, STA_UNSYNC, "unsynchronised"),  # TIME_ERROR
        (0, 0x2001 | STA_UNSYNC, "unsynchronised"),
        (-1, 0, "unknown"),
    ],
)
def test_the_status_bits_decide(answered: int, status: int, state: str) -> None:
    assert judge_timex(answered, status) == state


@pytest.mark.skipif(sys.platform != "linux", reason="adjtimex is Linux's")
def test_the_kernel_is_asked_and_agrees_with_itself() -> None:
    state = read_clock_state()
    assert state in ("synchronised", "unsynchronised", "unknown")
    assert read_clock_state() == state


def test_another_system_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert read_clock_state() == "unknown"
