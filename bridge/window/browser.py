"""The browser of the narrow window: which program, and how it is started so that nothing of it asks for attention."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bridge.errors import SettingsError
from bridge.window.strip import Area

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
WINDOW_CLASS = "kiosk-resident"
STOP_SECONDS = 10.0
QUIET = (
    "--no-first-run",
    "--no-default-browser-check",
    "--noerrdialogs",
    "--deny-permission-prompts",
    "--disable-features=Translate",
    "--disable-session-crashed-bubble",
    "--disable-sync",
    "--hide-crash-restore-bubble",
    "--password-store=basic",  # a keyring would ask for its password in a window of its own
    "--force-device-scale-factor=1",  # so that a pixel of the strip is a pixel of the page
)


def find_browser(named: str | None, which: Callable[[str], str | None] = shutil.which) -> str:
    """The program to start. Raises `SettingsError`."""
    found = next(filter(None, map(which, [named] if named else PROGRAMS)), None)
    if found is None:
        raise SettingsError(f"there is no program {named or ', '.join(PROGRAMS)}; install one, or name it: --browser")
    return found


def build_command(program: str, address: str, profile: Path, strip: Area, more: Sequence[str] = ()) -> list[str]:
    """How to start it. `profile` is a folder of its own, so that it is a program of its own."""
    return [
        program,
        *QUIET,
        f"--class={WINDOW_CLASS}",
        f"--user-data-dir={profile}",
        f"--window-position={strip.x},{strip.y}",
        f"--window-size={strip.width},{strip.height}",
        *more,
        f"--app={address}",
    ]


def build_environment(own: Mapping[str, str], *, frozen: bool) -> dict[str, str]:
    """The frozen program finds its own libraries by a variable that would mislead the browser: what it was before."""
    environment = dict(own)
    if frozen:
        before = environment.pop("LD_LIBRARY_PATH_ORIG", "")
        environment.pop("LD_LIBRARY_PATH", None)
        if before:
            environment["LD_LIBRARY_PATH"] = before
    return environment


class Browser:
    """The program while it runs."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Raises `SettingsError` for a program that cannot be started."""
        try:
            self._process = subprocess.Popen(  # noqa: S603 - what the operator named
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError as trouble:
            raise SettingsError(f"the browser does not start: {trouble.strerror}") from None

    @property
    def runs(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        """Ask it to end, and see to it."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
