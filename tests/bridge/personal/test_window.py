"""The window as a process: what it is told and what it says, and that the bridge hears of its end."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from bridge.personal import window as subject
from bridge.personal.view import Agreed, Declined, PinTyped, View, WindowAction, WindowGone, build_view_line
from bridge.personal.window import ProcessWindow, require_window

pytestmark = pytest.mark.anyio
PATIENCE_SECONDS = 60.0
FIRST = View("asking", "https://www.city.mihon.example", "facility-booking")
SECOND = View("card", "https://www.city.mihon.example", "facility-booking", "no_card")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def play(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """The window is a few lines of Python from now on."""
    command = [sys.executable, "-S", "-E", "-u", "-c", program]
    monkeypatch.setattr(subject, "build_program", lambda: command)


class Played:
    """A window of these lines, and what the bridge hears of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
        play(monkeypatch, program)
        self.heard: list[WindowAction] = []
        self.window = ProcessWindow("ja", self.heard.append)

    async def end(self) -> list[WindowAction]:
        """What came until the window's own end."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.window.task
            if (process := self.window._process) is not None and process.stdout is not None:
                await process.stdout.read()  # its pipe is closed before the loop is
        return self.heard


READY = 'print(\'{"act":"ready"}\');'


async def test_what_is_done_in_the_window_is_heard_until_it_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ['{"act":"agree"}', '{"act":"pin","pin":"1234"}', '{"act":"decline"}']
    played = Played(monkeypatch, READY + f"print({chr(10).join(lines)!r})")
    assert await played.end() == [Agreed(), PinTyped(bytearray(b"1234")), Declined(), WindowGone(opened=True)]


async def test_it_is_shown_every_face_in_order_also_before_it_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    copied = tmp_path / "faces"
    program = READY + f"import sys; open({str(copied)!r}, 'wb').write(sys.stdin.buffer.read())"
    played = Played(monkeypatch, program)
    played.window.show(FIRST)
    played.window.show(SECOND)
    while played.window._process is None:
        await asyncio.sleep(0)
    played.window.show(FIRST)
    played.window.close()
    assert await played.end() == [], "who closes it knows"
    assert copied.read_text() == "".join(build_view_line(view) + "\n" for view in (FIRST, SECOND, FIRST))


async def test_a_window_that_is_closed_before_it_is_there_does_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(monkeypatch, READY + 'import sys; sys.stdin.read(); print(\'{"act":"agree"}\')')
    played.window.close()
    assert await played.end() == [], "and says nothing more"
    played.window.show(FIRST)


@pytest.mark.parametrize("program", ["", "raise SystemExit(1)"])
async def test_a_window_that_does_not_open_is_told_apart(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    assert await Played(monkeypatch, program).end() == [WindowGone(opened=False)]


async def test_a_program_that_is_not_there_is_a_window_that_does_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert await Played(monkeypatch, "").end() == [WindowGone(opened=False)]


@pytest.mark.parametrize("line", ['{"act":"sign"}', "agree"])
async def test_a_window_that_says_anything_else_is_given_up(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """Also while it would go on speaking, and would not end by itself."""
    monkeypatch.setattr(subject, "END_SECONDS", 0.05)
    played = Played(monkeypatch, READY + f'print({line!r}); print(\'{{"act":"agree"}}\'); import time; time.sleep(600)')
    assert await played.end() == [WindowGone(opened=True)]
    assert played.window._process is not None
    assert played.window._process.returncode is not None


async def test_a_computer_without_a_desktop_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, "import sys; sys.exit('kiosk-bridge: install python3-tk')")
    with pytest.raises(subject.SettingsError, match=r"^install python3-tk$"):
        await require_window()
    play(monkeypatch, "import sys; sys.exit(1)")
    with pytest.raises(subject.SettingsError, match="no window can be opened here"):
        await require_window()
    play(monkeypatch, "import sys; assert sys.argv[-1] == '--check'")
    await require_window()
