"""This computer's own rules of hand-over, from `output.toml` in the bridge's state folder (`docs/handover.md`).

No message of page or server changes them. Without the file nothing is handed over.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal, get_args

from bridge.errors import SettingsError
from bridge.output.text import FRAME, Suffix

OUTPUT_FILE = "output.toml"
OutputKind = Literal["none", "wedge", "serial"]
WAIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class WindowRule:
    """A window that may be typed into: the program's file name, and a pattern of its title with `*` and `?`."""

    process: str
    title: str

    def allow(self, process: str, title: str) -> bool:
        return self.process.lower() == process.lower() and fnmatchcase(title, self.title)


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """`inter_key_ms` is the pause after each key. `device` and `baud` are the serial port's."""

    kind: OutputKind = "none"
    prefix: str = ""
    trailer: str = ""
    suffix: Suffix = "enter"
    inter_key_ms: int = 10
    windows: tuple[WindowRule, ...] = field(default=())
    device: str = ""
    baud: int = 9600

    def allow(self, process: str, title: str) -> bool:
        """Whether one of the rules names this window."""
        return any(rule.allow(process, title) for rule in self.windows)


def load_output_settings(folder: Path) -> OutputSettings:
    """The rules in `folder`. Raises `SettingsError` that names the key and what to write."""
    path = folder / OUTPUT_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return OutputSettings()
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{OUTPUT_FILE} cannot be read") from None
    try:
        return _judge(tomllib.loads(text))
    except tomllib.TOMLDecodeError as trouble:
        raise SettingsError(f"{OUTPUT_FILE}: {trouble}") from None


def _judge(given: dict[str, Any]) -> OutputSettings:
    known = {"output", "prefix", "trailer", "suffix", "inter_key_ms", "windows", "device", "baud"}
    for key in given:
        if key not in known:
            raise SettingsError(f"{OUTPUT_FILE}: there is no setting {key!a}")
    kind = _one_of(given, "output", get_args(OutputKind), "none")
    settings = OutputSettings(
        kind=kind,
        prefix=_frame(given, "prefix"),
        trailer=_frame(given, "trailer"),
        suffix=_one_of(given, "suffix", get_args(Suffix), "enter"),
        inter_key_ms=_number(given, "inter_key_ms", 10, range(501)),
        windows=tuple(_rule(item) for item in given.get("windows", [])),
        device=_text(given, "device", ""),
        baud=_number(given, "baud", 9600, range(300, 921_601)),
    )
    if kind == "wedge" and not settings.windows:
        raise SettingsError(f"{OUTPUT_FILE}: the wedge needs at least one [[windows]] with process and title")
    if kind == "serial" and not settings.device:
        raise SettingsError(f"{OUTPUT_FILE}: serial needs device, such as /dev/ttyUSB0 or COM3")
    return settings


def _rule(given: object) -> WindowRule:
    if not isinstance(given, dict) or given.keys() != {"process", "title"}:
        raise SettingsError(f"{OUTPUT_FILE}: each [[windows]] has exactly process and title")
    process, title = given["process"], given["title"]
    if not (isinstance(process, str) and isinstance(title, str) and process and title.strip("*? ")):
        raise SettingsError(f"{OUTPUT_FILE}: process and title must name something; a title of * alone would be any")
    if "/" in process or "\\" in process:
        raise SettingsError(f"{OUTPUT_FILE}: process is the program's file name, without folders")
    return WindowRule(process, title)


def _text(given: dict[str, Any], key: str, default: str) -> str:
    value = given.get(key, default)
    if not isinstance(value, str):
        raise SettingsError(f"{OUTPUT_FILE}: {key} must be text")
    return value


def _frame(given: dict[str, Any], key: str) -> str:
    value = _text(given, key, "")
    if not FRAME.fullmatch(value):
        raise SettingsError(f"{OUTPUT_FILE}: {key} is at most 8 of 0-9 and A-Z")
    return value


def _one_of(given: dict[str, Any], key: str, words: tuple[str, ...], default: str) -> Any:
    value = given.get(key, default)
    if value not in words:
        raise SettingsError(f"{OUTPUT_FILE}: {key} is one of {', '.join(words)}")
    return value


def _number(given: dict[str, Any], key: str, default: int, allowed: range) -> int:
    value = given.get(key, default)
    if type(value) is not int or value not in allowed:
        raise SettingsError(f"{OUTPUT_FILE}: {key} is between {allowed.start} and {allowed.stop - 1}")
    return value
