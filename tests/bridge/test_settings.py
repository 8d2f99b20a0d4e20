"""What the bridge refuses to start with."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import SettingsError
from bridge.settings import BridgeSettings
from bridge.terminal import judge_origin, load_terminal, store_terminal
from tests.bridge.authority import Authority


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "0.0.0.0"},
        {"host": "localhost"},
        {"host": "::1"},
        {"host": ""},
        {"port": -1},
        {"port": 65536},
        {"port": 80},
        {"port": 6667},
        {"deployment": "staging"},
        {"deployment": "production", "virtual": Path()},
        {"virtual": Path("no such folder")},
    ],
)
def test_settings_that_are_unsafe_or_wrong_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        BridgeSettings(**({"state": tmp_path} | changes))


def test_the_defaults_are_allowed(tmp_path: Path) -> None:
    assert BridgeSettings(state=tmp_path).port == 8481


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:8480", "https://kiosk.example", "https://kiosk.example:8443", "http://[::1]:8480"]
)
def test_one_serialised_origin_is_accepted(origin: str) -> None:
    assert judge_origin(origin) == origin


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "*",
        "null",
        "http://*",
        "http://*.example",
        "http://127.0.0.1:8480/",
        "http://127.0.0.1:8480/page",
        "HTTP://127.0.0.1:8480",
        "http://KIOSK.example",
        "http://kiosk.example.",
        "http://kiosk.example:80",
        "https://kiosk.example:443",
        "http://kiosk.example:",
        "http://user@kiosk.example",
        "http://kiosk.example?x",
        "http://kiosk.example#x",
        "http://a,http://b",
        "http://a http://b",
        "http://127.0.0.1:99999",
        "file:///card",
        "ws://127.0.0.1:8480",
        "^http://127",
        "http://kiosk.example\n",
    ],
)
def test_patterns_lists_and_other_spellings_of_an_origin_are_refused(origin: str) -> None:
    with pytest.raises(SettingsError):
        judge_origin(origin)


def test_a_terminal_is_loaded_as_it_was_stored(tmp_path: Path) -> None:
    terminal = Authority().terminal
    store_terminal(tmp_path, terminal)
    loaded = load_terminal(tmp_path)
    assert (loaded.id, loaded.origin) == (terminal.id, terminal.origin)
    assert loaded.key.private_bytes_raw() == terminal.key.private_bytes_raw()
    assert loaded.identity_key.public_bytes_raw() == terminal.identity_key.public_bytes_raw()
    assert "key=" not in repr(loaded).replace("identity_key=", "")


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"origin": "*"},
        {"origin": ""},
        {"origin": None},
        {"terminal": ""},
        {"terminal": "a b"},
        {"identity_key": "AAAA"},
        {"identity_key": "!"},
        {"extra": 1},
    ],
)
def test_a_broken_terminal_file_is_named(tmp_path: Path, changes: dict[str, Any]) -> None:
    store_terminal(tmp_path, Authority().terminal)
    path = tmp_path / "terminal.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(SettingsError):
        load_terminal(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_broken_key_file_is_named(tmp_path: Path, content: bytes) -> None:
    store_terminal(tmp_path, Authority().terminal)
    (tmp_path / "terminal.key").write_bytes(content)
    with pytest.raises(SettingsError, match=r"terminal\.key"):
        load_terminal(tmp_path)


def test_a_computer_that_is_no_terminal_is_told_how_to_become_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="kiosk-bridge enrol"):
        load_terminal(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_terminal_key_that_others_may_read_is_not_used(tmp_path: Path, mode: int) -> None:
    authority = Authority()
    store_terminal(tmp_path, authority.terminal)
    assert load_terminal(tmp_path).id == authority.terminal_id
    (tmp_path / "terminal.key").chmod(mode)
    with pytest.raises(SettingsError, match=r"others may read terminal\.key"):
        load_terminal(tmp_path)
