"""The computer's own rules of hand-over, and the desktops that are refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.errors import SettingsError
from bridge.output.desktop import judge_desktop
from bridge.output.settings import OUTPUT_FILE, OutputSettings, WindowRule, load_output_settings
from bridge.output.text import build_output, is_number

WEDGE = """
output = "wedge"
prefix = "A"
trailer = "B"
suffix = "tab"
inter_key_ms = 20
[[windows]]
process = "Loans.exe"
title = "貸出*"
"""


def load(folder: Path, text: str) -> OutputSettings:
    (folder / OUTPUT_FILE).write_text(text, encoding="utf-8")
    return load_output_settings(folder)


def test_without_a_file_nothing_is_handed_over(tmp_path: Path) -> None:
    assert load_output_settings(tmp_path) == OutputSettings(kind="none")


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    settings = load(tmp_path, WEDGE)
    assert settings == OutputSettings(
        kind="wedge",
        prefix="A",
        trailer="B",
        suffix="tab",
        inter_key_ms=20,
        windows=(WindowRule("Loans.exe", "貸出*"),),
    )


def test_a_window_is_allowed_by_program_and_title_together(tmp_path: Path) -> None:
    settings = load(tmp_path, WEDGE)
    assert settings.allow("loans.EXE", "貸出 - 窓口1")
    assert not settings.allow("loans.exe", "返却")
    assert not settings.allow("mail.exe", "貸出 - 窓口1")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('output = "clipboard"', "output is one of"),
        ('output = "wedge"', "needs at least one"),
        ('output = "serial"', "needs device"),
        ('prefix = "a"', "prefix is at most 8"),
        ('prefix = "\\u0007"', "prefix is at most 8"),
        ('suffix = "escape"', "suffix is one of"),
        ("inter_key_ms = 5000", "inter_key_ms is between 0 and 500"),
        ("inter_key_ms = true", "inter_key_ms is between"),
        ("allowed = 1", "there is no setting"),
        ("[[windows]]\nprocess = 'x'", "exactly process and title"),
        ("[[windows]]\nprocess = 'x'\ntitle = '*'", "must name something"),
        ("[[windows]]\nprocess = 'C:\\x'\ntitle = 'Loans'", "without folders"),
        ("output =", OUTPUT_FILE),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        load(tmp_path, text)


@pytest.mark.parametrize("number", ["", "1" * 33, "12 3", "a1", "１２", "12\r", "1-2", "１", "٣"])
def test_only_plain_digits_and_capitals_are_a_number(number: str) -> None:
    assert not is_number(number)
    with pytest.raises(ValueError, match="not a number"):
        build_output(number, prefix="", trailer="", suffix="none")


def test_the_text_is_prefix_number_trailer_and_the_closing_key() -> None:
    assert build_output("0123", prefix="A", trailer="B", suffix="enter") == "A0123B\r"
    assert build_output("0123", prefix="", trailer="", suffix="tab") == "0123\t"
    assert build_output("0123", prefix="", trailer="", suffix="none") == "0123"


@pytest.mark.parametrize(
    ("platform", "environment", "says"),
    [
        ("linux", {"XDG_SESSION_TYPE": "wayland", "DISPLAY": ":0"}, "Wayland"),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "Wayland"),
        ("linux", {}, "DISPLAY"),
        ("darwin", {"DISPLAY": ":0"}, "macOS"),
    ],
)
def test_a_desktop_that_cannot_be_typed_into_is_refused_by_name(
    platform: str, environment: dict[str, str], says: str
) -> None:
    with pytest.raises(SettingsError, match=says):
        judge_desktop(platform, environment)


def test_x11_and_windows_are_accepted() -> None:
    judge_desktop("linux", {"DISPLAY": ":0", "XDG_SESSION_TYPE": "x11"})
    judge_desktop("win32", {})
