"""The upkeep of lists beside the server: one refresh at a time, when it is due, with patience; alarms as they come."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from kiosk_web.pki.crl_trust import ListMark, ListScope
from kiosk_web.services.lists.alarms import AlarmName, ListAlarm, ListLimits
from kiosk_web.services.lists.refresh import ListSource, SourceState
from kiosk_web.services.lists.upkeep import ListUpkeep, RefreshFailed
from tests.kiosk_web.services.lists.test_alarms import LIMITS, Listed
from tests.support.jpki import NOW

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)
SOURCES = [ListSource(name, "http", f"http://{name}.invalid/", 1, 1) for name in ("a", "b")]


@dataclass
class Stage:
    """Everything around the upkeep, played by a test."""

    now: datetime = NOW
    states: dict[str, SourceState] = field(default_factory=dict)
    marks: dict[ListScope, ListMark] = field(default_factory=dict)
    lists: tuple[Listed, ...] = (Listed("good"),)
    trouble: AlarmName | None = None
    generation: int = 1
    limits: ListLimits = LIMITS
    asked: list[Sequence[str]] = field(default_factory=list)
    answer: RefreshFailed | None = None
    published: int = 0
    marks_read: int = 0
    checked: list[int] = field(default_factory=list)
    gate: asyncio.Event | None = None

    def build(self, sources: Sequence[ListSource] = SOURCES) -> ListUpkeep:
        return ListUpkeep(
            sources=sources,
            load_states=lambda: self.states,
            refresher=self,
            shelf=self,
            marks=self,
            limits=self.limits,
            publish=self.publish,
            clock=lambda: self.now,
        )

    def put(self, *lists: Listed) -> None:
        self.lists = lists
        self.generation += 1

    async def refresh(self, names: Sequence[str]) -> RefreshFailed | None:
        self.asked.append(tuple(names))
        if self.gate is not None:
            await self.gate.wait()
        if self.answer is None:
            self.states |= {name: SourceState(self.now, self.now, place=f"http://{name}.invalid/") for name in names}
        return self.answer

    async def load_all(self) -> Mapping[ListScope, ListMark]:
        self.marks_read += 1
        return self.marks

    def records(self) -> tuple[Listed, ...]:
        return self.lists

    def damaged(self) -> tuple[Listed, ...]:
        return ()

    def check_digests(self) -> bool:
        self.checked.append(self.generation)
        return True

    def publish(self) -> None:
        self.published += 1


async def look(upkeep: ListUpkeep, times: int = 1) -> None:
    for _ in range(times):
        await upkeep.look()
        await upkeep.settle()


async def test_what_is_due_is_refreshed_at_once_and_then_left_alone() -> None:
    stage = Stage()
    upkeep = stage.build()
    await look(upkeep, 3)
    assert stage.asked == [("a", "b")]
    stage.now += 60 * MINUTE
    await look(upkeep, 3)
    assert stage.asked == [("a", "b"), ("a", "b")]
    assert stage.checked == [1]


async def test_without_sources_nothing_is_refreshed_and_lists_are_watched_all_the_same() -> None:
    stage = Stage(lists=(Listed("by hand", next_update=NOW + MINUTE),))
    upkeep = stage.build(())
    await look(upkeep)
    assert stage.asked == []
    assert [alarm.name for alarm in upkeep.alarms] == ["due_soon"]


async def test_one_refresh_at_a_time() -> None:
    stage = Stage(gate=asyncio.Event())
    upkeep = stage.build()
    await upkeep.look()
    await asyncio.sleep(0)
    stage.now += 600 * MINUTE
    await upkeep.look()
    assert stage.asked == [("a", "b")]
    assert stage.gate is not None
    stage.gate.set()
    await upkeep.settle()


async def test_a_refresh_that_fails_as_a_whole_is_tried_again_later_and_later_and_told() -> None:
    stage = Stage(answer=RefreshFailed("disk_full", "no space"))
    upkeep = stage.build()
    with capture_logs() as logs:
        for minutes, expected in ((0, 1), (0.9, 1), (0.1, 2), (1.9, 2), (0.1, 3), (3.9, 3), (0.1, 4)):
            stage.now += minutes * MINUTE
            await look(upkeep)
            assert len(stage.asked) == expected
    assert [log["reason"] for log in logs if log["event"] == "lists_not_refreshed"] == ["disk_full"] * 4
    await upkeep.look()
    assert upkeep.alarms == (ListAlarm("refresh_failing", detail="disk_full"),)
    stage.answer = None
    stage.now += 60 * MINUTE
    await look(upkeep, 2)
    assert upkeep.alarms == ()


async def test_another_process_that_refreshes_is_no_trouble() -> None:
    stage = Stage(answer=RefreshFailed("writer_busy"))
    upkeep = stage.build()
    with capture_logs() as logs:
        for _ in range(9):
            await look(upkeep)
            stage.now += MINUTE
    assert len(stage.asked) == 9
    assert (upkeep.alarms, logs) == ((), [])


async def test_a_clock_that_was_put_back_does_not_keep_a_refresh_waiting_for_ever() -> None:
    stage = Stage(answer=RefreshFailed("disk_full"))
    upkeep = stage.build()
    await look(upkeep)
    stage.now -= 48 * 60 * MINUTE
    await look(upkeep)
    assert len(stage.asked) == 2


async def test_alarms_are_published_and_logged_when_they_come_and_published_when_they_go() -> None:
    stage = Stage()
    upkeep = stage.build()
    await look(upkeep)
    assert (upkeep.alarms, stage.published) == ((), 0)
    stage.put(Listed("a.crl", next_update=NOW + MINUTE), Listed("b.crl", next_update=NOW + 2 * MINUTE))
    with capture_logs() as logs:
        await look(upkeep, 3)
    assert upkeep.alarms == (ListAlarm("due_soon", 2, "a.crl", NOW + MINUTE),)
    assert [(log["reason"], log["count"], log["path"]) for log in logs] == [("due_soon", 2, "a.crl")]
    assert stage.published == 1
    stage.put(Listed("good"))
    await look(upkeep)
    assert (upkeep.alarms, stage.published) == ((), 2)


async def test_time_alone_makes_an_alarm_within_a_minute_and_marks_are_not_read_all_the_time() -> None:
    stage = Stage(lists=(Listed("a.crl", next_update=NOW + LIMITS.warning),))
    upkeep = stage.build(())
    await look(upkeep)
    stage.now += MINUTE / 2
    await look(upkeep, 5)
    assert (upkeep.alarms, stage.marks_read) == ((), 1)
    stage.now += MINUTE / 2
    await look(upkeep, 5)
    assert ([alarm.name for alarm in upkeep.alarms], stage.marks_read) == (["due_soon"], 1)
    stage.now += 10 * MINUTE
    await look(upkeep, 5)
    assert stage.marks_read == 2


async def test_what_the_first_refresh_will_mend_is_no_alarm_for_a_minute() -> None:
    stage = Stage(lists=(Listed("old", next_update=NOW - MINUTE),), gate=asyncio.Event())
    upkeep = stage.build()
    await upkeep.look()
    assert upkeep.alarms == ()
    stage.now += MINUTE
    await upkeep.look()
    assert [alarm.name for alarm in upkeep.alarms] == ["next_update_passed"]
    assert stage.gate is not None
    stage.gate.set()
    await upkeep.settle()


async def test_whole_segments_are_read_once_for_each_index_and_once_a_day() -> None:
    stage = Stage()
    upkeep = stage.build(())
    await look(upkeep, 3)
    stage.generation = 2
    await look(upkeep, 3)
    stage.now += timedelta(hours=24)
    await look(upkeep, 3)
    assert stage.checked == [1, 2, 2]


async def test_a_round_that_fails_is_told_and_the_next_one_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiosk_web.services.lists.upkeep.LOOK_SECONDS", 0)
    stage = Stage()
    upkeep = stage.build(())
    rounds = asyncio.Event()
    failures = 2

    def fail_twice() -> tuple[Listed, ...]:
        nonlocal failures
        if failures:
            failures -= 1
            raise OSError("5")
        rounds.set()
        return ()

    monkeypatch.setattr(stage, "records", fail_twice)
    with capture_logs() as logs:
        running = asyncio.create_task(upkeep.run())
        await rounds.wait()
        running.cancel()
        await asyncio.wait([running])
    assert [log["error"] for log in logs] == ["OSError", "OSError"]
    assert running.cancelled()


async def test_the_end_of_the_server_ends_a_refresh() -> None:
    before = asyncio.all_tasks()
    stage = Stage(gate=asyncio.Event())
    upkeep = stage.build()
    running = asyncio.create_task(upkeep.run())
    while not stage.asked:
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    assert asyncio.all_tasks() == before
