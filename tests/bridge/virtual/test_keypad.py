"""The virtual reader's keys: taken once, in time or not at all; and the one structure that it understands."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.card.apdu import CommandApdu
from bridge.card.keypad import KEYPAD_SECONDS, build_verify_structure
from bridge.errors import CardRemoved
from bridge.virtual.keypad import VirtualKeys, parse_verify_structure
from bridge.virtual.profile import ProfileMalformed, parse_keys
from tests.support.profiles import press_keys

STRUCTURE = build_verify_structure(CommandApdu(0x00, 0x20, 0x00, 0x98))


def lie_still() -> None:
    """Nobody lifts the card."""


def test_the_bridges_structure_is_understood() -> None:
    asked = parse_verify_structure(STRUCTURE)
    assert asked is not None
    assert (asked.minimum, asked.maximum, asked.seconds) == (4, 4, KEYPAD_SECONDS)
    assert asked.build_command("1234") == b"\x00\x20\x00\x98\x041234"


@pytest.mark.parametrize("position", [*range(2, 7), 15, 23])
def test_any_other_form_is_refused(position: int) -> None:
    spoilt = bytearray(STRUCTURE)
    spoilt[position] += 1
    if position == 6:  # the fewest digits: more of them than the most
        assert spoilt[6] > spoilt[5]
    assert parse_verify_structure(bytes(spoilt)) is None
    assert parse_verify_structure(STRUCTURE[:-1]) is None
    assert parse_verify_structure(STRUCTURE[:20]) is None


def test_keys_are_taken_once_also_when_pressed_before(tmp_path: Path) -> None:
    press_keys(tmp_path, 3, "1111")
    keys = VirtualKeys(tmp_path / "keypad.json")
    assert keys.take(0, lie_still) == 0x6400
    for serial, pressed, taken in ((4, "1234", "1234"), (6, "cancel", 0x6401), (7, "timeout", 0x6400)):
        press_keys(tmp_path, serial, pressed)
        assert keys.take(60, lie_still) == taken
        assert keys.take(0, lie_still) == 0x6400
    press_keys(tmp_path, 8, "")
    assert keys.take(0, lie_still) == 0x6400
    press_keys(tmp_path, 8, "refuse")
    assert keys.take(60, lie_still) == 0x6B80


def test_a_lifted_card_ends_the_wait(tmp_path: Path) -> None:
    def lift() -> None:
        raise CardRemoved

    with pytest.raises(CardRemoved):
        VirtualKeys(tmp_path / "keypad.json").take(600, lift)


def test_keys_that_cannot_be_read_are_none_and_are_never_quoted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys = VirtualKeys(tmp_path / "keypad.json")
    assert not keys.there
    press_keys(tmp_path, 1, "12x4")
    assert keys.there
    assert keys.take(0, lie_still) == 0x6400
    assert "keypad.json" in caplog.text
    assert "12x4" not in caplog.text


@pytest.mark.parametrize(
    "content",
    [
        {"version": 2, "serial": 1, "keys": "1"},
        {"version": 1, "serial": 1},
        {"version": 1, "serial": 1, "keys": 1234},
        {"version": 1, "serial": 1, "keys": "1" * 17},
        {"version": 1, "serial": 1, "keys": "1", "more": 1},
    ],
)
def test_a_wrong_file_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(ProfileMalformed):
        parse_keys(content)
