"""The fallback to lists: opened and closed by a manager, by the automatic rule where it is on, and watched for staff.

What an opening permits is `pki/fallback.py`; the openings live in the database, so that every process, the command line
and a restarted server know the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from kiosk_web.errors import FallbackError
from kiosk_web.identity.words import is_line
from kiosk_web.pki.fallback import FallbackState, OpeningRecord, Window, find_next_opening, find_openings
from kiosk_web.pki.status import Opening
from kiosk_web.services.ports import Clock, Feed, Store, Transaction

REMEMBERED = timedelta(minutes=10)
"""How long an opening that ended is still loaded: a verdict looks back at most three minutes."""

MAXIMUM_TEXT = 200
SHOWN = 5


@dataclass(frozen=True)
class FallbackRules:
    """The operator's settings. `maximum`: the longest opening that is not a configured window.

    `failures`: so many failed transports in a row open the fallback by themselves; 0: they never do.
    """

    windows: tuple[Window, ...] = ()
    maximum: timedelta = timedelta(hours=24)
    failures: int = 0


@dataclass(frozen=True)
class OpeningNotice:
    """One opening that holds now, for staff: why, since when, until when. `reason` and `opened_by` are a manager's."""

    opening: Opening
    reason: str = ""
    opened_by: str = ""


@dataclass(frozen=True)
class FallbackOverview:
    """For the command line: what holds now, what comes, what was."""

    notices: tuple[OpeningNotice, ...]
    rules: FallbackRules
    next_window: datetime | None
    latest: tuple[OpeningRecord, ...] = field(default=())


class FallbackService:
    """`load` for checks, `open` and `close` for a manager, `note_exchange` for the automatic rule, `watch` for staff
    and residents.
    """

    def __init__(self, *, store: Store, feed: Feed, rules: FallbackRules, clock: Clock) -> None:
        self._store = store
        self._feed = feed
        self._rules = rules
        self._clock = clock
        self._failures = 0
        self._may_be_open = True  # by the rule, before this process began
        self._notices: tuple[OpeningNotice, ...] = ()
        self._log = structlog.get_logger()

    @property
    def notices(self) -> tuple[OpeningNotice, ...]:
        """The openings that held when `watch` last looked."""
        return self._notices

    async def load(self) -> FallbackState:
        """Everything that opens the fallback now or did a moment ago."""
        async with self._store.read() as transaction:
            return await self.load_within(transaction)

    async def load_within(self, transaction: Transaction) -> FallbackState:
        """The same, inside the caller's transaction."""
        records = await transaction.fallback.list_open_since(self._clock() - REMEMBERED)
        return FallbackState(self._rules.windows, records)

    async def open(self, until: datetime, reason: str, by: str) -> OpeningRecord:
        """A manager's opening, from now on; one that holds already ends. Raises `FallbackError`."""
        now = self._clock()
        reason, by = _read_text("reason", reason), _read_text("name", by)
        if until <= now:
            raise FallbackError("the end time has passed")
        if until - now > self._rules.maximum:
            raise FallbackError(f"the fallback may be opened for at most {describe_length(self._rules.maximum)}")
        record = OpeningRecord("manager", now, until, None, reason, by)
        async with self._store.write() as transaction:
            await transaction.fallback.close("manager", now)
            await transaction.fallback.add(record)
        return record

    async def close(self) -> bool:
        """End the manager's opening, and one by the automatic rule; False if there was none. A window stays open."""
        now = self._clock()
        async with self._store.write() as transaction:
            open_now = find_openings(FallbackState((), await transaction.fallback.list_open_since(now)), now)
            await transaction.fallback.close("manager", now)
            await transaction.fallback.close("automatic", now)
        return bool(open_now)

    async def show(self) -> FallbackOverview:
        now = self._clock()
        async with self._store.read() as transaction:
            state = await self.load_within(transaction)
            latest = await transaction.fallback.list_latest(SHOWN)
        next_window = find_next_opening(self._rules.windows, now)
        return FallbackOverview(_derive_notices(state, now), self._rules, next_window, latest)

    async def note_exchange(self, *, reached: bool) -> None:
        """What became of one question to the responder. Anything that was answered, whatever it was, counts as reached.

        The rule opens once; then it waits until the responder was reached again, also past the end of its opening.
        """
        if self._rules.failures == 0:
            return
        if reached:
            self._failures = 0
            if self._may_be_open:
                async with self._store.write() as transaction:
                    await transaction.fallback.close("automatic", self._clock())
                self._may_be_open = False
            return
        self._failures += 1
        if self._failures == self._rules.failures:
            await self._open_by_rule()

    async def _open_by_rule(self) -> None:
        now = self._clock()
        async with self._store.write() as transaction:
            latest = await transaction.fallback.list_latest(1, "automatic")
            if not latest or latest[0].closed_at is not None:
                await transaction.fallback.add(OpeningRecord("automatic", now, now + self._rules.maximum))
        self._may_be_open = True

    async def watch(self) -> None:
        """Notice that the fallback opened or closed, by whomever; tell the streams and the log."""
        notices = _derive_notices(await self.load(), self._clock())
        if notices == self._notices:
            return
        before, self._notices = {notice.opening for notice in self._notices}, notices
        after = {notice.opening for notice in notices}
        for name, openings in (("fallback_closed", before - after), ("fallback_open", after - before)):
            for opening in sorted(openings, key=lambda one: one.since):
                self._log.warning(name, reason=opening.cause)
        self._feed.publish_all()


def _derive_notices(state: FallbackState, now: datetime) -> tuple[OpeningNotice, ...]:
    return tuple(_build_notice(opening, state.records) for opening in find_openings(state, now))


def _build_notice(opening: Opening, records: Sequence[OpeningRecord]) -> OpeningNotice:
    told = (opening.cause, opening.since, opening.until)
    for record in records:
        if (record.cause, record.opened_at, record.until) == told:
            return OpeningNotice(opening, record.reason, record.opened_by)
    return OpeningNotice(opening)


def _read_text(name: str, text: str) -> str:
    text = text.strip()
    if not text or len(text) > MAXIMUM_TEXT or not is_line(text):
        raise FallbackError(f"give a {name} of 1 to {MAXIMUM_TEXT} characters in one line")
    return text


def describe_length(length: timedelta) -> str:
    """`24 h`, `1 h 30 min`, `45 min`."""
    hours, minutes = divmod(int(length.total_seconds()) // 60, 60)
    words: Sequence[str] = (*([f"{hours} h"] if hours else []), *([f"{minutes} min"] if minutes else []))
    return " ".join(words) or "0 min"
