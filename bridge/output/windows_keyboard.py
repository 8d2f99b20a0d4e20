"""Keys into a Windows program with SendInput, and nothing that listens (no hook, no GetAsyncKeyState of letters).

Characters go as Unicode key events (`KEYEVENTF_UNICODE`): they do not depend on the layout, on Caps Lock or on Shift.
Enter and Tab go as virtual keys. An input method that is open in the window is closed for the time of typing and opened
again. SendInput reports how many events it took; it takes none into a window of higher integrity (UIPI) and none while
the screen is locked. There is no lock like X11's between the look at the focus and the key: the gap is one system call.
"""

from __future__ import annotations

import ctypes
from typing import Any, ClassVar

from bridge.output.errors import DisplayMissing, KeyboardTaken, KeyboardUnfit, WindowLost
from bridge.output.keyboard import Allow, FocusedWindow

INPUT_KEYBOARD = 1
KEYEVENTF_KEYUP, KEYEVENTF_UNICODE = 0x0002, 0x0004
VK_TAB, VK_RETURN, VK_SHIFT, VK_CONTROL, VK_MENU, VK_LWIN, VK_RWIN = 0x09, 0x0D, 0x10, 0x11, 0x12, 0x5B, 0x5C
MODIFIERS = (VK_SHIFT, VK_CONTROL, VK_MENU, VK_LWIN, VK_RWIN)
NAMED = {"\r": VK_RETURN, "\t": VK_TAB}
PROCESS_QUERY_LIMITED_INFORMATION = 0x1000
WM_IME_CONTROL, IMC_GETOPENSTATUS, IMC_SETOPENSTATUS = 0x0283, 0x0005, 0x0006
SMTO_ABORTIFHUNG = 0x0002
ASK_MILLISECONDS = 500
MAXIMUM_PATH, MAXIMUM_TITLE = 32_768, 512

# fixed widths, so that the layout is the same wherever it is tested
_Word, _Dword, _Long, _Pointer = ctypes.c_uint16, ctypes.c_uint32, ctypes.c_int32, ctypes.c_size_t


class KeyboardInput(ctypes.Structure):
    """KEYBDINPUT."""

    _fields_: ClassVar[Any] = [
        ("wVk", _Word),
        ("wScan", _Word),
        ("dwFlags", _Dword),
        ("time", _Dword),
        ("dwExtraInfo", _Pointer),
    ]


class MouseInput(ctypes.Structure):
    """MOUSEINPUT: never sent; it gives the union its size."""

    _fields_: ClassVar[Any] = [
        ("dx", _Long),
        ("dy", _Long),
        ("mouseData", _Dword),
        ("dwFlags", _Dword),
        ("time", _Dword),
        ("dwExtraInfo", _Pointer),
    ]


class _Union(ctypes.Union):
    _fields_: ClassVar[Any] = [("ki", KeyboardInput), ("mi", MouseInput)]


class Input(ctypes.Structure):
    """INPUT."""

    _anonymous_ = ("u",)
    _fields_: ClassVar[Any] = [("type", _Dword), ("u", _Union)]


def build_inputs(key: str) -> Any:
    """The press and the release of one key, as an array of two INPUT."""
    virtual = NAMED.get(key)
    inputs = (Input * 2)()
    for index, flags in enumerate((0, KEYEVENTF_KEYUP)):
        inputs[index].type = INPUT_KEYBOARD
        if virtual is not None:
            inputs[index].ki = KeyboardInput(virtual, 0, flags, 0, 0)
        else:
            inputs[index].ki = KeyboardInput(0, ord(key), flags | KEYEVENTF_UNICODE, 0, 0)
    return inputs


class WindowsKeyboard:
    """`user32`, `kernel32` and `imm32` are the libraries of the system."""

    def __init__(self, user32: Any, kernel32: Any, imm32: Any) -> None:
        self._user32 = user32
        self._kernel32 = kernel32
        self._imm32 = imm32
        self._reopen = 0  # the input method window to open again, 0 for none

    def close(self) -> None:
        if self._reopen:
            self._ask_input_method(self._reopen, IMC_SETOPENSTATUS, 1)
            self._reopen = 0

    def read_focus(self) -> FocusedWindow | None:
        window = self._user32.GetForegroundWindow()
        if not window:
            return None
        process = self._read_process(window)
        return FocusedWindow(int(window), process, self._read_title(window)) if process else None

    def _read_title(self, window: int) -> str:
        text = ctypes.create_unicode_buffer(MAXIMUM_TITLE)
        self._user32.GetWindowTextW(window, text, MAXIMUM_TITLE)
        return text.value

    def _read_process(self, window: int) -> str:
        pid = _Dword()
        self._user32.GetWindowThreadProcessId(window, ctypes.byref(pid))
        handle = self._kernel32.OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, False, pid.value)
        if not handle:
            return ""
        try:
            path, size = ctypes.create_unicode_buffer(MAXIMUM_PATH), _Dword(MAXIMUM_PATH)
            if not self._kernel32.QueryFullProcessImageNameW(handle, 0, path, ctypes.byref(size)):
                return ""
            return path.value.rsplit("\\", 1)[-1]
        finally:
            self._kernel32.CloseHandle(handle)

    def prepare(self, keys: str) -> None:
        if not all(key in NAMED or ("0" <= key <= "9") or ("A" <= key <= "Z") for key in keys):
            raise KeyboardUnfit
        window = self._user32.GetForegroundWindow()
        method = self._imm32.ImmGetDefaultIMEWnd(window) if window else 0
        if method and self._ask_input_method(method, IMC_GETOPENSTATUS, 0):
            self._ask_input_method(method, IMC_SETOPENSTATUS, 0)
            self._reopen = method

    def _ask_input_method(self, method: int, question: int, value: int) -> int:
        answer = _Pointer()
        self._user32.SendMessageTimeoutW(
            method, WM_IME_CONTROL, question, value, SMTO_ABORTIFHUNG, ASK_MILLISECONDS, ctypes.byref(answer)
        )
        return int(answer.value)

    def press(self, key: str, window: int, allow: Allow) -> bool:
        focus = self.read_focus()
        if focus is None or focus.id != window or not allow(focus.process, focus.title):
            raise WindowLost
        if any(self._user32.GetAsyncKeyState(modifier) & 0x8000 for modifier in MODIFIERS):
            return False
        inputs = build_inputs(key)
        if self._user32.SendInput(len(inputs), inputs, ctypes.sizeof(Input)) != len(inputs):
            raise KeyboardTaken
        return True


def open_windows_keyboard() -> WindowsKeyboard:
    """The keyboard of this session. Raises `DisplayMissing` on any other system."""
    load = getattr(ctypes, "WinDLL", None)
    if load is None:
        raise DisplayMissing
    user32, kernel32, imm32 = load("user32", use_last_error=True), load("kernel32", use_last_error=True), load("imm32")
    # handles are pointers: without this, ctypes would cut them to 32 bits
    user32.GetForegroundWindow.restype = ctypes.c_void_p
    user32.GetWindowTextW.argtypes = [ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_int]
    user32.GetWindowThreadProcessId.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    user32.SendMessageTimeoutW.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint32,
        _Pointer,
        _Pointer,
        ctypes.c_uint32,
        ctypes.c_uint32,
        ctypes.c_void_p,
    ]
    user32.SendInput.argtypes = [ctypes.c_uint32, ctypes.c_void_p, ctypes.c_int]
    user32.SendInput.restype = ctypes.c_uint32
    user32.GetAsyncKeyState.argtypes = [ctypes.c_int]
    user32.GetAsyncKeyState.restype = ctypes.c_int16
    kernel32.OpenProcess.argtypes = [ctypes.c_uint32, ctypes.c_int, ctypes.c_uint32]
    kernel32.OpenProcess.restype = ctypes.c_void_p
    kernel32.CloseHandle.argtypes = [ctypes.c_void_p]
    kernel32.QueryFullProcessImageNameW.argtypes = [
        ctypes.c_void_p,
        ctypes.c_uint32,
        ctypes.c_wchar_p,
        ctypes.c_void_p,
    ]
    imm32.ImmGetDefaultIMEWnd.argtypes = [ctypes.c_void_p]
    imm32.ImmGetDefaultIMEWnd.restype = ctypes.c_void_p
    return WindowsKeyboard(user32, kernel32, imm32)
