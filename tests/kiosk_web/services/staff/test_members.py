"""Members of staff and their numbers, as `kiosk staff add` makes them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kiosk_web.__main__ import app
from tests.support.database import lay_database


def run(data: Path, *arguments: str) -> tuple[int, str]:
    lay_database(data)
    answer = CliRunner().invoke(app, ["staff", *arguments, f"--data={data}"])
    return answer.exit_code, answer.output


def add(data: Path, name: str, *options: str) -> dict[str, str]:
    status, output = run(data, "add", name, "--json", *options)
    assert status == 0, output
    return dict(json.loads(output))


def test_a_number_is_chosen_or_drawn_and_kept_with_the_next_secret(tmp_path: Path) -> None:
    chosen, drawn = add(tmp_path, "見本 花子", "--number=0042"), add(tmp_path, "見本　次郎")
    assert chosen["number"] == "0042"
    assert len(drawn["number"]) == 6
    assert drawn["number"].isdecimal()
    again = add(tmp_path, "見本 花子")
    assert (again["number"], again["secret"] == chosen["secret"]) == ("0042", False)
    rows = json.loads(run(tmp_path, "list", "--json")[1])
    assert {row["name"]: row["number"] for row in rows} == {"見本 花子": "0042", "見本　次郎": drawn["number"]}


def test_the_secret_is_in_no_file_and_without_the_key_the_member_is_added_anew(tmp_path: Path) -> None:
    secret = add(tmp_path, "見本 花子", "--number=0042")["secret"]
    stored = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert "database.key" in {path.name for path in stored}
    assert not [path.name for path in stored if secret.encode() in path.read_bytes()]
    (tmp_path / "keys" / "database.key").unlink()
    assert [row["condition"] for row in json.loads(run(tmp_path, "list", "--json")[1])] == ["unreadable"]
    add(tmp_path, "見本 花子")
    assert [row["condition"] for row in json.loads(run(tmp_path, "list", "--json")[1])] == ["active"]


@pytest.mark.parametrize("number", ["123", "123456789", "12a4", "１２３４", "-1234"])
def test_what_is_no_number_is_refused(tmp_path: Path, number: str) -> None:
    status, output = run(tmp_path, "add", "見本 花子", f"--number={number}")
    assert (status, "4 to 8 digits" in output) == (2, True)


def test_a_number_is_one_members(tmp_path: Path) -> None:
    add(tmp_path, "見本 花子", "--number=1234")
    status, output = run(tmp_path, "add", "見本 次郎", "--number=1234")
    assert (status, "another member's" in output) == (2, True)
    run(tmp_path, "revoke", "見本 花子")
    assert run(tmp_path, "add", "見本 次郎", "--number=1234")[0] == 2  # who attended then stays one person
