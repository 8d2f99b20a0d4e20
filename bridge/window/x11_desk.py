"""The desk as its window manager keeps it (EWMH 1.5): the free area, who has the focus, and a window made a panel.

A window of the type DOCK is what every window manager knows as a panel: above the others, on every desktop, without
title bar and buttons, in no list of windows, and never given the focus, neither when it appears nor when it is touched.
`WM_HINTS` says the same in the words of ICCCM 4.1.7. Window managers read all this when a window appears, so that of
the browser is taken away for a moment and shown anew.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from Xlib import X, Xatom, Xutil
from Xlib.display import Display
from Xlib.error import BadWindow, CatchError, ConnectionClosedError, DisplayError
from Xlib.protocol.event import ClientMessage

from bridge.errors import SettingsError
from bridge.window.strip import Area, Side, build_strut

MANAGER_SECONDS = 10.0
ANSWERS = 3  # the first may have been under way; a browser that has answered so often has seen its own window appear
PAGER = 2  # of _NET_ACTIVE_WINDOW: asked by what moves windows for the user, so not refused as stolen
MOVE_AND_RESIZE = 2 << 12 | 0xF << 8 | X.StaticGravity
NO_MANAGER = "the desktop has no window manager that keeps a window in place (EWMH); use a second screen"
NO_DISPLAY = "the desktop cannot be reached; start this inside the session of this counter PC"
STUCK = "the window manager does not let the window be changed; use a second screen"
DESK_GONE = (ConnectionClosedError, OSError)


class Readable(Protocol):
    """What select() takes."""

    def fileno(self) -> int: ...


class X11Desk:
    """One connection to the display. Every method may raise `SettingsError`."""

    def __init__(self, display: str) -> None:
        try:
            self._display = Display(display)
        except (DisplayError, *DESK_GONE):
            raise SettingsError(NO_DISPLAY) from None
        self._root = self._display.screen().root
        if not self._read(self._root, "_NET_SUPPORTING_WM_CHECK"):
            self.close()
            raise SettingsError(NO_MANAGER)
        self._unanswered: dict[int, int] = {}  # window: pings yet to be answered before it gets its whole size
        self._listen()

    def close(self) -> None:
        with suppress(*DESK_GONE):
            self._display.close()

    def await_change(self, *others: Readable, seconds: float | None = None) -> None:
        """Until something on the desk changed, one of `others` can be read, or the time is up."""
        if not self._display.pending_events():
            select.select([self._display.fileno(), *(other.fileno() for other in others)], [], [], seconds)
        while self._display.pending_events():
            self._note(self._display.next_event())  # of all others, that something changed is all they say

    @property
    def width(self) -> int:
        return int(self._display.screen().width_in_pixels)

    def read_free_area(self) -> Area:
        """What no panel covers of the desktop in use."""
        numbers = self._read(self._root, "_NET_WORKAREA")
        desktop = next(iter(self._read(self._root, "_NET_CURRENT_DESKTOP")), 0)
        if len(numbers) >= 4 * (desktop + 1):
            return Area(*numbers[4 * desktop : 4 * desktop + 4])
        screen = self._display.screen()
        return Area(0, 0, screen.width_in_pixels, screen.height_in_pixels)

    def read_active(self, *, beside: str | None = None) -> int:
        """The window with the focus; 0 without one, or if it is of the program `beside`."""
        active = next(iter(self._read(self._root, "_NET_ACTIVE_WINDOW")), 0)
        return 0 if active and beside is not None and self._is_of(active, beside) else active

    def find_windows(self, window_class: str) -> list[int]:
        """Those of a program that the window manager shows."""
        return [window for window in self._read(self._root, "_NET_CLIENT_LIST") if self._is_of(window, window_class)]

    def await_gone(self, window_class: str) -> None:
        """Until there is no window of that program; none of it will answer any more."""
        self._await(lambda: not self.find_windows(window_class))
        self._unanswered.clear()
        self._listen()

    def make_panel(self, window: int, strip: Area, side: Side) -> None:
        """Show `window` anew as a panel in `strip`, but for its last row: `fill_panels`."""
        short = replace(strip, height=strip.height - 1)
        panel = self._resource(window)
        panel.unmap()
        self._await(lambda: window not in self._read(self._root, "_NET_CLIENT_LIST"))
        self._write(panel, "_NET_WM_WINDOW_TYPE", Xatom.ATOM, [self._atom("_NET_WM_WINDOW_TYPE_DOCK")])
        above = [self._atom(f"_NET_WM_STATE_{name}") for name in ("ABOVE", "STICKY", "SKIP_TASKBAR", "SKIP_PAGER")]
        self._write(panel, "_NET_WM_STATE", Xatom.ATOM, above)
        self._write(panel, "_NET_WM_STRUT_PARTIAL", Xatom.CARDINAL, build_strut(strip, side, self.width))
        self._write(panel, "_NET_WM_USER_TIME", Xatom.CARDINAL, [0])  # do not focus when it appears
        self._write(panel, "_MOTIF_WM_HINTS", self._atom("_MOTIF_WM_HINTS"), [2, 0, 0, 0, 0])  # no decorations
        panel.set_wm_hints(flags=Xutil.InputHint | Xutil.StateHint, input=0, initial_state=Xutil.NormalState)
        panel.set_wm_normal_hints(
            flags=Xutil.USPosition | Xutil.USSize | Xutil.PWinGravity, win_gravity=X.StaticGravity
        )
        panel.configure(x=short.x, y=short.y, width=short.width, height=short.height)
        panel.map()
        self._await(lambda: window in self._read(self._root, "_NET_CLIENT_LIST"))
        self._place(window, short)
        self._unanswered[window] = ANSWERS if self._answers_pings(window) else 0
        self._listen()
        self._ping(window)

    def fill_panels(self, strip: Area) -> None:
        """Give the panels whose browser has come to rest the whole of `strip`. To be called after every change."""
        for window in [window for window, left in self._unanswered.items() if not left]:
            del self._unanswered[window]
            self._place(window, strip)
            self._listen()

    def activate(self, window: int) -> None:
        """Give the focus to `window`."""
        self._ask(window, "_NET_ACTIVE_WINDOW", [PAGER, X.CurrentTime, 0, 0, 0])

    def _place(self, window: int, area: Area) -> None:
        self._ask(window, "_NET_MOVERESIZE_WINDOW", [MOVE_AND_RESIZE, area.x, area.y, area.width, area.height])

    # ---- pings (EWMH, _NET_WM_PING) ----

    def _answers_pings(self, window: int) -> bool:
        with suppress(BadWindow):
            return self._atom("_NET_WM_PING") in self._read(self._resource(window), "WM_PROTOCOLS")
        return False  # it closed

    def _ping(self, window: int) -> None:
        """The number of the window stands where a window manager puts a time, to tell our pings from its own."""
        if self._unanswered[window]:
            data = (32, [self._atom("_NET_WM_PING"), window, window, 0, 0])
            event = ClientMessage(window=window, client_type=self._atom("WM_PROTOCOLS"), data=data)
            self._resource(window).send_event(event, onerror=CatchError(BadWindow))
            self._display.sync()

    def _note(self, event: Any) -> None:
        """An answer comes to the root window, as it was sent but for that."""
        if event.type == X.ClientMessage and event.client_type == self._atom("WM_PROTOCOLS"):
            ping, ours, window, *_ = event.data[1]
            if ping == self._atom("_NET_WM_PING") and ours == window and self._unanswered.get(window):
                self._unanswered[window] -= 1
                self._ping(window)

    def _listen(self) -> None:
        """Answers are heard only while some are awaited: with them come all windows that open, move and close."""
        answers = X.SubstructureNotifyMask if self._unanswered else 0
        self._root.change_attributes(event_mask=X.PropertyChangeMask | answers)
        self._display.sync()

    # ---- properties ----

    def _resource(self, window: int) -> Any:
        return self._display.create_resource_object("window", window)

    def _atom(self, name: str) -> int:
        return int(self._display.intern_atom(name))

    def _read(self, window: Any, name: str) -> list[int]:
        property_ = window.get_full_property(self._atom(name), X.AnyPropertyType)
        return [int(number) for number in property_.value] if property_ is not None else []

    def _write(self, window: Any, name: str, kind: int, numbers: list[int]) -> None:
        window.change_property(self._atom(name), kind, 32, numbers)

    def _is_of(self, window: int, window_class: str) -> bool:
        try:
            names = self._resource(window).get_wm_class()
        except BadWindow:
            return False  # it closed while it was looked at
        return names is not None and names[1] == window_class

    def _ask(self, window: int, message: str, numbers: list[int]) -> None:
        """What only the window manager may do (EWMH, root window messages)."""
        event = ClientMessage(window=window, client_type=self._atom(message), data=(32, numbers))
        self._root.send_event(event, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)
        self._display.sync()

    def _await(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + MANAGER_SECONDS
        self._display.sync()
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0:
                raise SettingsError(STUCK)
            self.await_change(seconds=left)
