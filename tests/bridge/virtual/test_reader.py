"""What only the virtual reader does; what it shares with a real one: tests/contract/test_reader_source.py."""

from pathlib import Path

import pytest

from bridge.card.transport import ReadersSnapshot, ReaderState
from bridge.errors import CardMute, CardRemoved, ReaderBusy, ReaderMissing
from bridge.virtual.reader import NAME, VirtualSource
from tests.support.profiles import write_profile, write_reader

JPKI = bytes.fromhex("00A4040C0AD392F000260100000001")
QUERY = bytes.fromhex("00200098")


def look(source: VirtualSource) -> ReadersSnapshot:
    return source.wait_for_change(None, 0)


def test_without_a_reader_file_there_is_no_reader(tmp_path: Path) -> None:
    source = VirtualSource(tmp_path)
    assert look(source) == ReadersSnapshot(ReaderState.MISSING, (), 0)
    with pytest.raises(ReaderMissing):
        source.connect(NAME)


def test_lifting_a_card_and_putting_it_back_is_seen_even_between_two_looks(tmp_path: Path) -> None:
    write_profile(tmp_path)
    write_reader(tmp_path, 1, "cards/taro")
    source = VirtualSource(tmp_path)
    before = look(source)
    write_reader(tmp_path, 3, "cards/taro")
    after = source.wait_for_change(before, 0)
    assert before.readers[0].card_present
    assert after.readers[0].card_present
    assert before.readers[0].event_count != after.readers[0].event_count


def test_a_card_that_its_profile_takes_away_stays_away_until_it_is_put_down_again(tmp_path: Path) -> None:
    write_profile(tmp_path, switches={"remove_after": 2})
    write_reader(tmp_path, 1, "cards/taro")
    source = VirtualSource(tmp_path)
    before = look(source).readers[0]
    connection = source.connect(NAME)
    connection.transmit(JPKI)
    assert connection.transmit(QUERY) == (b"", 0x63C3)
    with pytest.raises(CardRemoved):
        connection.transmit(QUERY)
    connection.close()
    after = look(source).readers[0]
    assert not after.card_present
    assert after.event_count == before.event_count + 1
    with pytest.raises(CardRemoved):
        source.connect(NAME)
    write_reader(tmp_path, 2, "cards/taro")
    assert look(source).readers[0].card_present


def test_a_swapped_card_is_another_insertion_with_the_same_atr(tmp_path: Path) -> None:
    write_profile(tmp_path, switches={"swap_after": {"exchanges": 1, "profile": "cards/midori"}})
    write_profile(tmp_path, "midori", auth_pin={"value": "9999", "tries": 3, "left": 1})
    write_reader(tmp_path, 1, "cards/taro")
    source = VirtualSource(tmp_path)
    before = look(source).readers[0]
    connection = source.connect(NAME)
    connection.transmit(JPKI)
    with pytest.raises(CardRemoved):
        connection.transmit(QUERY)
    after = look(source).readers[0]
    assert after.card_present
    assert (after.atr, after.event_count) == (before.atr, before.event_count + 2)
    other = source.connect(NAME)
    other.transmit(JPKI)
    assert other.transmit(QUERY) == (b"", 0x63C1)


def test_a_lost_answer_is_a_removed_card(tmp_path: Path) -> None:
    write_profile(tmp_path, switches={"remove_on": "verify"})
    write_reader(tmp_path, 1, "cards/taro")
    connection = VirtualSource(tmp_path).connect(NAME)
    connection.transmit(JPKI)
    with pytest.raises(CardRemoved):
        connection.transmit(bytes.fromhex("002000980430303030"))


def test_a_mute_card_is_present_and_cannot_be_opened(tmp_path: Path) -> None:
    write_profile(tmp_path, switches={"mute": True})
    write_reader(tmp_path, 1, "cards/taro")
    source = VirtualSource(tmp_path)
    reader = look(source).readers[0]
    assert (reader.card_present, reader.mute, reader.atr) == (True, True, b"")
    with pytest.raises(CardMute):
        source.connect(NAME)


def test_a_profile_that_cannot_be_read_is_a_mute_card(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_reader(tmp_path, 1, "cards/nobody")
    source = VirtualSource(tmp_path)
    assert look(source).readers[0].mute
    assert "nobody" in caplog.text
    with pytest.raises(CardMute):
        source.connect(NAME)


def test_a_lifted_card_frees_the_reader_even_if_nobody_closed_it(tmp_path: Path) -> None:
    write_profile(tmp_path)
    write_reader(tmp_path, 1, "cards/taro")
    source = VirtualSource(tmp_path)
    old = source.connect(NAME)
    with pytest.raises(ReaderBusy):
        source.connect(NAME)
    write_reader(tmp_path, 2, "cards/taro")
    new = source.connect(NAME)
    with pytest.raises(CardRemoved):
        old.transmit(JPKI)
    old.close()
    assert new.transmit(JPKI) == (b"", 0x9000)


def test_a_connection_closed_without_unpowering_keeps_what_was_selected(tmp_path: Path) -> None:
    write_profile(tmp_path)
    write_reader(tmp_path, 1, "cards/taro")
    source = VirtualSource(tmp_path)
    first = source.connect(NAME)
    first.transmit(JPKI)
    first.close(unpower=False)
    second = source.connect(NAME)
    assert second.transmit(QUERY) == (b"", 0x63C3)
    second.close()
    assert source.connect(NAME).transmit(QUERY) == (b"", 0x6A82)
