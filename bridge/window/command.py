"""`kiosk-bridge window`: the command line of the narrow window."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bridge.errors import SettingsError
from bridge.log import configure_log
from bridge.terminal import load_terminal
from bridge.window.browser import find_browser

EXIT_CANNOT_RUN = 3
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


class SideName(StrEnum):
    LEFT = "left"
    RIGHT = "right"


def window(
    state: Annotated[
        Path, typer.Option(help="Folder of this terminal.", envvar="KIOSK_BRIDGE_STATE", show_envvar=True)
    ],
    browser: Annotated[str | None, typer.Option(help="The browser's program; else Chromium, Chrome or Edge.")] = None,
    side: Annotated[SideName, typer.Option(help="Edge of the screen.")] = SideName.RIGHT,
    width: Annotated[int, typer.Option(help="Pixels, 360 to 480.")] = 420,
    more: Annotated[list[str] | None, typer.Argument(help="Further options for the browser, after --.")] = None,
) -> None:
    """Show the page to the resident in a narrow window that never takes the keyboard; until SIGINT or SIGTERM."""
    configure_log("info")
    try:
        judge_session(sys.platform, os.environ)
        try:
            from bridge.window.run import WindowSettings, keep_window
        except ImportError:
            raise SettingsError(NO_PACKAGE) from None
        settings = WindowSettings(
            address=load_terminal(state).origin + "/",
            program=find_browser(browser),
            profile=state / PROFILE_FOLDER,
            side="left" if side is SideName.LEFT else "right",
            width=width,
            environment=dict(os.environ),
            more=tuple(more or ()),
        )
        keep_window(settings)
    except SettingsError as trouble:
        typer.echo(f"kiosk-bridge: {trouble}", err=True)
        raise typer.Exit(EXIT_CANNOT_RUN) from None
