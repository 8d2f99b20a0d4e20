"""Profile folders and the reader."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kiosk_web.simulator.cards import CardFolder, build_card_description
from kiosk_web.simulator.faults import CARD_FAULTS
from kiosk_web.simulator.people import Person, derive_people

PEOPLE = {p.id: p for p in derive_people(datetime(2026, 11, 23, 3, tzinfo=UTC))}


def reader(folder: Path) -> dict[str, object]:
    content = json.loads((folder / "reader.json").read_text("utf-8"))
    assert isinstance(content, dict)
    return content


def test_the_serial_of_the_reader_rises_with_each_change(tmp_path: Path) -> None:
    cards = CardFolder(tmp_path)
    serials = []
    for step in (lambda: cards.place("midori"), lambda: cards.place("midori"), cards.lift, lambda: cards.place("taro")):
        step()
        serials.append(reader(tmp_path)["serial"])
    assert serials == [1, 2, 3, 4]
    assert reader(tmp_path) == {"version": 1, "serial": 4, "profile": "cards/taro"}
    assert cards.load_placed() == "taro"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"serial": "x", "profile": 3}', b'{"serial": 1}'])
def test_a_damaged_reader_file_counts_as_empty(tmp_path: Path, content: bytes) -> None:
    cards = CardFolder(tmp_path)
    (tmp_path / "reader.json").write_bytes(content)
    assert cards.load_placed() is None
    cards.place("midori")
    assert cards.load_placed() == "midori"


def test_no_temporary_file_is_left_and_equal_content_is_not_written_again(tmp_path: Path) -> None:
    cards = CardFolder(tmp_path)
    cards.write_items(PEOPLE["midori"])
    path = tmp_path / "cards/midori/text.json"
    written = path.stat().st_ino
    cards.write_items(PEOPLE["midori"])
    assert path.stat().st_ino == written
    cards.write_items(replace(PEOPLE["midori"], address="群馬県見本町１番地"))
    assert json.loads(path.read_text("utf-8"))["address"] == "群馬県見本町１番地"
    assert [p.name for p in path.parent.iterdir()] == ["text.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="no file modes there")
def test_keys_are_readable_by_their_owner_alone(made: Path) -> None:
    keys = [*made.glob("cards/*/*-key.pem"), *made.glob("simulator-state/keys/*.key.pem")]
    assert len(keys) > 40
    assert {path.stat().st_mode & 0o777 for path in keys} == {0o600}
    assert (made / "simulator-state").stat().st_mode & 0o777 == 0o700


def description(person: Person, fault: str | None = None) -> dict[str, object]:
    return build_card_description(person, CARD_FAULTS[fault] if fault else None, "cards/other")


def test_the_description_of_a_card_without_a_fault_has_no_switch() -> None:
    content = description(PEOPLE["midori"])
    assert content["switches"] == {}
    assert content["auth_pin"] == {"value": "1234", "tries": 3, "left": 3}
    assert content["birth_key"] == {"value": "630417", "tries": 10, "left": 10}
    assert len(str(content["code_b"])) > 14
    assert content["label"] == "JPKIAPICCTOKEN2"


@pytest.mark.parametrize(("person", "left"), [("aoi", 0), ("saburo", 1), ("midori", 3)])
def test_the_tries_a_card_starts_with_are_the_person_s(person: str, left: int) -> None:
    assert description(PEOPLE[person])["auth_pin"] == {"value": PEOPLE[person].pin, "tries": 3, "left": left}


def test_a_child_has_no_signature_pin_and_a_foreign_resident_a_western_year() -> None:
    assert description(PEOPLE["haruto"])["sign_pin"] is None
    assert description(PEOPLE["minh"])["birth_key"] == {"value": "901205", "tries": 10, "left": 10}


def test_the_library_card_is_foreign_and_has_another_atr() -> None:
    content = description(PEOPLE["library-card"])
    assert content["switches"] == {"foreign": True}
    assert content["atr"] != description(PEOPLE["midori"])["atr"]


def test_a_swap_names_the_other_profile() -> None:
    assert description(PEOPLE["midori"], "swap_same_kind")["switches"] == {
        "swap_on": {"command": "sign", "profile": "cards/other"}
    }


def test_slow_faults_are_times() -> None:
    assert description(PEOPLE["midori"], "slow_sign")["sign_ms"] == 5000
    assert description(PEOPLE["midori"], "slow_card")["exchange_ms"] == 120


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"auth_pin": null}'])
def test_tries_are_the_initial_ones_until_the_card_wrote_its_own(tmp_path: Path, content: bytes) -> None:
    cards = CardFolder(tmp_path)
    assert cards.load_tries_left(PEOPLE["saburo"]) == 1
    counters = tmp_path / "cards/saburo/counters.json"
    counters.write_bytes(content)
    assert cards.load_tries_left(PEOPLE["saburo"]) == 1
    counters.write_text('{"version": 1, "auth_pin": 0}')
    assert cards.load_tries_left(PEOPLE["saburo"]) == 0


def test_a_card_lies_on_one_reader_alone(tmp_path: Path) -> None:
    cards = CardFolder(tmp_path)
    cards.place("midori")
    cards.place("midori", "home")
    assert (cards.load_placed(), cards.load_placed("home")) == (None, "midori")
    cards.place("taro")
    assert (cards.load_placed(), cards.load_placed("home")) == ("taro", "midori")
    cards.place("midori")
    assert (cards.load_placed(), cards.load_placed("home")) == ("midori", None)
    assert json.loads((tmp_path / "reader-home.json").read_text())["serial"] == 2
