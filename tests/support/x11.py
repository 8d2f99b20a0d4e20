"""A real X server without a screen, a real X11 program that writes down what it is typed, and the focus between them.

The program is xterm, which reads keys with libX11; what it gets goes to a file byte by byte.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from Xlib import X
from Xlib.display import Display
from Xlib.error import BadWindow

PROGRAMS = ("Xvfb", "xterm", "setxkbmap")
PATIENCE_SECONDS = 20.0


def find_missing_program() -> str | None:
    """The first program that these tests need and that is not there."""
    return next((name for name in PROGRAMS if shutil.which(name) is None), None)


@contextlib.contextmanager
def running_server(size: str = "800x600") -> Iterator[str]:
    """The name of a display of its own, such as `:99`."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=(writing,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as pipe:
            number = pipe.readline().strip()  # comes when the server listens, or not at all
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(PATIENCE_SECONDS)


class Window:
    """One xterm and what it was typed."""

    def __init__(self, display: str, folder: Path, title: str) -> None:
        self._file = folder / f"{title.replace(' ', '-')}.keys"
        self._connection = Display(display)
        # what is typed is echoed by nobody and written at once
        script = f'printf "\\033]2;{title}\\007"; stty raw -echo; : > "$1"; exec dd bs=1 of="$1" 2>/dev/null'
        self._program = subprocess.Popen(
            [
                "xterm",
                "-T",
                title,
                "-xrm",
                "XTerm*allowTitleOps: true",
                "-e",
                "sh",
                "-c",
                script,
                "sh",
                str(self._file),
            ],
            env={**os.environ, "DISPLAY": display},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self._file.exists)
        self._window = self._find(title)

    def _find(self, title: str) -> object:
        found: list[object] = []

        def look() -> bool:
            tops = self._connection.screen().root.query_tree().children
            try:  # a window manager puts a frame around it
                all_of_them = [*tops, *(child for top in tops for child in top.query_tree().children)]
                found[:] = [window for window in all_of_them if window.get_wm_name() == title]
                return bool(found) and found[0].get_attributes().map_state == X.IsViewable  # type: ignore[attr-defined]
            except BadWindow:
                return False  # one closed while it was looked at

        wait_for(look)
        return found[0]

    @property
    def id(self) -> int:
        return int(self._window.id)  # type: ignore[attr-defined]

    def focus(self) -> None:
        """Keys go here from now on."""
        self._window.set_input_focus(X.RevertToParent, X.CurrentTime)  # type: ignore[attr-defined]
        self._connection.sync()

    def rename(self, title: str) -> None:
        """The program shows another page in the same window."""
        self._window.set_wm_name(title)  # type: ignore[attr-defined]
        self._window.delete_property(self._connection.intern_atom("_NET_WM_NAME"))  # type: ignore[attr-defined]
        self._connection.sync()

    @property
    def typed(self) -> str:
        return self._file.read_bytes().decode("ascii")

    def await_typed(self, text: str) -> None:
        """Wait for as many characters, then it must be exactly these."""
        wait_for(lambda: len(self.typed) >= len(text))
        assert self.typed == text

    def close(self) -> None:
        self._program.terminate()
        self._program.wait(PATIENCE_SECONDS)
        self._connection.close()


def wait_for(condition: object) -> None:
    """Until it is so; a test that waits for ever fails by itself."""
    assert callable(condition)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        threading.Event().wait(0.01)


def set_layout(display: str, *arguments: str) -> None:
    """The keyboard layout, as a user would set it."""
    subprocess.run(["setxkbmap", "-display", display, *arguments], check=True, capture_output=True)


def tap(display: str, keysym: int) -> None:
    """One key, as a hand on the keyboard."""
    press(display, keysym)
    release(display, keysym)


def press(display: str, keysym: int) -> None:
    _send(display, keysym, X.KeyPress)


def release(display: str, keysym: int) -> None:
    _send(display, keysym, X.KeyRelease)


def _send(display: str, keysym: int, event: int) -> None:
    connection = Display(display)
    connection.xtest_fake_input(event, connection.keysym_to_keycode(keysym))
    connection.sync()
    connection.close()
