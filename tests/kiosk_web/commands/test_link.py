"""`kiosk link` and `kiosk mykey` on a real database: what they print, write and end with."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from kiosk_web.__main__ import app
from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.errors import REFUSALS
from kiosk_web.services.ports.kazashi import KazashiEnrolment
from kiosk_web.services.ports.links import RecentVisit
from tests.support.database import lay_database
from tests.support.numbers import number

LIBRARY, NOW = "city-library", datetime.now(UTC)
ONE, TWO = number(1), number(2)
WHO = ("--by", "鈴木", "--reason", "asked")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A person with a MyKey ID, and a visit of theirs."""

    async def fill() -> None:
        store = SqlStore(tmp_path)
        async with store.write() as transaction:
            await transaction.persons.add("p", b"key", 1, NOW)
            await transaction.persons.add_mykey_id("p", "ABCDEFGH", NOW)
            far = NOW.replace(year=NOW.year + 1)
            await transaction.links.add_visit(RecentVisit("7KQP-29XA", "p", LIBRARY, "pin", far))
        await store.close()

    lay_database(tmp_path)
    asyncio.run(fill())
    return tmp_path


def kiosk(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, f"--data={data}"])


def test_a_link_is_made_found_and_ended(data: Path) -> None:
    given = ("--system", LIBRARY, *WHO)
    visit = ("--reference", "7KQP-29XA")
    assert kiosk(data, "link", "find", *visit, *given).stdout == "not linked\n"
    assert kiosk(data, "link", "add", *visit, "--number", ONE, *given).stdout.startswith(f"{ONE}  linked since ")
    assert kiosk(data, "link", "find", "--number", ONE, *given).stdout.startswith(ONE)
    assert kiosk(data, "link", "confirm", "--number", ONE, *given).exit_code == 0
    assert kiosk(data, "link", "end", "--number", ONE, *given).exit_code == 0
    refused = kiosk(data, "link", "end", "--number", ONE, *given)
    assert (refused.exit_code, refused.stderr) == (2, "kiosk: not_linked: there is no such link\n")
    assert kiosk(data, "link", "find", *given).exit_code == 2


def test_a_person_is_deleted_by_the_visit_in_which_they_asked(data: Path) -> None:
    given = ("person", "delete", "--reference", "7kqp-29xa", *WHO)
    deleted = kiosk(data, *given)
    assert (deleted.exit_code, deleted.stdout) == (0, "Deleted. The next visit is a new person's.\n")
    refused = kiosk(data, *given)
    assert (refused.exit_code, refused.stderr.startswith("kiosk: visit_unknown:")) == (2, True)


def test_kazashi_is_ended_once_for_one_way_of_naming_its_holder(data: Path) -> None:
    async def enrol() -> None:
        store = SqlStore(data)
        async with store.write() as transaction:
            await transaction.kazashi.replace(KazashiEnrolment(b"\1" * 32, "p", b"key", NOW, NOW))
        await store.close()

    asyncio.run(enrol())
    given = ("staff", "end-kazashi", "--system", LIBRARY, *WHO)
    assert kiosk(data, *given).exit_code == 2
    assert kiosk(data, *given, "--reference", "7KQP-29XA", "--number", ONE).exit_code == 2
    ended = kiosk(data, *given, "--identifier", "abcdefgh")
    assert (ended.exit_code, ended.stdout) == (0, "Kazashi is ended. The PIN is asked for at the next visit.\n")
    refused = kiosk(data, *given, "--reference", "7KQP-29XA")
    assert (refused.exit_code, refused.stderr) == (
        2,
        "kiosk: kazashi_not_registered: this person has no kazashi registered\n",
    )


def test_a_report_has_nothing_of_its_file_that_a_spreadsheet_would_run(data: Path, tmp_path: Path) -> None:
    file, report = tmp_path / "formulas.csv", tmp_path / "report.csv"
    file.write_text('=1+1\n+1\n-1\n@SUM(A1)\n"\t=1"\n"\r=1"\n')
    given = ("--system", LIBRARY, *WHO, "--report", str(report))
    assert kiosk(data, "link", "numbers", str(file), *given).exit_code == 1
    head, *rows = report.read_text().splitlines()
    assert head == "line,outcome"
    assert rows
    assert {cell[:1] for row in rows for cell in row.split(",")} <= set("123456789n")


def test_files_have_a_dry_run_a_report_and_an_exit_status(data: Path, tmp_path: Path) -> None:
    given = ("--system", LIBRARY, *WHO)
    kiosk(data, "link", "add", "--reference", "7KQP-29XA", "--number", ONE, *given)
    file, report = tmp_path / "change.csv", tmp_path / "report.csv"
    file.write_bytes(f"旧利用者番号,新利用者番号\r\n{ONE},{TWO}\r\n".encode("cp932"))
    renumber = ("link", "renumber", str(file), *given, "--report", str(report))
    wrong = kiosk(data, *renumber)
    assert wrong.exit_code == 1
    assert "line 1: encoding: this is no text of the encoding" in wrong.stdout
    assert report.read_text() == "line,outcome\n1,encoding\n"
    dry = kiosk(data, *renumber, "--encoding", "cp932", "--dry-run")
    assert "Dry run: nothing was changed." in dry.stdout
    done = kiosk(data, *renumber, "--encoding", "cp932")
    assert (done.exit_code, done.stdout.split()) == (0, ["renumbered", "1"])
    assert report.read_text() == "line,outcome\n2,renumbered\n"
    assert "nothing was done" in kiosk(data, *renumber, "--encoding", "cp932").stdout
    assert kiosk(data, "link", "find", "--number", TWO, *given).exit_code == 0
    file.write_text(f"{TWO}\n")
    assert "listed" in kiosk(data, "link", "numbers", str(file), *given).stdout
    away = tmp_path / "away.csv"
    away.write_text(f"{TWO},{ONE}\n")
    stopped = kiosk(data, "link", "renumber", str(away), *given)
    named = f"line 1: number_not_listed: {REFUSALS['number_not_listed']}"
    assert (stopped.exit_code, stopped.stdout.splitlines()) == (1, [named, "Nothing was changed."])
    assert "unlinked" in kiosk(data, "link", "unlink-file", str(file), *given).stdout
    assert kiosk(data, "link", "numbers", str(file), *given, "--encoding", "latin-1").exit_code == 2


def test_relinking_without_a_list_is_refused(data: Path) -> None:
    given = ("--system", LIBRARY, "--number", ONE, "--reference", "7KQP-29XA", *WHO)

    async def add_other() -> None:
        store = SqlStore(data)
        async with store.write() as transaction:
            await transaction.persons.add("q", b"key", 2, NOW)
            await transaction.links.add(LIBRARY, "q", ONE, "desk", NOW)
        await store.close()

    asyncio.run(add_other())
    refused = kiosk(data, "link", "relink", *given)
    assert refused.exit_code == 2
    assert "old_certificate_unconfirmed" in refused.stderr
    assert "give either --number or --identifier" in kiosk(data, "link", "relink", *given, "--identifier", "A").stderr


def test_a_mykey_id_is_stopped_resumed_and_superseded(data: Path) -> None:
    assert kiosk(data, "mykey", "stop", "abcdefgh", *WHO).exit_code == 0
    assert kiosk(data, "mykey", "stop", "ABCDEFGH", *WHO).exit_code == 2
    assert kiosk(data, "mykey", "resume", "ABCDEFGH", *WHO).exit_code == 0
    fresh = kiosk(data, "mykey", "supersede", "ABCDEFGH", *WHO).stdout.strip()
    assert len(fresh) == 8
    assert "mykey_id_unknown" in kiosk(data, "mykey", "stop", "ZZZZZZZZ", *WHO).stderr
