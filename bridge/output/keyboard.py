"""What the typist needs of a desktop: whose window has the focus, and one key at a time. No implementation listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

Allow = Callable[[str, str], bool]  # (process, title) → may it be typed into?


@dataclass(frozen=True, slots=True)
class FocusedWindow:
    """`id` is the system's number of the window; the title may be about a person and is never logged."""

    id: int
    process: str
    title: str = field(repr=False)


class Keyboard(Protocol):
    def read_focus(self) -> FocusedWindow | None:
        """The window that keys go to now; None when there is none or its program cannot be told. Raises
        `OutputError`.
        """
        ...

    def prepare(self, keys: str) -> None:
        """Find every key before the first goes out. Raises `KeyboardUnfit`, `KeyboardTaken`, `InputMethodActive`."""
        ...

    def press(self, key: str, window: int, allow: Allow) -> bool:
        """Press and let go one key, if `window` has the focus and is still allowed: looked at and done in one step.

        False: somebody holds a key down, nothing was sent. Raises `WindowLost`, `KeyboardTaken`, `KeyboardUnfit`.
        """
        ...

    def close(self) -> None:
        """Put back what was changed, and let go."""
        ...
