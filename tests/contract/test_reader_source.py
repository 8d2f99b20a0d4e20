"""One suite over both sources of readers: the virtual one in this process, and PC/SC through a real pcscd and vpcd.

Nothing here is timed: each wait ends when the awaited state is there, and fails by pytest's own time limit.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from bridge.card.mynumber import MyNumberCard
from bridge.card.pcsc import PcscSource
from bridge.card.pin import Pin
from bridge.card.status_word import SecurityStatusNotSatisfied
from bridge.card.transport import ReaderSnapshot, ReaderSource, ReadersSnapshot, ReaderState
from bridge.errors import BridgeError, CardGone, CardMute, CardRemoved, PinRefused, ReaderBusy, ReaderMissing
from bridge.virtual.reader import NAME, VirtualSource
from tests.support.pcscd import READER, Pcscd, own_socket_path, virtual_card
from tests.support.profiles import PIN, make_certificate, make_key, write_profile, write_reader

DIGEST = hashlib.sha256(b"challenge").digest()
WAIT_SECONDS = 30.0


class Bench:
    """A source, the tray in front of it, and the name of its reader."""

    def __init__(self, source: ReaderSource, folder: Path, reader: str) -> None:
        self.source = source
        self.reader = reader
        self._folder = folder
        self._serial = 1
        self.snapshot: ReadersSnapshot | None = None

    def write(self, person: str = "taro", **profile: Any) -> None:
        write_profile(self._folder, person, **profile)

    def place(self, person: str = "taro") -> None:
        self._put(f"cards/{person}")

    def lift(self) -> None:
        self._put(None)

    def _put(self, profile: str | None) -> None:
        self._serial += 1
        write_reader(self._folder, self._serial, profile)

    def await_reader(self, condition: Callable[[ReaderSnapshot], bool]) -> ReaderSnapshot:
        """The state of the reader as soon as it fulfils the condition."""
        self.snapshot = self.source.wait_for_change(self.snapshot, 0)
        while True:
            for reader in self.snapshot.readers:
                if reader.name == self.reader and condition(reader):
                    return reader
            self.snapshot = self.source.wait_for_change(self.snapshot, WAIT_SECONDS)

    def await_card(self) -> ReaderSnapshot:
        return self.await_reader(lambda reader: reader.card_present)

    def put(self, **profile: Any) -> ReaderSnapshot:
        """Write a profile, put it down and wait until the source has seen it."""
        self.write(**profile)
        self.place()
        return self.await_card()


@pytest.fixture(scope="module")
def pcscd() -> Iterator[Pcscd]:
    with Pcscd(own_socket_path()) as daemon:
        yield daemon


@pytest.fixture(params=["virtual", pytest.param("pcsc", marks=pytest.mark.pcsc)])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    write_reader(tmp_path, 1, None)
    with ExitStack() as stack:
        source: ReaderSource
        if request.param == "virtual":
            source, reader = VirtualSource(tmp_path), NAME
        else:
            daemon: Pcscd = request.getfixturevalue("pcscd")
            stack.enter_context(virtual_card(tmp_path, daemon.vpcd))
            source, reader = PcscSource(), READER
        bench = Bench(source, tmp_path, reader)
        stack.callback(lambda: bench.source.close())
        bench.await_reader(lambda state: not state.card_present)
        yield bench
        bench.lift()
        bench.await_reader(lambda state: not state.card_present)


def test_the_first_look_comes_at_once_and_says_what_holds(bench: Bench) -> None:
    snapshot = bench.source.wait_for_change(None, WAIT_SECONDS)
    assert snapshot.state is ReaderState.READY
    assert bench.reader in [reader.name for reader in snapshot.readers]


def test_a_card_put_down_and_lifted_is_seen_each_time_with_another_count(bench: Bench) -> None:
    first = bench.put()
    assert first.atr.hex().upper() == "3B888001000005E0B381A1007F"
    bench.lift()
    gone = bench.await_reader(lambda reader: not reader.card_present)
    assert gone.atr == b""
    bench.place()
    assert bench.await_card().event_count not in (first.event_count, gone.event_count)


def test_a_card_lifted_and_put_back_at_once_has_another_count(bench: Bench) -> None:
    first = bench.put()
    bench.place()
    again = bench.await_reader(lambda reader: reader.card_present and reader.event_count != first.event_count)
    assert again.atr == first.atr


def test_nothing_new_ends_the_wait_with_the_same_snapshot(bench: Bench) -> None:
    before = bench.source.wait_for_change(None, 0)
    assert bench.source.wait_for_change(before, 0) == before


def test_a_whole_visit_works_and_leaves_no_pin_behind(bench: Bench) -> None:
    bench.put()
    connection = bench.source.connect(bench.reader)
    assert connection.reader_name == bench.reader
    card = MyNumberCard(connection)
    card.recognise()
    assert card.read_authentication_certificate() == make_certificate("taro-auth")
    assert card.read_pin_tries_left() == 3
    card.verify_pin(Pin.from_ascii(PIN.encode()))
    connection.check_present()
    make_key("taro-auth").public_key().verify(card.sign_digest(DIGEST), b"challenge", PKCS1v15(), SHA256())
    connection.close()
    after = bench.source.connect(bench.reader)
    with pytest.raises(BridgeError) as caught:
        card_without_pin(after).sign_digest(DIGEST)
    assert isinstance(caught.value, SecurityStatusNotSatisfied)
    after.close()


def card_without_pin(connection: Any) -> MyNumberCard:
    card = MyNumberCard(connection)
    card.recognise()
    return card


def test_an_open_card_is_nobody_elses(bench: Bench) -> None:
    bench.put()
    connection = bench.source.connect(bench.reader)
    with pytest.raises(ReaderBusy):
        bench.source.connect(bench.reader)
    connection.close()
    bench.source.connect(bench.reader).close()


def test_tries_are_remembered_when_the_card_is_lifted(bench: Bench) -> None:
    bench.put()
    connection = bench.source.connect(bench.reader)
    with pytest.raises(PinRefused) as refused:
        card_without_pin(connection).verify_pin(Pin.from_ascii(b"0000"))
    assert refused.value.tries_left == 2
    connection.close()
    before = bench.await_card().event_count
    bench.place()
    bench.await_reader(lambda reader: reader.card_present and reader.event_count != before)
    connection = bench.source.connect(bench.reader)
    assert card_without_pin(connection).read_pin_tries_left() == 2
    connection.close()


def test_an_open_card_that_is_lifted_is_gone_for_good(bench: Bench) -> None:
    first = bench.put()
    connection = bench.source.connect(bench.reader)
    card = card_without_pin(connection)
    bench.place()
    bench.await_reader(lambda reader: reader.card_present and reader.event_count != first.event_count)
    with pytest.raises(CardGone):
        connection.check_present()
    with pytest.raises(CardGone):
        card.read_pin_tries_left()
    connection.close()


@pytest.mark.parametrize("moment", ["read", "verify", "sign"])
def test_a_card_pulled_in_the_middle_is_a_card_that_is_gone(bench: Bench, moment: str) -> None:
    bench.put(switches={"remove_on": moment})
    connection = bench.source.connect(bench.reader)
    card = card_without_pin(connection)
    with pytest.raises(CardRemoved):
        sign(card)
    connection.close()


def sign(card: MyNumberCard) -> bytes:
    card.read_authentication_certificate()
    card.verify_pin(Pin.from_ascii(PIN.encode()))
    return card.sign_digest(DIGEST)


def test_a_card_swapped_for_one_of_the_same_kind_has_another_count(bench: Bench) -> None:
    bench.write("midori")
    first = bench.put(switches={"swap_on": {"command": "sign", "profile": "cards/midori"}})
    connection = bench.source.connect(bench.reader)
    card = card_without_pin(connection)
    card.verify_pin(Pin.from_ascii(PIN.encode()))
    with pytest.raises(CardRemoved):
        card.sign_digest(DIGEST)
    connection.close()
    second = bench.await_reader(lambda reader: reader.card_present and reader.event_count != first.event_count)
    assert second.atr == first.atr
    connection = bench.source.connect(bench.reader)
    assert card_without_pin(connection).read_authentication_certificate() == make_certificate("midori-auth")
    connection.close()


def test_a_mute_card_cannot_be_opened(bench: Bench) -> None:
    bench.put(switches={"mute": True})
    with pytest.raises(CardMute):
        bench.source.connect(bench.reader)


def test_an_empty_reader_and_an_unknown_one_are_told_apart(bench: Bench) -> None:
    with pytest.raises(CardRemoved):
        bench.source.connect(bench.reader)
    with pytest.raises(ReaderMissing):
        bench.source.connect("No Such Reader 00 00")


def test_closing_a_connection_twice_or_without_a_card_raises_nothing(bench: Bench) -> None:
    bench.put()
    connection = bench.source.connect(bench.reader)
    connection.close()
    connection.close()
    with pytest.raises(CardGone):
        connection.transmit(bytes(4))


def test_closing_the_source_ends_a_wait_from_another_thread(bench: Bench) -> None:
    before = bench.source.wait_for_change(None, 0)
    ended: list[ReadersSnapshot] = []
    waiting = threading.Thread(target=lambda: ended.append(bench.source.wait_for_change(before, 10 * WAIT_SECONDS)))
    waiting.start()
    bench.source.close()
    waiting.join(WAIT_SECONDS)
    assert ended
    bench.snapshot = None
    bench.source = VirtualSource(bench._folder) if bench.reader == NAME else PcscSource()


@pytest.mark.pcsc
def test_a_service_that_dies_is_noticed_and_found_again(tmp_path: Path) -> None:
    write_profile(tmp_path)
    write_reader(tmp_path, 2, "cards/taro")
    with Pcscd(own_socket_path()) as daemon, virtual_card(tmp_path, daemon.vpcd):
        bench = Bench(PcscSource(), tmp_path, READER)
        bench.await_card()
        assert bench.snapshot is not None
        generation = bench.snapshot.generation
        connection = bench.source.connect(READER)
        daemon.stop()
        while bench.snapshot.state is not ReaderState.SERVICE_DOWN:
            bench.snapshot = bench.source.wait_for_change(bench.snapshot, WAIT_SECONDS)
        assert bench.snapshot.readers == ()
        with pytest.raises(BridgeError) as caught:
            connection.transmit(bytes.fromhex("00A4040C0AD392F000260100000001"))
        assert caught.value.code == "service_down"
        connection.close()
        daemon.start()
        bench.await_card()
        assert bench.snapshot.generation > generation
        connection = bench.source.connect(READER)
        card_without_pin(connection)
        connection.close()
        bench.source.close()
