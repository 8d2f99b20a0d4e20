"""What the page is told about the reader, from snapshots and recognitions."""

from __future__ import annotations

from collections.abc import Callable

from bridge.card.transport import ReaderSnapshot, ReadersSnapshot, ReaderState
from bridge.desk import CardDesk
from bridge.messages import Reader
from bridge.presence import CardInstance
from bridge.worker import Recognised


class Recorder:
    """Takes the worker's place, and keeps what the desk asks for and says."""

    def __init__(self, *, production: bool = False) -> None:
        self.current: CardInstance | None = None
        self.asked: list[CardInstance] = []
        self.shown: list[Reader] = []
        self.waiting: list[Callable[[], None]] = []
        numbers = iter(range(256))
        self.desk = CardDesk(
            self,
            show=self.shown.append,
            later=lambda _seconds, call: self.waiting.append(call),
            entropy=lambda count: bytes([next(numbers)]) * count,
            production=production,
        )

    def set_current(self, instance: CardInstance | None) -> None:
        self.current = instance

    def recognise(self, instance: CardInstance) -> None:
        self.asked.append(instance)

    def see(self, count: int, *, present: bool = True, mute: bool = False, name: str = "R") -> None:
        reader = ReaderSnapshot(name, present, mute, count, b"")
        self.desk.observe(ReadersSnapshot(ReaderState.READY, (reader,), 0))


def test_a_card_is_shown_when_it_is_recognised_and_not_before() -> None:
    at = Recorder()
    at.see(1)
    assert at.shown == []
    assert at.asked == [at.current]
    instance = at.asked[0].id
    at.desk.recognised(Recognised(instance, "ours"))
    assert at.shown == [Reader("ready", "ours", instance)]


def test_an_answer_about_a_card_that_is_gone_is_dropped() -> None:
    at = Recorder()
    at.see(1)
    old = at.asked[0].id
    at.see(3)
    at.desk.recognised(Recognised(old, "ours"))
    assert at.shown == []
    assert len(at.asked) == 2
    at.see(4, present=False)
    at.desk.recognised(Recognised(at.asked[1].id, "ours"))
    assert at.shown == [Reader("ready", "none", "")]
    assert at.current is None


def test_the_same_snapshot_twice_says_nothing_new() -> None:
    at = Recorder()
    for _ in range(3):
        at.see(1, present=False)
    assert at.shown == [Reader("ready", "none", "")]


def test_a_mute_card_is_not_asked() -> None:
    at = Recorder()
    at.see(1, mute=True)
    assert at.asked == []
    assert [reader.card for reader in at.shown] == ["mute"]


def test_a_reader_in_use_is_asked_again_until_it_is_free_or_the_card_is_gone() -> None:
    at = Recorder()
    at.see(1)
    instance = at.asked[0].id
    at.desk.recognised(Recognised(instance, "unknown", "busy"))
    assert at.shown[-1] == Reader("busy", "unknown", instance)
    at.waiting.pop()()
    assert len(at.asked) == 2
    at.desk.recognised(Recognised(instance, "unknown", "busy"))
    at.see(2, present=False)
    at.waiting.pop()()
    assert len(at.asked) == 2


def test_a_worker_that_hangs_makes_the_reader_busy_until_it_answers() -> None:
    at = Recorder()
    at.see(1)
    instance = at.asked[0].id
    at.desk.recognised(Recognised(instance, "ours"))
    at.desk.worker_hangs()
    assert at.shown[-1] == Reader("busy", "unknown", instance)
    assert len(at.asked) == 2
    at.desk.recognised(Recognised(instance, "ours"))
    assert at.shown[-1] == Reader("ready", "ours", instance)


def test_a_production_terminal_sees_no_virtual_reader() -> None:
    at = Recorder(production=True)
    at.see(1, name="Virtual PCD 00 00")
    assert (at.asked, at.current) == ([], None)
