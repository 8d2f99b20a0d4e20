"""Keeping revocation lists fresh beside the server: when it is a source's turn, what staff must know, what is damaged.

The work is done by another process, so that no visit waits for it. Of several servers on one data folder, whoever holds
the index refreshes it; the others see the new lists all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from kiosk_web.pki.crl_trust import ListMark, ListScope
from kiosk_web.services.lists.alarms import AlarmName, ListAlarm, ListInForce, ListLimits, judge_alarms
from kiosk_web.services.lists.refresh import FIRST_RETRY, ListSource, SourceState, derive_retry, list_due
from kiosk_web.services.rounds import go_round

LOOK_SECONDS = 5.0
JUDGE_EVERY = timedelta(minutes=1)
READ_MARKS_EVERY = timedelta(minutes=10)
"""Marks of other hosts; those of this one change with the index."""

LONGEST_WAIT = timedelta(hours=1)
CHECK_EVERY = timedelta(hours=24)
"""Whole segments are read again so often, besides once for every new index: a disk forgets slowly."""

BUSY = "writer_busy"


@dataclass(frozen=True, slots=True)
class RefreshFailed:
    """A refresh changed nothing at all. `why` is a name of `docs/crl.md`."""

    why: str
    detail: str = ""


class Refresher(Protocol):
    """The other process. Trouble is a `RefreshFailed`, never an exception; cancelled, it ends the process."""

    async def refresh(self, names: Sequence[str]) -> RefreshFailed | None: ...


class Shelf(Protocol):
    """`adapters/crl_files.py`, as far as its condition goes."""

    @property
    def trouble(self) -> AlarmName | None: ...
    @property
    def generation(self) -> int: ...
    def records(self) -> Collection[ListInForce]: ...
    def damaged(self) -> Collection[ListInForce]: ...
    def check_digests(self) -> bool: ...


class ListMarks(Protocol):
    async def load_all(self) -> Mapping[ListScope, ListMark]: ...


class ListUpkeep:
    """`run` until cancelled; `look` does one round. `alarms` are those of the last one, `publish` tells of new ones."""

    def __init__(
        self,
        *,
        sources: Sequence[ListSource],
        load_states: Callable[[], Mapping[str, SourceState]],
        refresher: Refresher,
        shelf: Shelf,
        marks: ListMarks,
        limits: ListLimits,
        publish: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._sources = sources
        self._load_states = load_states
        self._refresher = refresher
        self._shelf = shelf
        self._marks = marks
        self._limits = limits
        self._publish = publish
        self._clock = clock
        self._refreshing: asyncio.Task[None] | None = None
        self._failures = 0
        self._failed_with = RefreshFailed("")
        self._not_before: datetime | None = None
        self._patient_until: datetime | None = None
        self._checked: tuple[object, datetime] | None = None
        self._judged: tuple[object, datetime] | None = None
        self._read: tuple[object, datetime] | None = None
        self._known: Mapping[ListScope, ListMark] = {}
        self._alarms: tuple[ListAlarm, ...] = ()
        self._log = structlog.get_logger()

    @property
    def alarms(self) -> tuple[ListAlarm, ...]:
        """What staff see."""
        return self._alarms

    async def run(self) -> None:
        """Until cancelled."""
        try:
            await go_round(self.look, "lists", LOOK_SECONDS)
        finally:
            await self.close()

    async def look(self) -> None:
        """Begin a refresh if it is somebody's turn, read new segments as a whole, judge the alarms if there is news."""
        now = self._clock()
        states = self._load_states()
        self._begin_refresh(list_due(self._sources, states, now), now)
        await self._check_digests(now)
        if self._is_starting(now):
            return
        # Thousands of lists are not gone through at every look.
        seen = (self._shelf.generation, self._shelf.trouble, len(self._shelf.damaged()), id(states), self._failures)
        if _is_over(self._judged, seen, now, JUDGE_EVERY):
            self._tell(await self._judge(now, states))
            self._judged = seen, now

    async def _load_marks(self, now: datetime) -> Mapping[ListScope, ListMark]:
        generation = self._shelf.generation
        if _is_over(self._read, generation, now, READ_MARKS_EVERY):
            self._known = await self._marks.load_all()
            self._read = generation, now
        return self._known

    async def _judge(self, now: datetime, states: Mapping[str, SourceState]) -> tuple[ListAlarm, ...]:
        return judge_alarms(
            self._shelf.records(),
            damaged=self._shelf.damaged(),
            trouble=self._shelf.trouble,
            marks=await self._load_marks(now),
            sources=[source.name for source in self._sources],
            states=states,
            refresh=self._failed_with.why if self._failures else "",
            refresh_failures=self._failures,
            limits=self._limits,
            now=now,
        )

    async def settle(self) -> None:
        """Wait for the refresh that is under way, if there is one."""
        if self._refreshing is not None:
            await asyncio.wait([self._refreshing])

    async def close(self) -> None:
        """End the refresh that is under way: the old lists stay in force."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait([self._refreshing])

    def _begin_refresh(self, due: Sequence[str], now: datetime) -> None:
        if not due or (self._refreshing is not None and not self._refreshing.done()):
            return
        if self._not_before is not None and now < self._not_before <= now + LONGEST_WAIT:
            return
        self._refreshing = asyncio.create_task(self._refresh(due))

    async def _refresh(self, names: Sequence[str]) -> None:
        failed = await self._refresher.refresh(names)
        now = self._clock()
        if failed is None:
            self._failures, self._not_before = 0, None
            self._log.info("lists_refreshed", count=len(names))
            return
        if failed.why == BUSY:  # another process refreshes them
            self._not_before = now + FIRST_RETRY
            return
        self._failures += 1
        self._failed_with = failed
        self._not_before = now + min(LONGEST_WAIT, derive_retry(self._failures))
        self._log.error("lists_not_refreshed", reason=failed.why, error=failed.detail)

    def _is_starting(self, now: datetime) -> bool:
        """What the first refresh will mend in a moment is no alarm yet: the server was off."""
        if self._refreshing is None or self._refreshing.done():
            return False
        if self._patient_until is None:
            self._patient_until = now + FIRST_RETRY
        return now < self._patient_until <= now + FIRST_RETRY

    async def _check_digests(self, now: datetime) -> None:
        generation = self._shelf.generation
        if _is_over(self._checked, generation, now, CHECK_EVERY):
            self._checked = generation, now
            await asyncio.to_thread(self._shelf.check_digests)

    def _tell(self, alarms: tuple[ListAlarm, ...]) -> None:
        if alarms == self._alarms:
            return
        before = {alarm.name: alarm.count for alarm in self._alarms}
        self._alarms = alarms
        for alarm in alarms:
            if before.get(alarm.name, 0) < alarm.count:
                self._log.warning("list_alarm", reason=alarm.name, count=alarm.count, path=alarm.label)
        self._publish()


def _is_over(done: tuple[object, datetime] | None, seen: object, now: datetime, every: timedelta) -> bool:
    """Was it not done yet, or of something else, or long ago? A time of the future means that the clock was wrong."""
    return done is None or done[0] != seen or not done[1] <= now < done[1] + every
