"""Type one text into one allowed window, or stop. Clock and waiting come in; the desktop is behind `Keyboard`."""

from __future__ import annotations

from collections.abc import Callable

from bridge.errors import BridgeError
from bridge.output.errors import KeysHeld, OutputError, WindowMissing
from bridge.output.keyboard import FocusedWindow, Keyboard
from bridge.output.settings import WAIT_SECONDS, OutputSettings

POLL_SECONDS = 0.05
HELD_SECONDS = 2.0  # how long a key of the user may stay down in the middle


class OutputEnded(Exception):
    """The hand-over was ended from outside, for `error`, after `sent` keys."""

    def __init__(self, error: BridgeError, sent: int) -> None:
        super().__init__(error.code)
        self.error = error
        self.sent = sent


class Typist:
    """`check` raises a `BridgeError` when the hand-over must end: card gone, page gone. Asked before each key."""

    def __init__(
        self,
        keyboard: Keyboard,
        settings: OutputSettings,
        *,
        check: Callable[[], None],
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._keyboard = keyboard
        self._settings = settings
        self._check = check
        self._clock = clock
        self._sleep = sleep
        self._wait_seconds = wait_seconds

    def type_text(self, text: str) -> int:
        """How many keys went out, which is all of them. Raises `OutputError` with `sent`, or `OutputEnded`."""
        sent = 0
        try:
            window = self._await_window()
            self._keyboard.prepare(text)
            for key in text:
                self._press(key, window)
                sent += 1
                self._sleep(self._settings.inter_key_ms / 1000)
        except OutputError as trouble:
            trouble.sent = sent
            raise
        except BridgeError as trouble:
            raise OutputEnded(trouble, sent) from None
        return sent

    def _await_window(self) -> FocusedWindow:
        deadline = self._clock() + self._wait_seconds
        while True:
            self._check()
            window = self._keyboard.read_focus()
            if window is not None and self._settings.allow(window.process, window.title):
                return window
            if self._clock() >= deadline:
                raise WindowMissing
            self._sleep(POLL_SECONDS)

    def _press(self, key: str, window: FocusedWindow) -> None:
        deadline = self._clock() + HELD_SECONDS
        while True:
            self._check()
            if self._keyboard.press(key, window.id, self._settings.allow):
                return
            if self._clock() >= deadline:
                raise KeysHeld
            self._sleep(POLL_SECONDS)
