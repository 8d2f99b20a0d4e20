"""The command line: terminals are added, listed and revoked; mistakes are one line and status 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kiosk_web.__main__ import app

RUNNER = CliRunner()


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("KIOSK_")]:
        monkeypatch.delenv(name)


def test_a_terminal_is_added_listed_and_revoked(tmp_path: Path) -> None:
    data = f"--data={tmp_path / 'data'}"
    added = json.loads(RUNNER.invoke(app, ["terminal", "add", "library-1", data, "--json"]).stdout)
    assert added.keys() == {"terminal", "name", "code"}
    assert RUNNER.invoke(app, ["terminal", "list", data]).stdout.split() == ["waiting", "library-1"]
    assert RUNNER.invoke(app, ["terminal", "revoke", "library-1", data]).exit_code == 0
    listed = json.loads(RUNNER.invoke(app, ["terminal", "list", data, "--json"]).stdout)
    assert listed == [{"name": "library-1", "terminal": added["terminal"], "condition": "revoked"}]


def test_a_mistake_is_one_line_and_status_2(tmp_path: Path) -> None:
    answer = RUNNER.invoke(app, ["terminal", "revoke", "nobody", f"--data={tmp_path}"])
    assert (answer.exit_code, answer.stderr) == (2, "kiosk: There is no terminal 'nobody'.\n")


def test_an_unknown_setting_stops_every_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIOSK_COLOUR", "red")
    answer = RUNNER.invoke(app, ["migrate", f"--data={tmp_path}"])
    assert (answer.exit_code, answer.stderr) == (2, "kiosk: KIOSK_COLOUR: there is no such setting\n")


def test_migrate_says_what_it_did(tmp_path: Path) -> None:
    command = ["migrate", f"--data={tmp_path}"]
    assert RUNNER.invoke(app, command).stdout == "The database was brought up to date.\n"
    assert RUNNER.invoke(app, command).stdout == "The database is up to date.\n"
