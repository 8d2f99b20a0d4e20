"""Keep the narrow window: start the browser, make its window a panel, give the focus back, and start it anew when it
ends, until SIGTERM or SIGINT.
"""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from bridge.errors import SettingsError
from bridge.window.browser import WINDOW_CLASS, Browser, build_command, build_environment
from bridge.window.strip import Area, Side, build_strip
from bridge.window.x11_desk import DESK_GONE, NO_DISPLAY, X11Desk

_log = structlog.get_logger("bridge.window")
TWICE = "there is a narrow window on this screen already; end its kiosk-bridge and its browser first"
NO_WINDOW = "the browser ended before it had a window; is another one running with this profile?"


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """`environment` is that of the desktop session; `more` are further options for the browser."""

    address: str
    program: str
    profile: Path
    side: Side
    width: int
    environment: Mapping[str, str]
    more: Sequence[str] = ()


class Signals:
    """SIGTERM and SIGINT say stop, SIGCHLD that the browser may have ended; each wakes whoever selects."""

    def __init__(self, waker: socket.socket) -> None:
        self._waker = waker
        self.stopped = False

    def fileno(self) -> int:
        return self._waker.fileno()

    def note(self, number: int, _frame: object) -> None:
        self.stopped = self.stopped or number in (signal.SIGTERM, signal.SIGINT)

    def forget(self) -> None:
        with suppress(BlockingIOError):
            self._waker.recv(4096)


def keep_window(settings: WindowSettings) -> None:
    """Until told to stop. Raises `SettingsError`."""
    desk = X11Desk(settings.environment["DISPLAY"])
    try:
        if desk.find_windows(WINDOW_CLASS):
            raise SettingsError(TWICE)
        strip = build_strip(desk.read_free_area(), settings.side, settings.width)
        command = build_command(settings.program, settings.address, settings.profile, strip, settings.more)
        environment = build_environment(settings.environment, frozen=getattr(sys, "frozen", False))
        with _listening() as signals:
            while not signals.stopped:
                desk.await_gone(WINDOW_CLASS)  # of a browser that has just ended
                browser = Browser(command, environment)
                try:
                    _attend(browser, desk, signals, settings.side, strip)
                finally:
                    browser.stop()
    except DESK_GONE:
        raise SettingsError(NO_DISPLAY) from None
    finally:
        desk.close()


def _attend(browser: Browser, desk: X11Desk, signals: Signals, side: Side, strip: Area) -> None:
    """Until the browser ends or the signals say stop."""
    panels: set[int] = set()
    others = 0  # who had the focus last; while a browser starts, a librarian goes on working
    while browser.runs and not signals.stopped:
        others = desk.read_active(beside=WINDOW_CLASS) or others
        windows = set(desk.find_windows(WINDOW_CLASS))
        for window in windows - panels:
            desk.make_panel(window, strip, side)
            if others and desk.read_active() != others:
                desk.activate(others)
            _log.info("window_shown")
        panels |= windows
        desk.fill_panels(strip)
        desk.await_change(signals)
        signals.forget()
    if not panels and not signals.stopped:
        raise SettingsError(NO_WINDOW)
    _log.info("window_ended")


@contextmanager
def _listening() -> Iterator[Signals]:
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
    signals = Signals(ours)
    signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signals.note)
    try:
        yield signals
    finally:
        signal.set_wakeup_fd(-1)
        ours.close()
        theirs.close()
