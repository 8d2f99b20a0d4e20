"""What must happen by itself: deadlines, revocations, new ticket keys, and forgetting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from kiosk_web.services.clock_watch import ClockWatch
from kiosk_web.services.introductions import SystemsInUse
from kiosk_web.services.ports import Clock, Store
from kiosk_web.services.readings.requests import ReadingService
from kiosk_web.services.rounds import go_round
from kiosk_web.services.staff.leases import LeaseService
from kiosk_web.services.status.fallback import FallbackService
from kiosk_web.services.terminals.monitoring import MonitoringService
from kiosk_web.services.visit.sessions import SessionService

SWEEP_SECONDS = 0.25
TIDY_EVERY = timedelta(hours=1)
KEEP = timedelta(hours=24)


class Upkeep:
    """`run` until cancelled; `sweep` and `tidy` do one round each."""

    def __init__(
        self,
        *,
        clock_watch: ClockWatch,
        sessions: SessionService,
        fallback: FallbackService,
        in_use: SystemsInUse,
        leases: LeaseService,
        monitoring: MonitoringService,
        readings: ReadingService,
        store: Store,
        rotate_keys: Callable[[datetime], None],
        clock: Clock,
    ) -> None:
        self._clock_watch = clock_watch
        self._sessions = sessions
        self._fallback = fallback
        self._in_use = in_use
        self._leases = leases
        self._monitoring = monitoring
        self._readings = readings
        self._store = store
        self._rotate_keys = rotate_keys
        self._clock = clock
        self._tidied_at: datetime | None = None

    async def run(self) -> None:
        """Until cancelled."""
        await go_round(self.sweep, "upkeep", SWEEP_SECONDS)

    async def start(self) -> None:
        """Before anybody is served."""
        await self._readings.recover()
        await self._clock_watch.watch()

    async def sweep(self) -> None:
        await self._clock_watch.watch()
        await self._sessions.sweep()
        await self._readings.sweep()
        await self._fallback.watch()
        await self._in_use.watch()
        await self._leases.sweep(self._monitoring.is_live, self._monitoring.find_last_seen)
        now = self._clock()
        if self._tidied_at is None or abs(now - self._tidied_at) >= TIDY_EVERY:  # the clock may go back
            self._tidied_at = now
            await self.tidy(now)

    async def tidy(self, now: datetime) -> None:
        """Rotate the ticket keys if due and delete what no visit can need any more."""
        self._rotate_keys(now)
        async with self._store.write() as transaction:
            await transaction.sessions.forget_old(now - KEEP)
            await transaction.links.forget_visits(now)
            await transaction.clients.forget_expired(now)
            await transaction.remote.forget_expired(now)
            await transaction.asked_readings.forget_ended(now - KEEP)
