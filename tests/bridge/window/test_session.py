"""`kiosk-bridge window` where it cannot run: exit code 3, and what to do."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bridge.__main__ import app
from bridge.errors import SettingsError
from bridge.terminal import store_terminal
from bridge.window.session import judge_session
from tests.bridge.authority import Authority
from tests.support import x11

pytestmark = pytest.mark.usefixtures("restored_logging")
BROWSER = "sh"  # a program that is there, and is never started here


@pytest.fixture
def state(tmp_path: Path) -> Path:
    store_terminal(tmp_path, Authority().terminal)
    return tmp_path


@pytest.mark.parametrize(
    ("platform", "environment", "advice"),
    [
        ("win32", {}, "second screen"),
        ("darwin", {"DISPLAY": ":0"}, "second screen"),
        ("linux", {"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "second screen"),
        ("linux", {"DISPLAY": ":0", "XDG_SESSION_TYPE": "wayland"}, "second screen"),
        ("linux", {}, "inside the desktop session"),
    ],
)
def test_a_session_that_keeps_no_window_is_refused(platform: str, environment: Mapping[str, str], advice: str) -> None:
    with pytest.raises(SettingsError, match=advice):
        judge_session(platform, environment)


def run(state: Path, *options: str, display: str = ":4711") -> tuple[int, str]:
    environment = {"DISPLAY": display, "WAYLAND_DISPLAY": "", "XDG_SESSION_TYPE": "x11"}
    done = CliRunner().invoke(app, ["window", f"--state={state}", *options], env=environment)
    return done.exit_code, done.stderr


def test_a_terminal_that_was_not_enrolled_has_no_page(tmp_path: Path) -> None:
    code, said = run(tmp_path)
    assert code == 3
    assert "kiosk-bridge enrol" in said


def test_another_user_names_the_page_by_its_origin(tmp_path: Path) -> None:
    code, said = run(tmp_path, "--page=http://127.0.0.1:8480/k", f"--browser={BROWSER}")
    assert code == 3
    assert "scheme://host:port" in said


def test_a_browser_that_is_not_there_is_named(state: Path) -> None:
    code, said = run(state, "--browser=no-such-browser")
    assert code == 3
    assert "no-such-browser" in said


@pytest.fixture(scope="module")
def bare_display() -> Iterator[str]:
    """An X server without a window manager."""
    with x11.running_server() as display:
        yield display


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # python-xlib leaves its socket to the collector
def test_a_display_that_is_not_there_is_named(state: Path) -> None:
    code, said = run(state, f"--browser={BROWSER}")
    gc.collect()
    assert code == 3
    assert "cannot be reached" in said


@pytest.mark.x11
@pytest.mark.skipif(x11.find_missing_program() is not None, reason=f"{x11.find_missing_program()} is missing")
def test_a_desktop_without_a_window_manager_is_refused(state: Path, bare_display: str) -> None:
    code, said = run(state, f"--browser={BROWSER}", display=bare_display)
    assert code == 3
    assert "window manager" in said
