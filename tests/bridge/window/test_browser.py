"""Which browser, and how it is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import SettingsError
from bridge.window.browser import WINDOW_CLASS, Browser, build_command, build_environment, find_browser
from bridge.window.strip import Area


def test_the_first_browser_that_is_there() -> None:
    there = {"google-chrome": "/usr/bin/google-chrome", "microsoft-edge": "/usr/bin/microsoft-edge"}
    assert find_browser(None, there.get) == "/usr/bin/google-chrome"
    assert find_browser("microsoft-edge", there.get) == "/usr/bin/microsoft-edge"


@pytest.mark.parametrize("named", [None, "firefox"])
def test_without_one_the_message_says_what_to_do(named: str | None) -> None:
    with pytest.raises(SettingsError, match="--browser"):
        find_browser(named, lambda _name: None)


def test_the_page_alone_in_a_window_and_a_profile_of_its_own() -> None:
    command = build_command(
        "/usr/bin/chromium", "http://127.0.0.1:8480/", Path("/state/browser"), Area(1500, 0, 420, 1080), ["--x"]
    )
    assert command[0] == "/usr/bin/chromium"
    assert command[-2:] == ["--x", "--app=http://127.0.0.1:8480/"]
    assert {
        f"--class={WINDOW_CLASS}",
        "--user-data-dir=/state/browser",
        "--window-position=1500,0",
        "--window-size=420,1080",
        "--disable-features=Translate",
        "--password-store=basic",
    } < set(command)


def test_the_libraries_of_the_frozen_program_are_not_the_browsers() -> None:
    own = {"DISPLAY": ":0", "LD_LIBRARY_PATH": "/opt/kiosk/_internal"}
    assert build_environment(own, frozen=True) == {"DISPLAY": ":0"}
    assert build_environment({**own, "LD_LIBRARY_PATH_ORIG": "/opt/lib"}, frozen=True) == {
        "DISPLAY": ":0",
        "LD_LIBRARY_PATH": "/opt/lib",
    }
    assert build_environment(own, frozen=False) == own


def test_a_program_that_cannot_be_started_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not start"):
        Browser([str(tmp_path / "chromium")], {})
