"""`kiosk demo` before anything runs: its programs and ports, the welcome, and what ends it at once."""

from __future__ import annotations

import io
import socket
import sys
from pathlib import Path

import pytest
from rich.console import Console

from kiosk_web.demo.ports import PORT_NAMES
from kiosk_web.demo.settings import DemoSettings
from kiosk_web.demo.welcome import print_welcome
from kiosk_web.program import bridge_program, kiosk_program
from tests.support.demo import DemoDidNotStart, run_demo_to_its_end, start_demo


def test_a_taken_port_is_named_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        answer = run_demo_to_its_end(tmp_path, f"--port={port}")
    assert answer.returncode == 1
    assert f"Port {port}" in answer.stdout or "65535" in answer.stdout
    assert "Traceback" not in answer.stdout + answer.stderr


def test_a_demo_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(DemoDidNotStart) as trouble, start_demo(tmp_path, own_keys=True):
        pass
    assert "Traceback" not in str(trouble.value)


def test_frozen_programs_call_themselves_and_their_neighbour(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "kiosk"))
    assert kiosk_program() == [str(tmp_path / "kiosk")]
    assert bridge_program() == [str(tmp_path / "kiosk-bridge")]


def test_the_kiosk_comes_first_and_its_port_is_the_one_that_is_chosen() -> None:
    assert PORT_NAMES[0] == "kiosk"
    settings = DemoSettings(port=9000, data=Path("x"), ready_file=None, pcsc=False)
    assert settings.start_bridge


@pytest.mark.parametrize("pcsc", [False, True])
def test_with_real_readers_nobody_is_told_of_a_virtual_one(pcsc: bool) -> None:
    console = Console(file=io.StringIO(), width=120)
    settings = DemoSettings(port=0, data=Path("folder"), ready_file=None, pcsc=pcsc)
    print_welcome(console, settings, {"tray": "http://127.0.0.1:8484", "people": []})
    assert isinstance(console.file, io.StringIO)
    said = console.file.getvalue()
    assert ("put a card on the virtual reader" in said) is not pcsc
    assert (f"bridge.virtual {Path('folder', 'simulator')} --vpcd" in said) is pcsc
