"""What the bridge's own window shows, and what the resident does there: the words between bridge and window. PURE.

Both sides are this program; each line is one JSON object.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Literal

from bridge.strict_json import NotStrict, build_text, parse_object

MAXIMUM_LINE = 2048
Step = Literal["asking", "card", "reading", "pin", "last_try", "working", "ended"]


@dataclass(frozen=True, slots=True)
class View:
    """One face of the window. `code`: what the reader lacks at `card`, why it ended at `ended`. `wrong`: the PIN before
    was. `minimum` and `maximum`: its length.
    """

    step: Step
    origin: str
    system: str
    code: str = ""
    tries_left: int = 0
    minimum: int = 4
    maximum: int = 4
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class Agreed:
    """Go on with this page."""


@dataclass(frozen=True, slots=True)
class LastTryConfirmed:
    """Use the last try."""


@dataclass(frozen=True, slots=True)
class Declined:
    """Cancelled, or the window was closed."""


@dataclass(frozen=True, slots=True)
class PinTyped:
    characters: bytearray = field(repr=False)


@dataclass(frozen=True, slots=True)
class WindowGone:
    """The window ended by itself. `opened`: it had been there."""

    opened: bool


WindowAction = Agreed | LastTryConfirmed | Declined | PinTyped | WindowGone


def build_view_line(view: View) -> str:
    return build_text(asdict(view))


def parse_view_line(line: str) -> View:
    """Raises `NotStrict` or `TypeError`."""
    return View(**parse_object(line, limit=MAXIMUM_LINE))


def build_action_line(action: WindowAction) -> str:
    """Raises `ValueError` for what a window does not say."""
    match action:
        case PinTyped(characters):
            return build_text({"act": "pin", "pin": characters.decode("ascii")})
        case Agreed():
            return build_text({"act": "agree"})
        case LastTryConfirmed():
            return build_text({"act": "confirm"})
        case Declined():
            return build_text({"act": "decline"})
        case _:
            raise ValueError("not an action of a window")


def parse_action_line(line: str | bytes) -> WindowAction:
    """Raises `NotStrict`, which does not quote the line."""
    value = parse_object(line, limit=MAXIMUM_LINE)
    match value:
        case {"act": "pin", "pin": str(pin)} if len(value) == 2 and pin.isascii():
            return PinTyped(bytearray(pin, "ascii"))
        case {"act": "agree"} if len(value) == 1:
            return Agreed()
        case {"act": "confirm"} if len(value) == 1:
            return LastTryConfirmed()
        case {"act": "decline"} if len(value) == 1:
            return Declined()
        case _:
            raise NotStrict("not an action")
