"""The worker against sources that count, hang and fail: what it asks of a card, and what it never does."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.card.pin import Pin
from bridge.card.reader_keypad import Keypad
from bridge.card.transport import CardConnection, ReadersSnapshot
from bridge.errors import BridgeError, Cancelled, CardCommunicationError, CardReset, PinMalformed, ReaderBusy
from bridge.presence import NOTHING, CardInstance, judge_presence
from bridge.ticket import ChallengeTicket
from bridge.virtual.reader import VirtualSource
from bridge.visit import CertificateRead, PinAccepted, PinWrong, Signed, VisitFailed
from bridge.worker import CardWorker, Recognised, WorkerReport
from tests.support.profiles import PIN, write_profile, write_reader

VERIFY, SIGN, SELECT, READ = 0x20, 0x2A, 0xA4, 0xB0


class Connection:
    """A connection of the virtual source, with every command and every look written down."""

    def __init__(self, inner: CardConnection, source: CountingSource) -> None:
        self._inner = inner
        self._source = source

    @property
    def reader_name(self) -> str:
        return self._inner.reader_name

    def transmit(self, command: bytes) -> tuple[bytes, int]:
        self._source.commands.append(command)
        self._source.before(command)
        answer = self._inner.transmit(command)
        self._source.after(command)
        return answer

    def check_present(self) -> None:
        self._source.looks.release()
        self._inner.check_present()

    def find_keypad(self) -> Keypad | None:
        return self._inner.find_keypad()

    def close(self, *, unpower: bool = True) -> None:
        self._source.closed.append(unpower)
        self._inner.close(unpower=unpower)


class CountingSource:
    """The virtual reader behind `Connection`; `before` and `after` may raise in the name of the reader."""

    virtual = True

    def __init__(self, folder: Path) -> None:
        self._inner = VirtualSource(folder)
        self.commands: list[bytes] = []
        self.looks = threading.Semaphore(0)
        self.closed: list[bool] = []
        self.before: Callable[[bytes], None] = lambda _command: None
        self.after: Callable[[bytes], None] = lambda _command: None
        self.refuse: list[BridgeError] = []

    def wait_for_change(self, previous: ReadersSnapshot | None, timeout_seconds: float) -> ReadersSnapshot:
        return self._inner.wait_for_change(previous, timeout_seconds)

    def connect(self, reader_name: str) -> CardConnection:
        if self.refuse:
            raise self.refuse.pop(0)
        return Connection(self._inner.connect(reader_name), self)

    def close(self) -> None:
        self._inner.close()

    def instructions(self) -> list[int]:
        return [command[1] for command in self.commands]


class Bench:
    """A worker with the card `taro` on its reader, and its reports in order."""

    def __init__(self, source: CountingSource, instance: CardInstance, **options: float) -> None:
        self.source = source
        self.instance = instance
        self.reports: queue.SimpleQueue[WorkerReport] = queue.SimpleQueue()
        self._numbers = iter(range(1, 1000))
        self.worker = CardWorker(
            source,
            report=self.reports.put,
            take_counter=lambda: next(self._numbers),
            allow_simulated=True,
            **options,  # type: ignore[arg-type]  # holding_seconds and keep_alive_seconds
        )
        self.worker.set_current(instance)

    def begin(self, name: str = "challenge", **changes: Any) -> ChallengeTicket:
        """Begin with a challenge to identify by PIN, but for what `changes` says."""
        challenge = ChallengeTicket(
            compact="a.b.c",
            jti=name,
            expires=0,
            terminal="t",
            origin="o",
            session="s",
            service="library",
            purpose="identify",
            method="pin",
            nonce=bytes(32),
            consent=b"",
            lease="",
            card=self.instance.id,
        )
        challenge = replace(challenge, **changes)
        self.worker.begin(challenge)
        return challenge

    def next(self, kind: type[WorkerReport]) -> WorkerReport:
        report = self.reports.get(timeout=20)
        assert isinstance(report, kind), report
        return report

    def failure(self) -> str:
        report = self.next(VisitFailed)
        assert isinstance(report, VisitFailed)
        return report.code

    def give(self, pin: str = PIN, name: str = "challenge") -> Pin:
        given = Pin.from_ascii(pin.encode())
        self.worker.give_pin(name, given)
        return given


@contextmanager
def bench(folder: Path, card: Mapping[str, Any] = {}, **options: float) -> Iterator[Bench]:
    """`card` replaces keys of `card.json`."""
    write_profile(folder, **card)
    write_reader(folder, 7, "cards/taro")
    source = CountingSource(folder)
    presence, _ = judge_presence(NOTHING, source.wait_for_change(None, 0), bytes(16))
    assert presence.instance is not None
    made = Bench(source, presence.instance, **options)
    made.worker.start()
    try:
        yield made
    finally:
        assert made.worker.stop(10)


def test_one_visit_is_exactly_the_commands_it_needs_on_one_connection(tmp_path: Path) -> None:
    with bench(tmp_path) as at:
        at.begin()
        certificate = at.next(CertificateRead)
        assert isinstance(certificate, CertificateRead)
        at.give()
        at.next(PinAccepted)
        at.next(Signed)
    blocks = -(-len(certificate.certificate) // 256)
    instructions = at.source.instructions()
    assert instructions[:-1] == [SELECT, *[READ] * (1 + blocks), VERIFY, VERIFY, SIGN]
    assert instructions[-1] == SELECT
    assert len(instructions) - 1 == 5 + blocks
    assert at.source.closed == [True]


def test_recognition_is_two_commands_and_leaves_the_card_powered(tmp_path: Path) -> None:
    with bench(tmp_path) as at:
        at.worker.recognise(at.instance)
        assert at.next(Recognised) == Recognised(at.instance.id, "ours")
    assert at.source.instructions() == [SELECT, READ]
    assert at.source.closed == [False]


def test_a_held_card_is_looked_at_again_and_again(tmp_path: Path) -> None:
    with bench(tmp_path, keep_alive_seconds=0.01) as at:
        at.begin()
        at.next(CertificateRead)
        for _ in range(5):
            assert at.source.looks.acquire(timeout=20)
        at.give()
        at.next(PinAccepted)


def test_holding_ends_by_itself_and_the_card_is_closed(tmp_path: Path) -> None:
    with bench(tmp_path, holding_seconds=0.03) as at:
        at.begin()
        at.next(CertificateRead)
        assert at.failure() == "pin_timeout"
    assert at.source.instructions().count(VERIFY) == 1  # the query of the tries left
    assert at.source.closed == [True]


@pytest.mark.parametrize("error", [CardReset(), CardCommunicationError()])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_pin_whose_answer_was_lost_is_never_sent_again(tmp_path: Path, error: BridgeError, when: str) -> None:
    with bench(tmp_path) as at:
        at.begin()
        at.next(CertificateRead)

        def lose(command: bytes) -> None:
            if command[1] == VERIFY:
                raise error

        setattr(at.source, when, lose)
        pin = at.give()
        assert at.failure() == error.code
        setattr(at.source, when, lambda _command: None)
        at.begin("second")  # it counts as one of the two
        at.next(CertificateRead)
        at.give("9999", "second")
        assert at.failure() == "pin_tries_used"
    with_data = [command for command in at.source.commands if command[1] == VERIFY and len(command) > 5]
    assert len(with_data) == 2
    with pytest.raises(PinMalformed):
        pin.reveal()


def test_a_third_pin_is_refused_before_the_reader_is_opened(tmp_path: Path) -> None:
    with bench(tmp_path) as at:
        at.begin()
        at.next(CertificateRead)
        at.give("9999")
        at.next(PinWrong)
        at.give("9998")
        assert at.failure() == "pin_tries_used"
        at.begin("again")
        assert at.failure() == "pin_tries_used"
    assert at.source.closed == [True]  # the reader was opened for the first visit alone


def test_a_right_pin_begins_the_count_anew(tmp_path: Path) -> None:
    with bench(tmp_path) as at:
        for name in ("first", "second", "third"):
            at.begin(name)
            at.next(CertificateRead)
            at.give("9999", name)
            at.next(PinWrong)
            at.give("1234", name)
            at.next(PinAccepted)
            at.next(Signed)


def test_a_visit_for_another_instance_asks_the_card_nothing(tmp_path: Path) -> None:
    with bench(tmp_path) as at:
        at.begin(card="another")
        assert at.failure() == "card_swapped"
        at.worker.set_current(None)
        at.begin("second")
        assert at.failure() == "card_removed"
    assert at.source.commands == []


def test_a_visit_that_ends_between_two_commands_sends_no_further_one_but_the_closing(tmp_path: Path) -> None:
    with bench(tmp_path) as at:

        def cancel(command: bytes) -> None:
            if command[1] == READ:
                at.worker.end("challenge", Cancelled())

        at.source.after = cancel
        at.begin()
        assert at.failure() == "cancelled"
    assert at.source.instructions() == [SELECT, READ, SELECT]
    assert at.source.closed == [True]


def test_a_visit_cancelled_while_the_card_signs_gives_no_signature_away(tmp_path: Path) -> None:
    with bench(tmp_path) as at:
        at.begin()
        at.next(CertificateRead)
        at.source.after = lambda command: at.worker.end("challenge", Cancelled()) if command[1] == SIGN else None
        at.give()
        at.next(PinAccepted)
        assert at.failure() == "cancelled"


def test_a_signature_that_does_not_fit_the_certificate_never_leaves(tmp_path: Path) -> None:
    with bench(tmp_path) as at:
        write_profile(tmp_path, "midori")
        at.begin()
        at.next(CertificateRead)
        original = Connection.transmit

        def forge(self: Connection, command: bytes) -> tuple[bytes, int]:
            data, status = original(self, command)
            return (data[:-1] + bytes([data[-1] ^ 1]), status) if command[1] == SIGN else (data, status)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Connection, "transmit", forge)
            at.give()
            at.next(PinAccepted)
            assert at.failure() == "signature_mismatch"


def test_a_reader_in_use_is_told_and_a_defect_does_not_stop_the_worker(tmp_path: Path) -> None:
    with bench(tmp_path) as at:
        at.source.refuse = [ReaderBusy(), ReaderBusy()]
        at.worker.recognise(at.instance)
        assert at.next(Recognised) == Recognised(at.instance.id, "unknown", "busy")
        at.begin()
        assert at.failure() == "reader_busy"

        def break_down(_command: bytes) -> None:
            raise ZeroDivisionError

        at.source.before = break_down
        at.begin("second")
        assert at.failure() == "internal"
        at.source.before = lambda _command: None
        at.begin("third")
        at.next(CertificateRead)


def test_a_card_that_fails_twice_is_mute_and_once_is_forgiven(tmp_path: Path) -> None:
    with bench(tmp_path) as at:
        failures = [CardCommunicationError()]

        def fail(_command: bytes) -> None:
            if failures:
                raise failures.pop()

        at.source.before = fail
        at.worker.recognise(at.instance)
        assert at.next(Recognised) == Recognised(at.instance.id, "ours")
        failures += [CardCommunicationError(), CardCommunicationError()]
        at.worker.recognise(at.instance)
        assert at.next(Recognised) == Recognised(at.instance.id, "mute")


def test_a_pin_for_a_visit_that_is_over_is_wiped(tmp_path: Path) -> None:
    with bench(tmp_path) as at:
        at.begin(card="another")
        at.failure()
        for name in ("challenge", "never was"):
            with pytest.raises(PinMalformed):
                at.give(name=name).reveal()
