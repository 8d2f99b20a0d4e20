"""Where the narrow window lies: a strip at the left or right edge of the desk's free area. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bridge.errors import SettingsError

Side = Literal["left", "right"]
NARROWEST, WIDEST, LOWEST = 360, 480, 720  # for which the page has its narrow form (static/kiosk/narrow.css)


@dataclass(frozen=True, slots=True)
class Area:
    """Pixels from the upper left corner of the whole screen."""

    x: int
    y: int
    width: int
    height: int


def build_strip(free: Area, side: Side, width: int) -> Area:
    """The strip within `free`, the part of the screen that no panel covers. Raises `SettingsError`."""
    if not NARROWEST <= width <= WIDEST:
        raise SettingsError(f"--width must be between {NARROWEST} and {WIDEST}")
    if free.width < 2 * width or free.height < LOWEST:
        raise SettingsError(
            f"this screen is too small to give {width}×{LOWEST} of it to residents; use a second screen"
        )
    return Area(free.x if side == "left" else free.x + free.width - width, free.y, width, free.height)


def build_strut(strip: Area, side: Side, screen_width: int) -> list[int]:
    """The twelve numbers of _NET_WM_STRUT_PARTIAL: maximised windows end where the strip begins."""
    last = strip.y + strip.height - 1
    if side == "left":
        return [strip.x + strip.width, 0, 0, 0, strip.y, last, 0, 0, 0, 0, 0, 0]
    return [0, screen_width - strip.x, 0, 0, 0, 0, strip.y, last, 0, 0, 0, 0]
