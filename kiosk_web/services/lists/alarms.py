"""What staff must be told about revocation lists, before residents notice it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from kiosk_web.pki.crl_trust import ListMark, ListScope, find_regression, is_of_name
from kiosk_web.services.lists.refresh import SourceState

AlarmName = Literal[
    "index_damaged",
    "index_key",
    "index_unreadable",
    "list_damaged",
    "behind_high_water",
    "next_update_passed",
    "list_too_old",
    "due_soon",
    "no_list",
    "source_failing",
    "refresh_failing",
]
"""In the order of their weight. All are in `docs/crl.md`."""

_OF_AGE: tuple[AlarmName, ...] = ("behind_high_water", "next_update_passed", "list_too_old", "due_soon")

PATIENCE = 3
"""A source that fails so often in a row is told of."""


class ListInForce(Protocol):
    """A list of the index, as far as its age goes. Times are aware."""

    @property
    def scope(self) -> ListScope: ...
    @property
    def label(self) -> str: ...
    @property
    def mark(self) -> ListMark: ...
    @property
    def next_update(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class ListAlarm:
    """`count` lists or sources have it; `label` is the first of them, `at` the time it is about, if there is one."""

    name: AlarmName
    count: int = 1
    label: str = ""
    at: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ListLimits:
    """`warning` is how long before nextUpdate staff are told; `max_age` and `skew` are those of the look-up."""

    max_age: timedelta
    skew: timedelta
    warning: timedelta


def judge_list(record: ListInForce, limits: ListLimits, now: datetime, mark: ListMark | None) -> AlarmName | None:
    """What is wrong with a list that is whole, at the aware time `now`. The first that applies."""
    if find_regression(record.mark, mark):
        return "behind_high_water"
    if record.next_update < now:
        return "next_update_passed"
    if record.mark.this_update < now - limits.max_age - limits.skew:
        return "list_too_old"
    if record.next_update < now + limits.warning:
        return "due_soon"
    return None


def judge_alarms(
    records: Collection[ListInForce],
    *,
    damaged: Collection[ListInForce],
    trouble: AlarmName | None,
    marks: Mapping[ListScope, ListMark],
    sources: Collection[str],
    states: Mapping[str, SourceState],
    limits: ListLimits,
    now: datetime,
    refresh: str = "",
    refresh_failures: int = 0,
) -> tuple[ListAlarm, ...]:
    """All alarms, one for each name, in the order of their weight.

    `trouble` is that of the index as a whole. `sources` are the configured ones: of others nothing is expected.
    `refresh` names why refreshing as a whole failed, `refresh_failures` times in a row.
    """
    found: list[ListAlarm] = [] if trouble is None else [ListAlarm(trouble)]
    found += _gather("list_damaged", damaged)
    out_of_use = {record.scope for record in damaged}
    by_name: dict[AlarmName, list[ListInForce]] = {}
    for record in records:
        name = judge_list(record, limits, now, marks.get(record.scope))
        if name is not None and record.scope not in out_of_use:
            by_name.setdefault(name, []).append(record)
    missing = _count_missing(records, marks, now - limits.max_age)
    if missing and "behind_high_water" not in by_name:
        found.append(ListAlarm("behind_high_water", missing))
    for of_age in _OF_AGE:
        found += _gather(of_age, by_name.get(of_age, ()))
    if not records and any(name in states for name in sources):
        found.append(ListAlarm("no_list"))
    failing = sorted(name for name in sources if name in states and states[name].failures >= PATIENCE)
    if failing:
        found.append(ListAlarm("source_failing", len(failing), failing[0], detail=states[failing[0]].why))
    if refresh_failures >= PATIENCE:
        found.append(ListAlarm("refresh_failing", detail=refresh))
    return tuple(found)


def _count_missing(records: Collection[ListInForce], marks: Mapping[ListScope, ListMark], since: datetime) -> int:
    """How many lists were accepted, so lately that they would still count, and are gone. With all gone, it is another
    alarm.
    """
    here = {record.scope for record in records}
    gone = (scope for scope, mark in marks.items() if mark.this_update >= since and scope not in here)
    return sum(not is_of_name(scope) for scope in gone) if here else 0


def _gather(name: AlarmName, records: Iterable[ListInForce]) -> list[ListAlarm]:
    """One alarm for all lists that have it, about the one that runs out first."""
    ordered = sorted(records, key=lambda record: (record.next_update, record.label))
    if not ordered:
        return []
    return [ListAlarm(name, len(ordered), ordered[0].label, ordered[0].next_update)]
