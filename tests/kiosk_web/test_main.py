"""The command line: terminals are added, listed and revoked; mistakes are one line and status 2."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from kiosk_web import __main__
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
    again = RUNNER.invoke(app, ["terminal", "add", "library-1", data])
    assert again.stderr == "The code printed before for library-1 has ended.\n"
    assert again.stdout.count("-") == 12
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


def test_a_manager_opens_the_fallback_shows_and_closes_it(tmp_path: Path) -> None:
    data = f"--data={tmp_path}"
    assert RUNNER.invoke(app, ["fallback", "show", data]).stdout.startswith("The fallback is closed: ")
    until = (datetime.now(UTC) + timedelta(hours=3)).isoformat(timespec="seconds")
    command = ["fallback", "open", f"--until={until}", "--reason=障害のお知らせ", "--by=見本 花子", data]
    opened = RUNNER.invoke(app, command)
    assert opened.exit_code == 0, opened.output
    assert opened.stdout.startswith("opened by a manager (見本 花子) ")
    text = RUNNER.invoke(app, ["fallback", "show", data]).stdout
    assert "The fallback is open by a manager, since " in text
    assert "障害のお知らせ" in text
    (shown,) = json.loads(RUNNER.invoke(app, ["fallback", "show", data, "--json"]).stdout)["open"]
    assert (shown["cause"], shown["until"], shown["by"]) == ("manager", until, "見本 花子")
    assert RUNNER.invoke(app, ["fallback", "close", data]).stdout == "The fallback is closed.\n"
    assert RUNNER.invoke(app, ["fallback", "close", data]).stdout == "No opening was there to close.\n"
    assert json.loads(RUNNER.invoke(app, ["fallback", "show", data, "--json"]).stdout)["open"] == []
    assert ", closed " in RUNNER.invoke(app, ["fallback", "show", data]).stdout


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ("--until=soon", "no ISO 8601 time"),
        ("--until=2026-01-01T00:00:00", "needs an offset"),
        ("--until=2026-01-01T00:00:00Z", "the end time has passed"),
        ("--until=2999-01-01T00:00:00Z", "at most 24 h"),
        ("--reason= ", "give a reason"),
        ("--by=two\nlines", "give a name"),
    ],
)
def test_an_opening_that_makes_no_sense_is_refused_by_name(tmp_path: Path, changed: str, words: str) -> None:
    command = ["fallback", "open", "--until=23:59", "--reason=x", "--by=y", changed, f"--data={tmp_path}"]
    answer = RUNNER.invoke(app, command)
    assert answer.exit_code == 2
    assert words in answer.stderr
    assert "Traceback" not in answer.output


def test_the_windows_of_the_file_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "kiosk.toml"
    file.write_text('[fallback]\nwindows = ["Sun 01:00-05:00", "Wed 23:00-01:00 no-ocsp"]\nfailures = 5\n')
    monkeypatch.setenv("KIOSK_CONFIG", str(file))
    text = RUNNER.invoke(app, ["fallback", "show", f"--data={tmp_path}"]).stdout
    assert "windows: Sun 01:00-05:00; Wed 23:00-01:00 no-ocsp\n" in text
    assert "automatic rule: after 5 failed connections in a row" in text


def test_migrate_says_what_it_did(tmp_path: Path) -> None:
    command = ["migrate", f"--data={tmp_path}"]
    assert RUNNER.invoke(app, command).stdout == "The database was brought up to date.\n"
    assert RUNNER.invoke(app, command).stdout == "The database is up to date.\n"


def test_what_any_command_logs_is_masked_and_leaves_its_output_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(__main__, "choose_vector_unit", lambda *_: None)
    monkeypatch.setattr(__main__, "app", lambda **_: structlog.get_logger().info("swept", certificate="MIIC"))
    __main__.main()
    printed, logged = capsys.readouterr()
    assert printed == ""
    assert json.loads(logged)["certificate"] == "(left out)"
