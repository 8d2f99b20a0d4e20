"""Keys into an X11 program, with the XTEST extension and nothing that listens.

Every key is looked at and sent while this connection holds the server (GrabServer): between the look at focus, title,
held keys and the key itself, no other program's request is served, so the focus cannot move in between. The layout in
force is used as it is and never changed, so there is nothing to put back and no program has to learn a new one. The
owner of a window is asked of the server (X-Resource), since a window's own word about its process can be false.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from Xlib import XK, X
from Xlib.display import Display
from Xlib.error import BadWindow, ConnectionClosedError, DisplayError, XError
from Xlib.ext import res

from bridge.output.errors import DisplayMissing, InputMethodActive, KeyboardTaken, KeyboardUnfit, WindowLost
from bridge.output.keyboard import Allow, FocusedWindow
from bridge.output.x11_input_method import is_input_method_active

GROUP_SHIFT, GROUP_MASK = 13, 3  # bits of the state field that tell the keyboard group (XKB protocol, 2.2.2)
MODIFIERS = 0xFF
NAMED = {"\r": XK.XK_Return, "\t": XK.XK_Tab}
HARMLESS = (XK.XK_Num_Lock, XK.XK_Scroll_Lock)
MAXIMUM_ANCESTORS = 32


class X11Keyboard:
    """One connection to the display, for one hand-over."""

    def __init__(self, display: str) -> None:
        """Raises `DisplayMissing`, also for a server without XTEST or X-Resource."""
        try:
            self._display = Display(display)
        except (DisplayError, ConnectionClosedError, OSError):
            raise DisplayMissing from None
        if not (self._display.has_extension("XTEST") and self._display.has_extension(res.extname)):
            self._display.close()
            raise DisplayMissing
        self._root = self._display.screen().root
        # never shown, so that a try to grab the keyboard for it can tell who has it and cannot succeed
        self._probe = self._root.create_window(0, 0, 1, 1, 0, 0, X.InputOnly, X.CopyFromParent)
        self._title = self._display.intern_atom("_NET_WM_NAME")
        self._utf8 = self._display.intern_atom("UTF8_STRING")
        self._shift = 0
        self._lock_is_caps = True
        self._ignored = 0

    def close(self) -> None:
        try:
            self._display.close()
        except (ConnectionClosedError, OSError):
            return

    # ---- the focus ----

    def read_focus(self) -> FocusedWindow | None:
        with self._talking():
            try:
                return self._find_focus()
            except BadWindow:
                return None  # it closed while it was looked at

    def _find_focus(self) -> FocusedWindow | None:
        window: Any = self._display.get_input_focus().focus
        if isinstance(window, int):
            return None  # nobody, or whatever lies under the pointer
        top, root = window, self._root
        for _ in range(MAXIMUM_ANCESTORS):
            if top.get_wm_class() is not None:
                process = self._find_process(window.id)
                return FocusedWindow(window.id, process, self._read_title(top)) if process else None
            parent = top.query_tree().parent
            if isinstance(parent, int) or parent.id == root.id:
                return None
            top = parent
        return None

    def _read_title(self, window: Any) -> str:
        property_ = window.get_full_property(self._title, self._utf8)
        if property_ is not None:
            value = property_.value
            return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        name = window.get_wm_name()
        return name.decode("latin-1") if isinstance(name, bytes) else (name or "")

    def _find_process(self, window: int) -> str:
        """The file name of the program that made the window; "" for another computer's. Asked each time: the server
        gives the numbers of a program that has ended to the next one that starts.
        """
        reply: Any = res.query_client_ids(self._display, [(window, res.LocalClientPIDMask)])
        pids = [int(item.value[0]) for item in reply.ids if item.value]
        return _read_program(pids[0]) if pids else ""

    # ---- the keys ----

    def prepare(self, keys: str) -> None:
        if is_input_method_active():
            raise InputMethodActive
        with self._talking():
            self._read_modifiers()
            self._require_keyboard()
            state = self._read_state()
            for key in dict.fromkeys(keys):
                self._find_key(key, state)

    def press(self, key: str, window: int, allow: Allow) -> bool:
        with self._talking(), self._holding_server():
            try:
                focus = self._find_focus()
            except BadWindow:
                focus = None
            if focus is None or focus.id != window or not allow(focus.process, focus.title):
                raise WindowLost
            self._follow_layout()
            self._require_keyboard()
            state = self._read_state()
            if any(self._display.query_keymap()) or state & MODIFIERS & ~(X.LockMask | self._ignored):
                return False
            code, shifted = self._find_key(key, state)
            codes = (self._shift, code) if shifted else (code,)
            for item in codes:
                self._display.xtest_fake_input(X.KeyPress, item)
            for item in reversed(codes):
                self._display.xtest_fake_input(X.KeyRelease, item)
            self._display.sync()
            return True

    def _follow_layout(self) -> None:
        """The layout was changed in the middle: the server tells every program, unasked."""
        while self._display.pending_events():
            event = self._display.next_event()
            if event.type == X.MappingNotify:
                self._display.refresh_keyboard_mapping(event)

    def _read_state(self) -> int:
        return int(self._root.query_pointer().mask)

    def _require_keyboard(self) -> None:
        """The answer is `GrabNotViewable` unless another program holds the keyboard: nothing is ever grabbed."""
        status = self._probe.grab_keyboard(False, X.GrabModeAsync, X.GrabModeAsync, X.CurrentTime)
        if status != X.GrabNotViewable:
            self._display.ungrab_keyboard(X.CurrentTime)
            raise KeyboardTaken

    def _read_modifiers(self) -> None:
        mapping = self._display.get_modifier_mapping()
        shift = [code for code in mapping[X.ShiftMapIndex] if code]
        if not shift:
            raise KeyboardUnfit
        self._shift = shift[0]
        locks = [code for code in mapping[X.LockMapIndex] if code]
        self._lock_is_caps = all(XK.XK_Caps_Lock in self._read_symbols(code) for code in locks)
        self._ignored = 0
        for index, codes in enumerate(mapping):
            used = [code for code in codes if code]
            if used and all(set(self._read_symbols(code)) & set(HARMLESS) for code in used):
                self._ignored |= 1 << index

    def _read_symbols(self, code: int) -> list[int]:
        return [int(symbol) for symbol in self._display.get_keyboard_mapping(code, 1)[0]]

    def _find_key(self, key: str, state: int) -> tuple[int, bool]:
        """Its code and whether Shift goes with it, in the keyboard group and with the Caps Lock that hold now."""
        group = state >> GROUP_SHIFT & GROUP_MASK
        locked = bool(state & X.LockMask)
        if group > 1 or (locked and not self._lock_is_caps):
            raise KeyboardUnfit
        wanted = NAMED.get(key, ord(key))  # a keysym of Latin-1 is its character
        if key.isalpha():
            column = self._find_column(ord(key.lower()), group, 0, pair=wanted)
            return column, not locked
        for level in (0, 1):
            try:
                return self._find_column(wanted, group, level), bool(level)
            except KeyboardUnfit:
                continue
        raise KeyboardUnfit

    def _find_column(self, symbol: int, group: int, level: int, pair: int | None = None) -> int:
        for code, index in self._display.keysym_to_keycodes(symbol):
            if index != group * 2 + level:
                continue
            if pair is None or self._display.keycode_to_keysym(code, group * 2 + 1) in (pair, X.NoSymbol):
                return int(code)
        raise KeyboardUnfit

    # ---- the connection ----

    @contextmanager
    def _holding_server(self) -> Iterator[None]:
        self._display.grab_server()
        try:
            yield
        finally:
            self._display.ungrab_server()
            self._display.sync()

    @contextmanager
    def _talking(self) -> Iterator[None]:
        try:
            yield
        except (ConnectionClosedError, OSError):
            raise DisplayMissing from None
        except XError:
            raise WindowLost from None


def _read_program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/exe").readlink().name.removesuffix(" (deleted)")
    except OSError:
        return ""
