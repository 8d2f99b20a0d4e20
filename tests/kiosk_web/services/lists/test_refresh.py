"""Refreshing: which source is asked when, with what it is asked, and what is remembered of the answer."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from kiosk_web.adapters.crl_source_states import SourceStateFile
from kiosk_web.errors import ListIndexError
from kiosk_web.services.lists.refresh import (
    ListRefresh,
    ListSource,
    NotModified,
    Offered,
    SourceFailure,
    SourceOutcome,
    SourceState,
    Validators,
    list_due,
)
from tests.support.crl_stand import ListStand, SilentWatcher, list_of, offer, town_point
from tests.support.crl_writer import ListShape
from tests.support.jpki import NOW

FIRST, SECOND = ListShape(number=1), ListShape(number=2)
HOUR = timedelta(hours=1)
SAID = Validators('"7"', "Mon, 23 Nov 2026 03:00:00 GMT")


def source(name: str = "town", place: str = "http://127.0.0.1/crl") -> ListSource:
    return ListSource(name, "http", place, 1 << 20, 30)


class Reader:
    """Answers what a test wants; remembers what it was asked."""

    def __init__(self, **answers: Offered | NotModified | SourceFailure) -> None:
        self.answers = answers
        self.asked: dict[str, Validators] = {}

    async def offer(self, source: ListSource, known: Validators) -> Offered | NotModified | SourceFailure:
        self.asked[source.name] = known
        return self.answers[source.name]


class Refreshing:
    def __init__(self, folder: Path) -> None:
        self.stand = ListStand(folder / "crl")
        self.watcher = SilentWatcher()

    @property
    def states(self) -> Mapping[str, SourceState]:
        return SourceStateFile(self.stand.folder).load()

    async def refresh(self, reader: Reader, *sources: ListSource) -> tuple[SourceOutcome, ...]:
        with self.stand.writing() as writer:
            refresh = ListRefresh(
                reader=reader,
                intake=self.stand.build_intake(writer),
                index=writer,
                states=SourceStateFile(self.stand.folder),
                clock=self.stand.clock,
            )
            return await refresh.refresh(sources, self.watcher)

    def offered(self, shape: ListShape, serial: int = 5, name: str = "town") -> Offered:
        return Offered((offer(list_of(self.stand.root, [serial], shape), f"{name}.crl", name),), SAID)


@pytest.fixture
def refreshing(tmp_path: Path) -> Refreshing:
    return Refreshing(tmp_path)


@pytest.mark.anyio
async def test_what_was_taken_is_asked_for_by_condition_the_next_time(refreshing: Refreshing) -> None:
    reader = Reader(town=refreshing.offered(FIRST))
    (outcome,) = await refreshing.refresh(reader, source())
    assert (outcome.why, dict(outcome.results), outcome.entries) == ("", {"taken": 1}, 1)
    assert reader.asked == {"town": Validators()}
    again = Reader(town=NotModified())
    (outcome,) = await refreshing.refresh(again, source())
    assert again.asked == {"town": SAID}
    assert (outcome.why, dict(outcome.results)) == ("", {"unchanged": 1})
    assert refreshing.states["town"].validators == SAID
    assert refreshing.stand.answer(refreshing.stand.open_shelf(), 5) == [""]


@pytest.mark.anyio
async def test_a_condition_counts_for_its_place_and_a_list_in_force_only(refreshing: Refreshing) -> None:
    await refreshing.refresh(Reader(town=refreshing.offered(FIRST)), source())
    moved = Reader(town=refreshing.offered(FIRST))
    await refreshing.refresh(moved, source(place="http://127.0.0.2/crl"))
    assert moved.asked == {"town": Validators()}
    (refreshing.stand.folder / "manifest.bin").unlink()
    lost = Reader(town=refreshing.offered(FIRST))
    await refreshing.refresh(lost, source(place="http://127.0.0.2/crl"))
    assert lost.asked == {"town": Validators()}
    assert refreshing.stand.answer(refreshing.stand.open_shelf(), 5) == [""]


@pytest.mark.anyio
async def test_a_list_whose_index_is_damaged_comes_again_as_a_whole(refreshing: Refreshing) -> None:
    """Damaged, or of a version of the format that is no longer read."""
    await refreshing.refresh(Reader(town=refreshing.offered(FIRST)), source())
    (segments,) = (refreshing.stand.folder / "segments").iterdir()
    content = bytearray(segments.read_bytes())
    content[8] = 1
    segments.write_bytes(content)
    shelf = refreshing.stand.open_shelf()
    assert refreshing.stand.answer(shelf, 5) == []
    again = Reader(town=refreshing.offered(FIRST))
    (outcome,) = await refreshing.refresh(again, source())
    assert again.asked == {"town": Validators()}
    assert dict(outcome.results) == {"taken": 1}
    assert refreshing.stand.answer(shelf, 5) == [""]


@pytest.mark.anyio
async def test_after_a_refusal_the_whole_list_is_asked_for(refreshing: Refreshing) -> None:
    await refreshing.refresh(Reader(town=refreshing.offered(SECOND)), source())
    (outcome,) = await refreshing.refresh(Reader(town=refreshing.offered(FIRST)), source())
    assert (outcome.why, [refused.why for refused in outcome.refused]) == ("number_behind", ["number_behind"])
    state = refreshing.states["town"]
    assert (state.failures, state.why, state.succeeded_at) == (1, "number_behind", NOW)
    after = Reader(town=refreshing.offered(SECOND))
    await refreshing.refresh(after, source())
    assert after.asked == {"town": Validators()}
    assert refreshing.states["town"].failures == 0


@pytest.mark.anyio
async def test_one_source_that_fails_does_not_keep_the_others(refreshing: Refreshing) -> None:
    other = replace(SECOND, point=town_point())
    reader = Reader(
        down=SourceFailure("timeout", "budget"), town=refreshing.offered(FIRST), far=refreshing.offered(other, 6, "far")
    )
    for _ in range(2):
        outcomes = await refreshing.refresh(reader, source("down"), source("town"), source("far"))
        assert [(outcome.source, outcome.why) for outcome in outcomes] == [
            ("down", "timeout"),
            ("town", ""),
            ("far", ""),
        ]
    assert (refreshing.states["down"].failures, refreshing.states["down"].succeeded_at) == (2, None)
    assert refreshing.watcher.sources == ["down", "town", "far"]
    shelf = refreshing.stand.open_shelf()
    assert (shelf.generation, len(shelf.records())) == (1, 2)


@pytest.mark.anyio
async def test_trouble_with_the_index_is_raised_and_nothing_is_remembered(
    refreshing: Refreshing, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    def fail(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    @contextmanager
    def full_disk() -> object:
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fail)
            yield

    with full_disk(), pytest.raises(ListIndexError, match="disk_full"):
        await refreshing.refresh(Reader(town=refreshing.offered(FIRST)), source())
    assert refreshing.states == {}


def state(minutes_ago: float, failures: int = 0) -> SourceState:
    return SourceState(
        NOW - timedelta(minutes=minutes_ago), failures=failures, why="timeout" if failures else "", place=source().place
    )


@pytest.mark.parametrize(
    ("known", "due"),
    [
        (None, True),
        (state(59), False),
        (state(60), True),
        (state(-1), True),  # the clock was ahead
        (state(0.5, failures=1), False),
        (state(1, failures=1), True),
        (state(1, failures=2), False),
        (state(2, failures=2), True),
        (state(59, failures=40), False),
        (state(60, failures=40), True),
        (replace(state(1), place="elsewhere"), True),
    ],
)
def test_a_source_is_due_after_its_interval_and_sooner_after_a_failure(known: SourceState | None, due: bool) -> None:
    states = {} if known is None else {"town": known}
    assert list_due([source()], states, NOW) == (("town",) if due else ())


def test_states_are_read_back_and_what_is_no_state_is_left_out(tmp_path: Path) -> None:
    file = SourceStateFile(tmp_path)
    assert file.load() == {}
    states = {"a": state(1), "b": SourceState(NOW, NOW, 2, "reset", "http://b/", SAID, bytes(range(32)))}
    file.save(states)
    assert file.load() == states
    path = tmp_path / "sources.json"
    path.write_text(path.read_text().replace('"failures": 2', '"failures": "many"'))
    assert file.load() == {"a": state(1)}
    path.write_text("[]")
    assert file.load() == {}
