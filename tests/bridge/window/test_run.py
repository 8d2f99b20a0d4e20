"""The narrow window on a real display with a real window manager; a small X11 program stands for the browser."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from Xlib import X, Xutil
from Xlib.display import Display

from bridge.terminal import store_terminal
from tests.bridge.authority import Authority
from tests.support import x11, x11_desk
from tests.support.x11_desk import Desk

pytestmark = [
    pytest.mark.x11,
    pytest.mark.skipif(
        x11_desk.find_missing_program() is not None, reason=f"{x11_desk.find_missing_program()} is missing"
    ),
]

WIDTH, HEIGHT = 1280, 800
OTHER_DESKTOPS = ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE")
STAND_IN = f"""#!{sys.executable}
from Xlib import X
from Xlib.display import Display

with open(__file__ + ".starts", "a") as starts:
    starts.write("x")
display = Display()
window = display.screen().root.create_window(100, 100, 300, 300, 0, X.CopyFromParent)
window.set_wm_class("page", "kiosk-resident")
window.map()
while True:
    display.next_event()
"""
# it answers a ping with each byte it reads, and writes down its answers and when it got its whole height
ANSWERING = (
    STAND_IN.replace(
        "from Xlib.display import Display", "from Xlib.display import Display\nfrom Xlib.protocol import event"
    )
    .replace("X.CopyFromParent)", "X.CopyFromParent, event_mask=X.StructureNotifyMask)")
    .replace("window.map()", 'window.set_wm_protocols([display.intern_atom("_NET_WM_PING")])\nwindow.map()')
    .replace(
        "while True:\n    display.next_event()\n",
        f"""told = open(__file__ + ".told", "a", buffering=1)
words = open(__file__ + ".words", "rb", buffering=0)
while True:
    heard = display.next_event()
    if heard.type == X.ConfigureNotify and heard.height == {HEIGHT}:
        told.write("whole\\n")
    elif heard.type == X.ClientMessage:
        if heard.data[1][1] == window.id:
            words.read(1)
            told.write("answer\\n")
        root = display.screen().root
        answer = event.ClientMessage(window=root, client_type=heard.client_type, data=heard.data)
        root.send_event(answer, event_mask=X.SubstructureNotifyMask | X.SubstructureRedirectMask)
""",
    )
)


@pytest.fixture(scope="module")
def desk() -> Iterator[tuple[str, Desk]]:
    with x11.running_server(f"{WIDTH}x{HEIGHT}") as display, x11_desk.running_manager(display) as desk:
        yield display, desk


@pytest.fixture
def state(tmp_path: Path) -> Path:
    store_terminal(tmp_path, Authority().terminal)
    return tmp_path


def start(state: Path, display: str, *options: str, browser: str = STAND_IN) -> subprocess.Popen[str]:
    program = state / "browser.sh"
    program.write_text(browser)
    program.chmod(0o700)
    environment = {name: value for name, value in os.environ.items() if name not in OTHER_DESKTOPS}
    return subprocess.Popen(
        [sys.executable, "-m", "bridge", "window", f"--state={state}", f"--browser={program}", *options],
        env={**environment, "DISPLAY": display},
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(state: Path, display: str, *options: str, browser: str = STAND_IN) -> Iterator[subprocess.Popen[str]]:
    program = start(state, display, *options, browser=browser)
    try:
        yield program
    finally:
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=x11.PATIENCE_SECONDS)
    assert program.returncode == 0


def end_by_itself(program: subprocess.Popen[str]) -> str:
    _, said = program.communicate(timeout=x11.PATIENCE_SECONDS)
    assert program.returncode == 3
    return said


def await_panel(desk: Desk, state: Path, *, start: int) -> int:
    """The number of the window, once it is the panel of that start of the browser: numbers are given anew."""
    starts = state / "browser.sh.starts"
    x11.wait_for(lambda: starts.exists() and len(starts.read_text()) == start)
    dock = desk.atom("_NET_WM_WINDOW_TYPE_DOCK")
    panels: list[int] = []

    def look() -> bool:
        panels[:] = [number for number in desk.stacking if dock in desk.read_type(number)]
        return bool(panels)

    x11.wait_for(look)
    return panels[0]


def await_look(display: str, desk: Desk) -> Display:
    """Until the program has looked who has the focus, as it does before it makes a panel; this one never gets it.

    To be closed at the end only: the number of the window would be given to the browser's, which is no panel then.
    """
    connection = Display(display)
    window = connection.screen().root.create_window(0, 0, 9, 9, 0, X.CopyFromParent)
    window.set_wm_class("page", "kiosk-resident")
    window.set_wm_hints(flags=Xutil.InputHint, input=0)
    window.map()
    connection.sync()
    x11.wait_for(lambda: desk.place_of(window.id) == (WIDTH - 420, 0, 420, HEIGHT))
    window.destroy()
    connection.sync()
    x11.wait_for(lambda: window.id not in desk.stacking)
    return connection


def test_the_window_becomes_a_panel_whose_focus_goes_back_and_comes_again_when_the_browser_ends(
    desk: tuple[str, Desk], state: Path, tmp_path: Path
) -> None:
    display, screen = desk
    with closing(x11.Window(display, tmp_path, "Loans")) as library:
        x11.wait_for(lambda: screen.active == library.id)
        with running(state, display, "--side=left", "--width=360"):
            panel = await_panel(screen, state, start=1)
            x11.wait_for(lambda: screen.place_of(panel) == (0, 0, 360, HEIGHT))
            x11.wait_for(lambda: screen.active == library.id)
            assert not screen.takes_input(panel)
            assert "already" in end_by_itself(start(state, display))
            screen.close_program_of(panel)
            second = await_panel(screen, state, start=2)
            x11.wait_for(lambda: screen.place_of(second) == (0, 0, 360, HEIGHT))
            x11.wait_for(lambda: screen.active == library.id)
        x11.wait_for(lambda: second not in screen.stacking)


def test_the_focus_goes_back_to_the_window_that_had_it_when_the_browser_came(
    desk: tuple[str, Desk], state: Path, tmp_path: Path
) -> None:
    display, screen = desk
    word = state / "go"
    os.mkfifo(word)
    slow = STAND_IN.replace("display = Display()", f"open({str(word)!r}).read()\ndisplay = Display()")
    with closing(x11.Window(display, tmp_path, "Loans")) as library:
        x11.wait_for(lambda: screen.active == library.id)
        with running(state, display, browser=slow):
            with word.open("w"):  # opens when the browser waits
                mail = x11.Window(display, tmp_path, "Mail")
                x11.wait_for(lambda: screen.active == mail.id)
                looked = await_look(display, screen)
            with closing(mail), closing(looked):
                panel = await_panel(screen, state, start=1)
                x11.wait_for(lambda: screen.place_of(panel) == (WIDTH - 420, 0, 420, HEIGHT))
                x11.wait_for(lambda: screen.active == mail.id)


def test_the_window_gets_its_last_row_once_the_browser_has_answered_three_times(
    desk: tuple[str, Desk], state: Path
) -> None:
    """Else Chromium may keep the page as high as the window was before it became a panel."""
    display, screen = desk
    words, told = state / "browser.sh.words", state / "browser.sh.told"
    os.mkfifo(words)
    with running(state, display, browser=ANSWERING), words.open("wb", buffering=0) as answer:
        panel = await_panel(screen, state, start=1)
        x11.wait_for(lambda: screen.place_of(panel) == (WIDTH - 420, 0, 420, HEIGHT - 1))
        answer.write(b"...")
        x11.wait_for(lambda: "whole" in told.read_text())
        assert screen.place_of(panel) == (WIDTH - 420, 0, 420, HEIGHT)
        assert told.read_text().split() == ["answer"] * 3 + ["whole"]


def test_a_browser_that_ends_without_a_window_is_told(desk: tuple[str, Desk], state: Path) -> None:
    assert "before it had a window" in end_by_itself(start(state, desk[0], browser="#!/bin/sh\n"))
