"""The Windows wedge, as far as it shows without Windows: the bytes it hands over and the order of its calls."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import pytest

from bridge.output import windows_keyboard as w
from bridge.output.errors import KeyboardTaken, KeyboardUnfit, WindowLost

WINDOW, METHOD = 0x1_0000_4711, 0x22


class Libraries:
    """Stands for user32, kernel32 and imm32."""

    def __init__(self) -> None:
        self.foreground: int | None = WINDOW
        self.title, self.path = "Loans - desk 1", "C:\\Program Files\\Lib\\Loans.exe"
        self.held: set[int] = set()
        self.open = False
        self.takes = 2
        self.sent: list[tuple[int, int, int]] = []
        self.said: list[tuple[int, int]] = []

    def GetForegroundWindow(self) -> int | None:
        return self.foreground

    def GetWindowTextW(self, _window: int, text: Any, _size: int) -> None:
        text.value = self.title

    def GetWindowThreadProcessId(self, _window: int, pid: Any) -> None:
        pid._obj.value = 99

    def OpenProcess(self, _access: int, _inherit: bool, pid: int) -> int:
        return pid + 1

    def CloseHandle(self, _handle: int) -> None:
        return None

    def QueryFullProcessImageNameW(self, _handle: int, _flags: int, path: Any, _size: Any) -> bool:
        path.value = self.path
        return True

    def ImmGetDefaultIMEWnd(self, _window: int) -> int:
        return METHOD

    def SendMessageTimeoutW(self, *given: Any) -> None:
        _window, _message, question, value, *_rest, answer = given
        self.said.append((question, value))
        if question == w.IMC_SETOPENSTATUS:
            self.open = bool(value)
        answer._obj.value = int(self.open)

    def GetAsyncKeyState(self, key: int) -> int:
        return -32768 if key in self.held else 0

    def SendInput(self, count: int, inputs: Any, size: int) -> int:
        assert (count, size) == (2, ctypes.sizeof(w.Input))
        self.sent += [(item.ki.wVk, item.ki.wScan, item.ki.dwFlags) for item in inputs]
        return self.takes


def allow(process: str, title: str) -> bool:
    return process == "Loans.exe" and title.startswith("Loans")


def build(libraries: Libraries) -> w.WindowsKeyboard:
    return w.WindowsKeyboard(libraries, libraries, libraries)


def test_the_structures_have_the_sizes_of_windows() -> None:
    pointer = ctypes.sizeof(ctypes.c_void_p)
    assert ctypes.sizeof(w.Input) == (40 if pointer == 8 else 28)
    assert w.Input.u.offset == (8 if pointer == 8 else 4)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("7", [(0, 0x37, w.KEYEVENTF_UNICODE), (0, 0x37, w.KEYEVENTF_UNICODE | w.KEYEVENTF_KEYUP)]),
        ("A", [(0, 0x41, w.KEYEVENTF_UNICODE), (0, 0x41, w.KEYEVENTF_UNICODE | w.KEYEVENTF_KEYUP)]),
        ("\r", [(w.VK_RETURN, 0, 0), (w.VK_RETURN, 0, w.KEYEVENTF_KEYUP)]),
        ("\t", [(w.VK_TAB, 0, 0), (w.VK_TAB, 0, w.KEYEVENTF_KEYUP)]),
    ],
)
def test_a_key_is_one_press_and_one_release(key: str, expected: list[tuple[int, int, int]]) -> None:
    libraries = Libraries()
    assert build(libraries).press(key, WINDOW, allow)
    assert libraries.sent == expected


def test_the_program_is_told_by_its_file_name() -> None:
    focus = build(Libraries()).read_focus()
    assert focus is not None
    assert (focus.id, focus.process, focus.title) == (WINDOW, "Loans.exe", "Loans - desk 1")


def _other_window(it: Libraries) -> None:
    it.foreground = WINDOW + 1


def _other_title(it: Libraries) -> None:
    it.title = "Settings"


def _no_window(it: Libraries) -> None:
    it.foreground = None


@pytest.mark.parametrize("change", [_other_window, _other_title, _no_window])
def test_no_key_goes_to_another_window(change: Callable[[Libraries], None]) -> None:
    libraries = Libraries()
    change(libraries)
    with pytest.raises(WindowLost):
        build(libraries).press("7", WINDOW, allow)
    assert libraries.sent == []


def test_a_held_modifier_is_waited_for() -> None:
    libraries = Libraries()
    libraries.held = {w.VK_CONTROL}
    assert not build(libraries).press("7", WINDOW, allow)
    assert libraries.sent == []


def test_keys_that_windows_does_not_take_end_it() -> None:
    libraries = Libraries()
    libraries.takes = 0
    with pytest.raises(KeyboardTaken):
        build(libraries).press("7", WINDOW, allow)


def test_an_open_input_method_is_closed_and_opened_again() -> None:
    libraries = Libraries()
    libraries.open = True
    keyboard = build(libraries)
    keyboard.prepare("7\r")
    assert not libraries.open
    keyboard.close()
    assert libraries.open
    assert libraries.said == [(w.IMC_GETOPENSTATUS, 0), (w.IMC_SETOPENSTATUS, 0), (w.IMC_SETOPENSTATUS, 1)]


def test_a_closed_input_method_is_left_alone() -> None:
    libraries = Libraries()
    keyboard = build(libraries)
    keyboard.prepare("7")
    keyboard.close()
    assert libraries.said == [(w.IMC_GETOPENSTATUS, 0)]


def test_other_characters_are_refused() -> None:
    with pytest.raises(KeyboardUnfit):
        build(Libraries()).prepare("7!")
