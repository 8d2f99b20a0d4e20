"""The serial port, with a pseudo-terminal as the library's end of the cable."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("serial", reason="the extra `serial` is not installed")

from bridge.output.errors import SerialFailed
from bridge.output.serial_port import write_serial
from bridge.output.settings import OutputSettings


def test_the_other_end_gets_exactly_the_text(cable: tuple[int, str]) -> None:
    theirs, device = cable
    assert write_serial(OutputSettings(kind="serial", device=device), "A20260418B\r") == 11
    assert os.read(theirs, 100) == b"A20260418B\r"


def test_a_device_that_is_not_there_is_named_without_its_path(tmp_path: Path) -> None:
    with pytest.raises(SerialFailed) as refusal:
        write_serial(OutputSettings(kind="serial", device=str(tmp_path / "ttyUSB9")), "0123")
    assert (refusal.value.sent, refusal.value.code) == (0, "output_serial_failed")
    assert "0123" not in str(refusal.value)


def test_a_device_in_use_is_refused(cable: tuple[int, str]) -> None:
    import serial

    _, device = cable
    with serial.Serial(device, exclusive=True), pytest.raises(SerialFailed):
        write_serial(OutputSettings(kind="serial", device=device), "0123")
