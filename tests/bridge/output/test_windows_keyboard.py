"""The Windows wedge, as far as it shows without Windows: the bytes it hands over and the order of its calls."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from types import SimpleNamespace
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


WIDE = ctypes.sizeof(ctypes.c_void_p) == 8
LAYOUT = {  # winuser.h: octets of the structure, and where its fields begin, where pointers have 64 bits | 32 bits
    w.Input: ((40, {"type": 0, "u": 8}), (28, {"type": 0, "u": 4})),
    w.KeyboardInput: (
        (24, {"wVk": 0, "wScan": 2, "dwFlags": 4, "time": 8, "dwExtraInfo": 16}),
        (16, {"wVk": 0, "wScan": 2, "dwFlags": 4, "time": 8, "dwExtraInfo": 12}),
    ),
    w.MouseInput: (
        (32, {"dx": 0, "dy": 4, "mouseData": 8, "dwFlags": 12, "time": 16, "dwExtraInfo": 24}),
        (24, {"dx": 0, "dy": 4, "mouseData": 8, "dwFlags": 12, "time": 16, "dwExtraInfo": 20}),
    ),
}


@pytest.mark.parametrize("structure", LAYOUT, ids=lambda it: it.__name__)
def test_the_structures_lie_in_memory_as_windows_reads_them(structure: type[ctypes.Structure]) -> None:
    size, offsets = LAYOUT[structure][0 if WIDE else 1]
    assert ctypes.sizeof(structure) == size
    assert {name: getattr(structure, name).offset for name, *_ in structure._fields_} == offsets


@pytest.mark.skipif(not WIDE, reason="octets of 64 bits")
def test_a_digit_goes_as_these_octets() -> None:
    """type 1, no virtual key, U+0037, KEYEVENTF_UNICODE, then with KEYEVENTF_KEYUP; neither time nor extra."""
    press, release = "0100000000000000 0000 3700 04000000", "0100000000000000 0000 3700 06000000"
    assert bytes(w.build_inputs("7")) == bytes.fromhex(press + "00" * 24 + release + "00" * 24)


def test_enter_goes_as_a_virtual_key_since_a_control_character_is_no_key() -> None:
    (press, _) = w.build_inputs("\r")
    assert (press.type, press.ki.wVk, press.ki.wScan, press.ki.dwFlags) == (1, 0x0D, 0, 0)


def test_every_handle_is_declared_as_wide_as_a_pointer(monkeypatch: pytest.MonkeyPatch) -> None:
    """ctypes takes an undeclared argument or answer for an int of 32 bits."""
    libraries: dict[str, Any] = {}

    def load(name: str, **_options: object) -> Any:
        return libraries.setdefault(name, _Library())

    monkeypatch.setattr(ctypes, "WinDLL", load, raising=False)
    w.open_windows_keyboard()
    user32, kernel32, imm32 = (libraries[name] for name in ("user32", "kernel32", "imm32"))
    handle, uint, pointer = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_size_t
    assert user32.GetForegroundWindow.restype is handle
    assert user32.GetWindowTextW.argtypes == [handle, ctypes.c_wchar_p, ctypes.c_int]
    assert user32.GetWindowThreadProcessId.argtypes == [handle, ctypes.c_void_p]
    assert user32.SendMessageTimeoutW.argtypes == [handle, uint, pointer, pointer, uint, uint, ctypes.c_void_p]
    assert (user32.SendInput.argtypes, user32.SendInput.restype) == ([uint, ctypes.c_void_p, ctypes.c_int], uint)
    assert user32.GetAsyncKeyState.restype is ctypes.c_int16
    assert kernel32.OpenProcess.restype is handle
    assert kernel32.CloseHandle.argtypes == [handle]
    assert kernel32.QueryFullProcessImageNameW.argtypes == [handle, uint, ctypes.c_wchar_p, ctypes.c_void_p]
    assert (imm32.ImmGetDefaultIMEWnd.argtypes, imm32.ImmGetDefaultIMEWnd.restype) == ([handle], handle)


class _Library:
    """Stands for a library that is only declared."""

    def __getattr__(self, name: str) -> Any:
        function = SimpleNamespace(argtypes=None, restype=ctypes.c_int)
        setattr(self, name, function)
        return function


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
