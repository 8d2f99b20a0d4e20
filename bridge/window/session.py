"""Whether this desktop session can keep the narrow window, and what it needs there."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bridge.errors import SettingsError
from bridge.terminal import judge_origin, load_terminal
from bridge.window.browser import find_browser
from bridge.window.strip import Side

PROFILE_FOLDER = "browser"
NOT_HERE = "only a session of X11 lets a window be kept from the keyboard; take a second screen (docs/handover.md)"
NO_DISPLAY = "there is no DISPLAY: start this inside the desktop session of this counter PC"
NO_PACKAGE = "this needs the package of the extra `wedge`: pip install 'mynumber-kiosk[wedge]'"


def judge_session(platform: str, environment: Mapping[str, str]) -> None:
    """Raises `SettingsError` where no window can be kept. `platform` is `sys.platform`."""
    wayland = environment.get("XDG_SESSION_TYPE") == "wayland" or environment.get("WAYLAND_DISPLAY")
    if platform in ("win32", "darwin") or wayland:
        raise SettingsError(NOT_HERE)
    if not environment.get("DISPLAY"):
        raise SettingsError(NO_DISPLAY)


def show_window(
    state: Path,
    *,
    page: str | None,
    browser: str | None,
    side: Side,
    width: int,
    more: Sequence[str],
    environment: Mapping[str, str],
) -> None:
    """Keep the window until SIGINT or SIGTERM. `page` is an origin; without it the terminal in `state` says which.

    Raises `SettingsError`.
    """
    judge_session(sys.platform, environment)
    try:
        from bridge.window.run import WindowSettings, keep_window
    except ImportError:
        raise SettingsError(NO_PACKAGE) from None
    keep_window(
        WindowSettings(
            address=(load_terminal(state).origin if page is None else judge_origin(page)) + "/",
            program=find_browser(browser),
            profile=state / PROFILE_FOLDER,
            side=side,
            width=width,
            environment=environment,
            more=more,
        )
    )
