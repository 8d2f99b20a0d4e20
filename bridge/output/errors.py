"""Why a hand-over ended without the number having gone out whole. Every code begins with `output_`.

`sent` is how many keys or bytes went out before, prefix and suffix included: a count, never which.
"""

from __future__ import annotations

from bridge.errors import BridgeError


class OutputError(BridgeError):
    code = "output_failed"
    retriable = True

    def __init__(self, message: str = "", *, sent: int = 0) -> None:
        super().__init__(message or self.code)
        self.sent = sent


class OutputNotAllowed(OutputError):
    """This computer hands nothing over, or not in the way that the ticket asks for."""

    code = "output_not_allowed"
    retriable = False


class WindowMissing(OutputError):
    """None of the allowed windows got the focus in time. Nothing was typed."""

    code = "output_window_missing"


class WindowLost(OutputError):
    """The focus went elsewhere in the middle."""

    code = "output_window_lost"


class KeysHeld(OutputError):
    """Somebody held a key down for the whole time."""

    code = "output_keys_held"


class KeyboardUnfit(OutputError):
    """The keyboard layout in force has no plain key for a character."""

    code = "output_keyboard_unfit"


class KeyboardTaken(OutputError):
    """Another program holds the keyboard: a screen lock, or an open menu."""

    code = "output_keyboard_taken"


class InputMethodActive(OutputError):
    """The Japanese input method is on and would convert what is typed."""

    code = "output_input_method_active"


class DisplayMissing(OutputError):
    """There is no screen to type into."""

    code = "output_display_missing"


class SerialFailed(OutputError):
    """The serial device is not there, is busy, or did not take everything in time."""

    code = "output_serial_failed"
