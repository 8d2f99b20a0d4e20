"""Which desktop this is, and its keyboard. What cannot be typed into safely is refused by name."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from bridge.errors import SettingsError
from bridge.output.keyboard import Keyboard

WAYLAND = (
    "output = wedge: Wayland lets no program type into another's window (its X11 windows alone could be reached); "
    "sign in to an X11 session, or use output = serial"
)
MACOS = "output = wedge: macOS is not supported; use output = serial"
NO_PACKAGE = "output = wedge needs the package of the extra `wedge`: pip install 'mynumber-kiosk[wedge]'"


def judge_desktop(platform: str, environment: Mapping[str, str]) -> None:
    """Raises `SettingsError` for a desktop that the wedge does not type into. `platform` is `sys.platform`."""
    if platform == "darwin":
        raise SettingsError(MACOS)
    if platform == "win32":
        return
    if environment.get("XDG_SESSION_TYPE") == "wayland" or environment.get("WAYLAND_DISPLAY"):
        raise SettingsError(WAYLAND)
    if not environment.get("DISPLAY"):
        raise SettingsError(
            "output = wedge needs DISPLAY: run the bridge inside the desktop session of this counter PC"
        )


def open_keyboard(environment: Mapping[str, str]) -> Keyboard:
    """A keyboard for one hand-over. Raises `DisplayMissing`."""
    if sys.platform == "win32":
        from bridge.output.windows_keyboard import open_windows_keyboard

        return open_windows_keyboard()
    from bridge.output.x11_keyboard import X11Keyboard

    return X11Keyboard(environment["DISPLAY"])


def require_packages() -> None:
    """Raises `SettingsError` when the X11 package is missing."""
    if sys.platform != "win32":
        try:
            import bridge.output.x11_keyboard  # noqa: F401 - whether it can be imported is the question
        except ImportError:
            raise SettingsError(NO_PACKAGE) from None
