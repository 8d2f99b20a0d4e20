"""A desk with a real window manager (Openbox), looked at as any program can, and the hand on its mouse."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator

from Xlib import X, Xutil
from Xlib.display import Display
from Xlib.error import BadWindow
from Xlib.protocol.event import ClientMessage

from tests.support import x11

MANAGER = "openbox"


def find_missing_program() -> str | None:
    return x11.find_missing_program() or (None if shutil.which(MANAGER) else MANAGER)


@contextlib.contextmanager
def running_manager(display: str) -> Iterator[Desk]:
    """Openbox with its own settings of Debian."""
    manager = subprocess.Popen(
        [MANAGER, "--sm-disable"],
        env={**os.environ, "DISPLAY": display},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    desk = Desk(display)
    try:
        x11.wait_for(lambda: desk.read(desk.root, "_NET_SUPPORTING_WM_CHECK") and desk.read(desk.root, "_NET_WORKAREA"))
        yield desk
    finally:
        desk.close()
        manager.terminate()
        manager.wait(x11.PATIENCE_SECONDS)


class Desk:
    """Numbers of windows are the X server's."""

    def __init__(self, display: str) -> None:
        self._display = Display(display)
        self.root = self._display.screen().root

    def close(self) -> None:
        self._display.close()

    def window(self, number: int) -> object:
        return self._display.create_resource_object("window", number)

    def read(self, window: object, name: str) -> list[int]:
        found = window.get_full_property(self._display.intern_atom(name), X.AnyPropertyType)  # type: ignore[attr-defined]
        return [int(number) for number in found.value] if found is not None else []

    def atom(self, name: str) -> int:
        return int(self._display.intern_atom(name))

    @property
    def active(self) -> int:
        return next(iter(self.read(self.root, "_NET_ACTIVE_WINDOW")), 0)

    @property
    def stacking(self) -> list[int]:
        """From the lowest to the highest."""
        return self.read(self.root, "_NET_CLIENT_LIST_STACKING")

    def find(self, window_class: str) -> int:
        """Wait for a window of that class."""
        found: list[int] = []

        def look() -> bool:
            found[:] = [number for number in self.stacking if self._class_of(number) == window_class]
            return bool(found)

        x11.wait_for(look)
        return found[0]

    def _class_of(self, number: int) -> str:
        try:
            names = self.window(number).get_wm_class()  # type: ignore[attr-defined]
        except BadWindow:
            return ""  # it closed while it was looked at
        return names[1] if names else ""

    def place_of(self, number: int) -> tuple[int, int, int, int]:
        """x, y, width, height without the frame."""
        window = self.window(number)
        size = window.get_geometry()  # type: ignore[attr-defined]
        corner = self.root.translate_coords(window, 0, 0)
        return corner.x, corner.y, size.width, size.height

    def read_type(self, number: int) -> list[int]:
        """Atoms of EWMH; none for a window that is gone."""
        try:
            return self.read(self.window(number), "_NET_WM_WINDOW_TYPE")
        except BadWindow:
            return []

    def takes_input(self, number: int) -> bool:
        """In the words of ICCCM 4.1.7."""
        hints = self.window(number).get_wm_hints()  # type: ignore[attr-defined]
        return hints is None or not hints.flags & Xutil.InputHint or bool(hints.input)

    def close_program_of(self, number: int) -> None:
        """As if it had crashed."""
        self.window(number).kill_client()  # type: ignore[attr-defined]
        self._display.sync()

    def maximise(self, number: int, *, on: bool = True) -> None:
        states = [self.atom(f"_NET_WM_STATE_MAXIMIZED_{side}") for side in ("VERT", "HORZ")]
        data = (32, [int(on), *states, 1, 0])
        message = ClientMessage(window=number, client_type=self.atom("_NET_WM_STATE"), data=data)
        self.root.send_event(message, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)
        self._display.sync()

    def click(self, x: int, y: int) -> None:
        self._display.xtest_fake_input(X.MotionNotify, x=x, y=y)
        self._display.xtest_fake_input(X.ButtonPress, 1)
        self._display.xtest_fake_input(X.ButtonRelease, 1)
        self._display.sync()


class FocusWatch:
    """Whether a window lost the focus since this began, however shortly: the X server tells every loss."""

    def __init__(self, display: str, number: int) -> None:
        self._display = Display(display)
        self._display.create_resource_object("window", number).change_attributes(event_mask=X.FocusChangeMask)
        self._display.sync()

    def count_losses(self) -> int:
        self._display.sync()
        losses = 0
        while self._display.pending_events():
            event = self._display.next_event()
            losses += event.type == X.FocusOut and event.detail != X.NotifyInferior
        return losses

    def close(self) -> None:
        self._display.close()
