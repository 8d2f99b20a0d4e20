"""The client against a vpcd made of a socket; tests/contract/test_reader_source.py has it against the real one."""

import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.virtual.tray import FolderTray
from bridge.virtual.vpcd import VpcdClient
from tests.support.profiles import CONTACTLESS_ATR, write_profile, write_reader

JPKI = "00A4040C0AD392F000260100000001"
QUERY = "00200098"
POWER_OFF, POWER_ON, RESET, GIVE_ATR = "00", "01", "02", "04"
SECONDS = 20


class Vpcd:
    """The daemon's side of the protocol."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening

    def accept(self) -> "Slot":
        connection, _ = self._listening.accept()
        connection.settimeout(SECONDS)
        return Slot(connection)


class Slot:
    """One inserted card."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._reading = connection.makefile("rb")

    def tell(self, frame: str) -> None:
        body = bytes.fromhex(frame)
        # Two sends, as the vpcd of Debian 12 does it.
        self._connection.sendall(len(body).to_bytes(2, "big"))
        self._connection.sendall(body)

    def ask(self, frame: str) -> str:
        self.tell(frame)
        length = int.from_bytes(self._reading.read(2), "big")
        return self._reading.read(length).hex().upper()

    def ended(self) -> bool:
        return self._reading.read(1) == b""

    def close(self) -> None:
        self._reading.close()
        self._connection.close()


@pytest.fixture
def vpcd(tmp_path: Path) -> Iterator[Vpcd]:
    """With a client at work on the tray of `tmp_path`."""
    write_reader(tmp_path, 1, None)
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(SECONDS)
        host, port = listening.getsockname()
        client = VpcdClient(FolderTray(tmp_path), host, port, stop)
        thread = threading.Thread(target=client.run)
        thread.start()
        yield Vpcd(listening)
        stop.set()
    thread.join(SECONDS)
    assert not thread.is_alive()


def test_a_card_put_down_is_inserted_and_answers(tmp_path: Path, vpcd: Vpcd) -> None:
    write_profile(tmp_path)
    write_reader(tmp_path, 2, "cards/taro")
    slot = vpcd.accept()
    slot.tell(POWER_ON)
    assert slot.ask(GIVE_ATR) == CONTACTLESS_ATR
    assert slot.ask(JPKI) == "9000"
    assert slot.ask(QUERY) == "63C3"
    slot.close()


@pytest.mark.parametrize("control", [POWER_OFF, POWER_ON, RESET])
def test_each_control_makes_the_card_forget_what_was_selected(tmp_path: Path, vpcd: Vpcd, control: str) -> None:
    write_profile(tmp_path)
    write_reader(tmp_path, 2, "cards/taro")
    slot = vpcd.accept()
    slot.ask(JPKI)
    slot.tell(control)
    assert slot.ask(QUERY) == "6A82"
    slot.close()


def test_a_card_lifted_is_removed_and_the_next_one_inserted(tmp_path: Path, vpcd: Vpcd) -> None:
    write_profile(tmp_path)
    write_profile(tmp_path, "midori", auth_pin={"value": "1111", "tries": 3, "left": 1})
    write_reader(tmp_path, 2, "cards/taro")
    first = vpcd.accept()
    write_reader(tmp_path, 3, "cards/midori")
    assert first.ended()
    first.close()
    second = vpcd.accept()
    second.ask(JPKI)
    assert second.ask(QUERY) == "63C1"
    second.close()


def test_a_card_that_goes_by_itself_answers_and_is_removed(tmp_path: Path, vpcd: Vpcd) -> None:
    write_profile(tmp_path, switches={"remove_after": 1})
    write_reader(tmp_path, 2, "cards/taro")
    slot = vpcd.accept()
    assert slot.ask(JPKI) == "9000"
    assert slot.ended()
    slot.close()


def test_a_card_that_is_swapped_while_it_signs_gives_no_answer_and_another_comes(tmp_path: Path, vpcd: Vpcd) -> None:
    write_profile(tmp_path, switches={"swap_on": {"command": "verify", "profile": "cards/midori"}})
    write_profile(tmp_path, "midori", auth_pin={"value": "1111", "tries": 3, "left": 1})
    write_reader(tmp_path, 2, "cards/taro")
    first = vpcd.accept()
    first.ask(JPKI)
    first.tell("002000980430303030")
    assert first.ended()
    first.close()
    second = vpcd.accept()
    second.ask(JPKI)
    assert second.ask(QUERY) == "63C1"
    second.close()


def test_a_card_comes_again_after_vpcd_went_away(tmp_path: Path, vpcd: Vpcd) -> None:
    write_profile(tmp_path)
    write_reader(tmp_path, 2, "cards/taro")
    vpcd.accept().close()
    again = vpcd.accept()
    assert again.ask(JPKI) == "9000"
    again.close()


def test_a_mute_card_has_an_atr_that_is_none(tmp_path: Path, vpcd: Vpcd) -> None:
    write_profile(tmp_path, switches={"mute": True})
    write_reader(tmp_path, 2, "cards/taro")
    slot = vpcd.accept()
    assert slot.ask(GIVE_ATR) == "00"
    slot.close()


def test_a_vpcd_that_is_away_is_told_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_profile(tmp_path)
    write_reader(tmp_path, 2, "cards/taro")
    stop = Looks(9)
    with socket.socket() as taken, caplog.at_level(logging.INFO):
        taken.bind(("127.0.0.1", 0))  # bound, not listening: every connection is refused
        port = taken.getsockname()[1]
        VpcdClient(FolderTray(tmp_path), "127.0.0.1", port, stop).run()
    (told,) = caplog.messages
    assert told.startswith(f"vpcd at 127.0.0.1:{port}: ")
    assert stop.waits == 9


class Looks(threading.Event):
    """Set after so many waits, none of which takes any time."""

    def __init__(self, allowed: int) -> None:
        super().__init__()
        self.waits = 0
        self._allowed = allowed

    def wait(self, timeout: float | None = None) -> bool:
        self.waits += 1
        if self.waits == self._allowed:
            self.set()
        return self.is_set()
