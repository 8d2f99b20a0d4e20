"""Notices that the clock was set back. Leases, visits and challenges end at a time of day; after such a jump they would
last longer by it, and a result would stay on its screen. So all that is open ends at once, and begins anew by the
clock as it is now. What waits to be fetched (readings, tokens, codes) is not lost: its end is moved by the jump.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from kiosk_web.services.ports import Clock, Store
from kiosk_web.services.staff.leases import LeaseService
from kiosk_web.services.visit.sessions import SessionService

TOLERANCE = timedelta(seconds=2)  # a leap second is one
DRIFT = 1 / 2000
"""How much the two clocks may part by themselves: a steady clock that no time service corrects (Windows, macOS) loses
or gains a second in some hours. A lease of a quarter of an hour gains less than half a second by that.
"""

Steady = Callable[[], float]
"""Seconds since some moment, by a clock that nobody can set."""


class ClockWatch:
    """`watch` compares the clock with a steady one, and at first with the newest time in the database: the clock may
    have been set back while the server was not running.
    """

    def __init__(
        self, *, store: Store, sessions: SessionService, leases: LeaseService, clock: Clock, steady: Steady
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._leases = leases
        self._clock = clock
        self._steady = steady
        self._started_at: datetime | None = None  # what the clock would show, had it never gone back, at second 0
        self._looked_at = timedelta()  # by the steady clock
        self._log = structlog.get_logger()

    async def watch(self) -> None:
        """End all that is open if the clock was set back since the last time. What fails is tried again next time."""
        now, steady = self._clock(), timedelta(seconds=self._steady())
        if self._started_at is None:
            self._started_at = (await self._load_newest_time() or now) - steady
        else:
            self._started_at -= (steady - self._looked_at) * DRIFT
        self._looked_at = steady
        if is_set_back(now - steady, self._started_at):
            jump = self._started_at - (now - steady)
            self._log.warning("clock_set_back", seconds=round(jump.total_seconds()))
            await self._leases.end_all("clock_set_back")
            await self._sessions.end_all()
            async with self._store.write() as transaction:
                await transaction.remote.drop_open_challenges()
                await transaction.sessions.set_back_ends(jump, now)
            self._started_at = now - steady
        self._started_at = max(self._started_at, now - steady)

    async def _load_newest_time(self) -> datetime | None:
        async with self._store.read() as transaction:
            return await transaction.sessions.load_newest_time()


def is_set_back(started_at: datetime, newest: datetime) -> bool:
    """`started_at`: the time of day at which the steady clock began, by the clock as it is now; `newest`: the latest
    that was ever found so, less what drifts. They differ by the jumps alone, many small ones as much as a large one.
    """
    return started_at < newest - TOLERANCE
