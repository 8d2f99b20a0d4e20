import json
from pathlib import Path

import pytest

from bridge.errors import CardCommunicationError, CardRemoved
from bridge.virtual.insertion import Insertion
from bridge.virtual.profile import ProfileMalformed
from tests.support.profiles import write_profile

JPKI = bytes.fromhex("00A4040C0AD392F000260100000001")
WRONG = bytes.fromhex("002000980430303030")
RIGHT = bytes.fromhex("002000980431323334")
QUERY = bytes.fromhex("00200098")


def always() -> bool:
    return True


def tries_on_disk(folder: Path) -> int:
    return int(json.loads((folder / "counters.json").read_text())["auth_pin"])


def test_the_tries_left_outlive_the_card_being_lifted(tmp_path: Path) -> None:
    folder = write_profile(tmp_path)
    card = Insertion(folder)
    card.transmit(JPKI, always)
    assert card.transmit(WRONG, always).response == b"\x63\xc2"
    assert tries_on_disk(folder) == 2
    again = Insertion(folder)
    again.transmit(JPKI, always)
    assert again.transmit(QUERY, always).response == b"\x63\xc2"
    again.transmit(RIGHT, always)
    assert tries_on_disk(folder) == 3


def test_a_visit_without_a_mistake_writes_nothing(tmp_path: Path) -> None:
    folder = write_profile(tmp_path)
    card = Insertion(folder)
    card.transmit(JPKI, always)
    card.transmit(RIGHT, always)
    assert not (folder / "counters.json").exists()


def test_the_tries_are_on_the_disk_even_when_the_answer_is_lost(tmp_path: Path) -> None:
    folder = write_profile(tmp_path, switches={"remove_on": "verify"})
    card = Insertion(folder)
    card.transmit(JPKI, always)
    assert card.transmit(WRONG, always).lost
    assert tries_on_disk(folder) == 2


def test_a_card_lifted_while_it_works_is_gone_at_once(tmp_path: Path) -> None:
    folder = write_profile(tmp_path, exchange_ms=600_000)
    with pytest.raises(CardRemoved):
        Insertion(folder).transmit(JPKI, lambda: False)


def test_counters_that_are_wrong_are_refused(tmp_path: Path) -> None:
    folder = write_profile(tmp_path)
    (folder / "counters.json").write_text('{"version": 1}')
    with pytest.raises(ProfileMalformed, match=r"counters\.json"):
        Insertion(folder)


def test_tries_that_cannot_be_kept_are_not_given(tmp_path: Path) -> None:
    folder = write_profile(tmp_path)
    card = Insertion(folder)
    card.transmit(JPKI, always)
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(CardCommunicationError):
        card.transmit(WRONG, always)
