"""Alarms: what is wrong with lists and sources, in time, and nothing while all is well."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from kiosk_web.pki.crl_trust import ListMark, ListScope, derive_name_scope
from kiosk_web.services.lists.alarms import PATIENCE, ListAlarm, ListLimits, judge_alarms, judge_list
from kiosk_web.services.lists.refresh import SourceState
from tests.support.jpki import NOW

HOUR = timedelta(hours=1)
LIMITS = ListLimits(max_age=30 * HOUR, skew=timedelta(minutes=2), warning=6 * HOUR)


@dataclass(frozen=True)
class Listed:
    label: str
    this_update: datetime = NOW - HOUR
    next_update: datetime = NOW + 24 * HOUR
    number: int = 5

    @property
    def scope(self) -> ListScope:
        return ListScope(b"key", self.label.encode())

    @property
    def mark(self) -> ListMark:
        return ListMark(self.number, self.this_update, b"")


GOOD = Listed("good")


def judge(*records: Listed, **given: Any) -> tuple[ListAlarm, ...]:
    values: dict[str, Any] = {
        "damaged": (),
        "trouble": None,
        "marks": {},
        "sources": (),
        "states": {},
        "limits": LIMITS,
        "now": NOW,
        **given,
    }
    return judge_alarms(records, **values)


def test_while_all_is_well_nobody_is_told_anything() -> None:
    assert judge(GOOD, marks={GOOD.scope: GOOD.mark}, sources=["a"], states={"a": SourceState(NOW)}) == ()
    assert judge() == ()
    assert judge(sources=["a"]) == (), "a source that was not read yet"


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (replace(GOOD, next_update=NOW + 6 * HOUR), None),
        (replace(GOOD, next_update=NOW + 6 * HOUR - timedelta(seconds=1)), "due_soon"),
        (replace(GOOD, next_update=NOW), "due_soon"),
        (replace(GOOD, next_update=NOW - timedelta(seconds=1)), "next_update_passed"),
        (replace(GOOD, this_update=NOW - 31 * HOUR), "list_too_old"),
        (replace(GOOD, this_update=NOW - 30 * HOUR), None),
        (replace(GOOD, number=4), "behind_high_water"),
        (replace(GOOD, this_update=NOW - 2 * HOUR), "behind_high_water"),
    ],
)
def test_a_list_is_judged_as_a_look_up_would_and_earlier(record: Listed, name: str | None) -> None:
    marks = {GOOD.scope: GOOD.mark} if name == "behind_high_water" else {}
    assert judge_list(record, LIMITS, NOW, marks.get(record.scope)) == name
    assert [alarm.name for alarm in judge(record, marks=marks)] == ([] if name is None else [name])


def test_lists_that_were_accepted_and_are_gone_are_told_of_while_they_would_count() -> None:
    gone = [
        replace(GOOD, label=f"town-{n}", this_update=NOW - age) for n, age in enumerate((HOUR, 30 * HOUR, 31 * HOUR))
    ]
    marks = {record.scope: record.mark for record in (GOOD, *gone)}
    assert judge(GOOD, marks=marks) == (ListAlarm("behind_high_water", 2),)
    assert judge(GOOD, *gone[:2], marks=marks) == ()
    assert judge(marks=marks) == ()
    assert judge(GOOD, marks={GOOD.scope: GOOD.mark, derive_name_scope(GOOD.scope.key_id, b"a"): gone[0].mark}) == ()


def test_many_lists_make_one_alarm_that_names_the_first_to_run_out() -> None:
    records = [replace(GOOD, label=f"town-{n:02}", next_update=NOW + n * HOUR / 4) for n in range(20)]
    assert judge(*records, GOOD) == (ListAlarm("due_soon", 20, "town-00", NOW),)


def test_a_damaged_list_is_told_as_damaged_alone() -> None:
    old = replace(GOOD, next_update=NOW - HOUR)
    assert judge(old, GOOD, damaged=[old]) == (ListAlarm("list_damaged", 1, "good", NOW - HOUR),)


def test_the_gravest_comes_first() -> None:
    records = [replace(GOOD, label="a", next_update=NOW + HOUR), replace(GOOD, label="b", next_update=NOW - HOUR)]
    states = {"x": SourceState(NOW, failures=PATIENCE, why="timeout")}
    alarms = judge(*records, damaged=[GOOD], trouble="index_damaged", sources=["x"], states=states)
    names = [alarm.name for alarm in alarms]
    assert names == ["index_damaged", "list_damaged", "next_update_passed", "due_soon", "source_failing"]


def test_a_source_has_some_patience_and_one_that_is_not_configured_none_is_asked_for() -> None:
    def failing(failures: int) -> dict[str, SourceState]:
        return {"x": SourceState(NOW, failures=failures, why="timeout"), "y": SourceState(NOW)}

    assert judge(GOOD, sources=["x", "y"], states=failing(PATIENCE - 1)) == ()
    expected = ListAlarm("source_failing", 1, "x", detail="timeout")
    assert judge(GOOD, sources=["x", "y"], states=failing(PATIENCE)) == (expected,)
    assert judge(GOOD, sources=["y"], states=failing(PATIENCE)) == ()


def test_sources_without_any_list_and_refreshing_that_fails_are_told() -> None:
    states = {"x": SourceState(NOW, failures=1, why="timeout")}
    assert judge(sources=["x"], states=states) == (ListAlarm("no_list"),)
    assert judge(GOOD, refresh="disk_full", refresh_failures=PATIENCE - 1) == ()
    expected = ListAlarm("refresh_failing", detail="disk_full")
    assert judge(GOOD, refresh="disk_full", refresh_failures=PATIENCE) == (expected,)
