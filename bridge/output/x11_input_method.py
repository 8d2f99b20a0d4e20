"""Whether a Japanese input method would convert keys now, asked of fcitx and IBus with their own tools.

A key code that the wedge sends is, for a program, the same as one of the real keyboard, so an input method that is on
converts it; there are no key codes that every input method leaves alone. The wedge therefore asks first and refuses.
A program that is not there, or says nothing within a second, converts nothing that could be asked about.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence

ASK_SECONDS = 1.0
FCITX_ACTIVE = "2"  # 0 closed, 1 inactive, 2 active
PLAIN_ENGINE = "xkb:"  # IBus's engines that are a keyboard layout and nothing else

Ask = Callable[[Sequence[str]], str]


def ask_program(command: Sequence[str]) -> str:
    """Its answer, "" without one."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            command, capture_output=True, text=True, timeout=ASK_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def is_input_method_active(ask: Ask = ask_program) -> bool:
    """True when what is typed now would be converted."""
    for program in ("fcitx5-remote", "fcitx-remote"):
        if ask([program]) == FCITX_ACTIVE:
            return True
    engine = ask(["ibus", "engine"])
    return bool(engine) and not engine.startswith(PLAIN_ENGINE)
