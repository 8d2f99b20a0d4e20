"""`kiosk crl check`: from a file into a file, whole after any end, and nothing of the question in the answer."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.adapters.store.marks import SqlHighWaterMarks
from kiosk_web.commands import crl_check
from kiosk_web.commands.crl_check import CheckRefused, check_rows
from kiosk_web.pki.status import HighWaterMark
from kiosk_web.settings.server import load_settings
from tests.kiosk_web.commands.test_crl import Desk
from tests.support.crl_stand import town_point
from tests.support.jpki import issue


class Onlooker:
    """Implements `crl_check.CheckWatcher`; ends the check after some steps, as a power cut would."""

    def __init__(self, ends_after: int = 0) -> None:
        self.size: int | None = None
        self.read: list[int] = []
        self._ends_after = ends_after

    def tell_size(self, octets: int | None) -> None:
        self.size = octets

    def tell_read(self, octets: int) -> None:
        self.read.append(octets)
        if len(self.read) == self._ends_after:
            raise KeyboardInterrupt


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(tmp_path, monkeypatch)
    desk.put("whole.crl", desk.shape(7), 5, 6, 1 << 100)
    desk.put("town.crl", desk.shape(8, point=town_point()), 9)
    assert desk.run("import", desk.lists).exit_code == 0
    return desk


def write_rows(desk: Desk, *rows: dict[str, Any]) -> Path:
    path = desk.folder / "questions.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def serials(desk: Desk, *numbers: int) -> list[dict[str, Any]]:
    key = desk.root.anchor.key_id.hex()
    return [{"id": f"n{number}", "issuer_key_id": key, "serial": str(number)} for number in numbers]


def read_answers(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def check(desk: Desk, source: Path, target: Path, watcher: Onlooker, **options: Any) -> crl_check.CheckSummary:
    settings = load_settings({"data": desk.folder / "data", "anchors": desk.folder / "anchors"}, {})
    return check_rows(settings, source, target, "ndjson", watcher, clock=lambda: desk.now, **options)


def test_serials_and_certificates_are_answered_in_order_and_counted(desk: Desk) -> None:
    certificate = issue(desk.root).certificate
    der = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
    source = write_rows(
        desk,
        *serials(desk, 5, 7, 9, 1 << 100),
        {"id": "c", "certificate": der},
        {"id": "other", "issuer_key_id": "00" * 20, "serial": "5"},
        {"id": "bad", "serial": "5"},
        {"id": "none", "certificate": base64.b64encode(b"0\x00").decode()},
    )
    target = desk.folder / "answers.ndjson"
    answer = desk.run("check", source, target, "--json")
    assert answer.exit_code == 1
    found = read_answers(target)
    assert [(row["row"], row.get("id"), row["outcome"], row.get("reason")) for row in found] == [
        (1, "n5", "revoked", None),
        (2, "n7", "not_listed", None),
        (3, "n9", "revoked", None),
        (4, f"n{1 << 100}", "revoked", None),
        (5, "c", found[4]["outcome"], None),
        (6, "other", "unavailable", "no_list"),
        (7, None, "malformed", "nothing_asked"),
        (8, "none", "certificate_malformed", None),
    ]
    assert found[4]["outcome"] in ("good", "certificate_expired", "certificate_not_yet_valid")
    summary = json.loads(answer.stdout)
    assert (summary["rows"], summary["lists"], summary["outcomes"]["revoked"]) == (8, 2, 3)
    text = target.read_text(encoding="utf-8")
    assert der not in text
    assert not (desk.folder / "answers.ndjson.progress").exists()


def test_csv_in_and_out(desk: Desk) -> None:
    key = desk.root.anchor.key_id.hex()
    source = desk.folder / "questions.csv"
    source.write_text(f"id,issuer_key_id,serial\r\nä,{key},5\r\n,{key},7\r\n", encoding="utf-8")
    target = desk.folder / "answers.csv"
    assert desk.run("check", source, target).exit_code == 0
    assert [line.split(",")[:3] for line in target.read_text(encoding="utf-8").splitlines()] == [
        ["row", "id", "outcome"],
        ["1", "ä", "revoked"],
        ["2", "", "not_listed"],
    ]


@pytest.mark.parametrize("ends_after", [1, 2, 4])
def test_a_check_that_was_ended_goes_on_and_gives_the_same_answers(desk: Desk, ends_after: int) -> None:
    source = write_rows(desk, *serials(desk, *range(1, 120)))
    whole, target = desk.folder / "whole.ndjson", desk.folder / "answers.ndjson"
    check(desk, source, whole, Onlooker())
    with pytest.raises(KeyboardInterrupt):
        check(desk, source, target, Onlooker(ends_after), rows_at_a_time=25)
    with target.open("ab") as file:
        file.write(b'{"row": 99, "outc')  # what a power cut may leave behind the last whole step
    watcher = Onlooker()
    summary = check(desk, source, target, watcher, resume=True, rows_at_a_time=25)
    assert (summary.rows, summary.resumed_at, summary.newer_lists) == (119, 25 * ends_after, False)
    assert target.read_bytes() == whole.read_bytes()
    assert watcher.size == source.stat().st_size == watcher.read[-1]


def test_a_check_that_was_killed_before_its_first_step_was_whole_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = write_rows(desk, *serials(desk, 5, 6, 7)), desk.folder / "answers.ndjson"

    def die(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(crl_check, "_keep", die)
        with pytest.raises(KeyboardInterrupt):
            check(desk, source, target, Onlooker())
    assert target.exists()
    summary = check(desk, source, target, Onlooker(), resume=True)
    assert (summary.rows, summary.resumed_at) == (3, 0)
    assert len(read_answers(target)) == 3


def test_rows_that_meet_newer_lists_after_a_resume_are_told(desk: Desk) -> None:
    source = write_rows(desk, *serials(desk, 50, 51, 52))
    target = desk.folder / "answers.ndjson"
    with pytest.raises(KeyboardInterrupt):
        check(desk, source, target, Onlooker(1), rows_at_a_time=1)
    desk.put("whole.crl", desk.shape(17, age=0.5), 52)
    assert desk.run("import", desk.lists / "whole.crl").exit_code == 0
    summary = check(desk, source, target, Onlooker(), resume=True)
    assert summary.newer_lists
    assert [row["outcome"] for row in read_answers(target)] == ["not_listed", "not_listed", "revoked"]


def test_an_input_that_was_changed_in_the_part_that_was_read_is_not_gone_on_with(desk: Desk) -> None:
    rows = serials(desk, *range(1001, 4001))
    source, target = write_rows(desk, *rows), desk.folder / "answers.ndjson"
    with pytest.raises(KeyboardInterrupt):
        check(desk, source, target, Onlooker(1), rows_at_a_time=2500)
    kept, octets = target.read_bytes(), source.read_bytes()
    write_rows(desk, *rows[:2400], *serials(desk, 9999), *rows[2401:])
    assert source.stat().st_size == len(octets)
    with pytest.raises(CheckRefused, match="not the input"):
        check(desk, source, target, Onlooker(), resume=True)
    assert target.read_bytes() == kept
    write_rows(desk, *rows[:2700], *serials(desk, 9999), *rows[2701:])
    assert check(desk, source, target, Onlooker(), resume=True).resumed_at == 2500


def test_an_output_is_not_written_over_unasked_and_another_input_is_not_gone_on_with(desk: Desk) -> None:
    source = write_rows(desk, *serials(desk, 5, 6, 7))
    target = desk.folder / "answers.ndjson"
    check(desk, source, target, Onlooker())
    before = target.read_bytes()
    with pytest.raises(CheckRefused, match="--overwrite"):
        check(desk, source, target, Onlooker())
    with pytest.raises(CheckRefused, match="--overwrite"):
        check(desk, source, target, Onlooker(), resume=True)
    assert target.read_bytes() == before
    with pytest.raises(KeyboardInterrupt):
        check(desk, source, target, Onlooker(1), overwrite=True, rows_at_a_time=1)
    other = write_rows(desk, *serials(desk, 8, 9))
    with pytest.raises(CheckRefused, match="not the input"):
        check(desk, other, target, Onlooker(), resume=True)
    (desk.folder / "answers.ndjson.progress").write_text("{}")
    with pytest.raises(CheckRefused, match="cannot be read"):
        check(desk, source, target, Onlooker(), resume=True)


def test_a_line_without_an_end_costs_no_memory_and_no_other_row(desk: Desk) -> None:
    source = write_rows(desk, *serials(desk, 5))
    with source.open("ab") as file:
        file.write(b"x" * 1_000_000 + b"\n" + json.dumps(serials(desk, 6)[0]).encode())
    target = desk.folder / "answers.ndjson"
    summary = check(desk, source, target, Onlooker())
    assert [row["outcome"] for row in read_answers(target)] == ["revoked", "malformed", "revoked"]
    assert summary.outcomes == {"revoked": 2, "malformed": 1}


@pytest.mark.parametrize("words", [("missing.ndjson", "a.ndjson"), ("questions.txt", "a.ndjson")])
def test_what_cannot_begin_ends_with_2_and_writes_nothing(desk: Desk, words: tuple[str, str]) -> None:
    answer = desk.run("check", *(desk.folder / word for word in words))
    assert answer.exit_code == 2
    assert answer.stderr.startswith("kiosk: ")
    assert not (desk.folder / "a.ndjson").exists()


def test_a_damaged_segment_makes_silence_unconfirmable(desk: Desk) -> None:
    source = write_rows(desk, *serials(desk, 5, 7))
    for segment in (desk.folder / "data" / "crl" / "segments").iterdir():
        content = bytearray(segment.read_bytes())
        content[-1] ^= 1
        segment.write_bytes(content)
    target = desk.folder / "answers.ndjson"
    check(desk, source, target, Onlooker())
    assert {row["reason"] for row in read_answers(target)} == {"list_damaged"}


def write_listed_and_not(desk: Desk) -> Path:
    """A revoked number, one that no list names, and a certificate in force."""
    day = timedelta(days=1)
    card = issue(desk.root, not_before=desk.now - day, not_after=desk.now + day).certificate
    der = base64.b64encode(card.public_bytes(Encoding.DER)).decode()
    return write_rows(desk, *serials(desk, 5, 7), {"id": "c", "certificate": der})


def read_outcomes(path: Path) -> list[tuple[str, str]]:
    return [(row["outcome"], row.get("reason", "")) for row in read_answers(path)]


NO_CLOCK = [("unavailable", "clock_unreliable")] * 3


def test_while_nothing_keeps_the_clock_right_no_row_is_answered(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = write_listed_and_not(desk), desk.folder / "answers.ndjson"
    check(desk, source, target, Onlooker())
    assert [outcome for outcome, _ in read_outcomes(target)] == ["revoked", "not_listed", "good"]
    monkeypatch.setattr(crl_check, "choose_clock_check", lambda _settings: lambda: False)
    check(desk, source, target, Onlooker(), overwrite=True)
    assert read_outcomes(target) == NO_CLOCK


@pytest.mark.parametrize(("ahead", "answered"), [(timedelta(minutes=2), True), (timedelta(minutes=3), False)])
def test_a_clock_behind_an_answer_that_was_verified_answers_no_row(
    desk: Desk, ahead: timedelta, answered: bool
) -> None:
    async def remember() -> None:
        store = SqlStore(desk.data)
        await SqlHighWaterMarks(store).record(b"k" * 32, HighWaterMark(desk.now + ahead))
        await store.close()

    asyncio.run(remember())
    source, target = write_listed_and_not(desk), desk.folder / "answers.ndjson"
    check(desk, source, target, Onlooker())
    assert (read_outcomes(target) != NO_CLOCK) is answered
