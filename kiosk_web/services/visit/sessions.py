"""The sessions of all terminals: load, step, execute, save, tell. The only place that runs the machine."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import structlog

from kiosk_web.identity.offer import Offer
from kiosk_web.log import describe_place
from kiosk_web.pki.status import to_json
from kiosk_web.pki.verdict import name_refusal
from kiosk_web.services.introductions import SystemsInUse
from kiosk_web.services.ports import Clock, Feed, Store, Transaction, Validation
from kiosk_web.services.ports.sessions import SessionRecord
from kiosk_web.services.ports.staff import LeaseRecord
from kiosk_web.services.ports.terminals import PageRecord
from kiosk_web.services.readings.results import end_held
from kiosk_web.services.staff.leases import LeaseService
from kiosk_web.services.visit.effects import SUSPENDED, EffectService
from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import states as s
from kiosk_web.session.machine import IllegalEvent, step
from kiosk_web.session.state_codec import StateCodec

ATTEMPTS = 5
Refusal = Literal["", "illegal_event", "service_by_api_only", "sequence", "challenge_used", "superseded"]


class VersionConflict(Exception):
    """Another writer was first; nothing was written."""


@dataclass(frozen=True)
class Snapshot:
    """The state of one terminal at one version, and who attends it."""

    terminal: str
    state: s.State
    version: int
    page: str
    since: datetime | None
    lease: LeaseRecord | None = None


@dataclass(frozen=True)
class Answer:
    """What a page gets for an event: the state that holds now, and why the event was refused, if it was."""

    snapshot: Snapshot
    refusal: Refusal = ""


@dataclass(frozen=True)
class _Progress:
    before: s.State
    after: Snapshot
    checks: tuple[str, ...]


class SessionService:
    """`handle` for the page's events, `apply` for the server's own. Close it with `close`."""

    def __init__(
        self,
        *,
        store: Store,
        effects: EffectService,
        leases: LeaseService,
        validation: Validation,
        offer: Offer,
        in_use: SystemsInUse,
        feed: Feed,
        clock: Clock,
    ) -> None:
        self._store = store
        self._effects = effects
        self._leases = leases
        self._validation = validation
        self._offer = offer
        self._in_use = in_use
        self._feed = feed
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger()

    async def load(self, terminal: str) -> Snapshot:
        async with self._store.read() as transaction:
            snapshot = _build_snapshot(terminal, await transaction.sessions.load(terminal))
            return replace(snapshot, lease=await self._leases.find(transaction, terminal, self._clock()))

    async def load_for_page(self, page: PageRecord) -> Snapshot:
        """What this page shows now: an older page of the terminal is superseded."""
        return _show(page, await self.load(page.terminal))

    async def load_within(self, transaction: Transaction, page: PageRecord) -> Snapshot:
        """The same as the caller's transaction has it, which may not be on the disk yet; without the lease."""
        return _show(page, _build_snapshot(page.terminal, await transaction.sessions.load(page.terminal)))

    async def open_session(self, page: PageRecord, *, again: bool) -> Snapshot:
        """A page was verified; from now on the session is its. `again`: it is the page that had it before."""
        answer = await self.apply(page.terminal, e.PageVerified(page.id, again))
        return _show(page, answer.snapshot)

    async def handle(self, page: PageRecord, seq: int, event: e.Event) -> Answer:
        """One event of a page. A refused event changes nothing."""
        if not page.current:
            return Answer(_show(page, await self.load(page.terminal)), "superseded")
        if isinstance(event, e.ServiceChosen) and (refusal := self._judge_choice(event.service)):
            return Answer(await self.load(page.terminal), refusal)
        if isinstance(event, e.Signed | e.EnrolmentSigned):
            return await self._redeem(page, seq, event)
        return await self._run(page.terminal, event, page=page, seq=seq)

    def _judge_choice(self, service: str) -> Refusal:
        """Row 6 of the table of profiles too: what has no reading screen is refused whoever chose it."""
        known = self._offer.find(service)
        if known is None or not self._in_use.serves(known.system):
            return "illegal_event"
        return "" if known.terms.reading_screen else "service_by_api_only"

    async def apply(self, terminal: str, event: e.Event) -> Answer:
        """One event of the server itself."""
        return await self._run(terminal, event)

    async def sweep(self) -> None:
        """Fire the deadlines that have passed, and end the sessions of revoked terminals."""
        now = self._clock()
        async with self._store.read() as transaction:
            due = await transaction.sessions.list_due(now)
            revoked = await transaction.terminals.list_revoked_in_service()
        for terminal in revoked:
            await self.apply(terminal, e.TerminalRevoked())
        for terminal in due:
            await self.apply(terminal, e.DeadlinePassed())

    async def end_all(self) -> None:
        """The clock was set back: every visit ends as if its time were over, and nothing stays on a screen."""
        async with self._store.read() as transaction:
            waiting = await transaction.sessions.list_waiting()
        for terminal in waiting:
            await self.apply(terminal, e.DeadlinePassed(clock_set_back=True))

    async def recover(self) -> None:
        """At the start: work that was under way is not repeated; its visits end as `internal`."""
        async with self._store.read() as transaction:
            unfinished = await transaction.sessions.list_unfinished_work()
        for work in unfinished:
            await self.apply(work.terminal, e.WorkInterrupted(work.challenge))
            await self._finish_work(work.terminal, work.challenge)

    async def close(self) -> None:
        """Stop waiting for responders."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def settle(self) -> None:
        """Wait until no responder is being asked."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _redeem(self, page: PageRecord, seq: int, event: e.Signed | e.EnrolmentSigned) -> Answer:
        """The nonce first: all that follows has a savepoint of its own, so that whatever becomes of it, it is used."""
        failure: Exception | None = None
        progress: _Progress | None = None
        async with self._store.write() as transaction:
            fresh = await transaction.terminals.raise_sequence(page.id, seq)
            state = _build_snapshot(page.terminal, await transaction.sessions.load(page.terminal)).state
            expected = isinstance(state, s.AwaitingPin | s.CheckingPin | s.AwaitingBirth | s.CheckingCard)
            expected = expected and s.derive_challenge(state) == event.challenge
            consumed, used = None, False
            if expected and fresh:
                now = self._clock()
                consumed = await transaction.sessions.consume_challenge(event.challenge, page.terminal, now)
            if consumed is None:
                stored = await transaction.sessions.find_challenge(event.challenge)
                used = stored is not None and stored.consumed_at is not None
            else:
                try:
                    progress = await self._advance_apart(transaction, page.terminal, event, page)
                except Exception as error:
                    failure = error
        if failure is not None:
            return await self._end_failed(page.terminal, event, failure, page)
        if consumed is not None:
            return await self._answer(page.terminal, progress, page)
        if used:
            return Answer(await self.load_for_page(page), "challenge_used")
        if expected and fresh:
            # In time for the state, too late for the challenge: the visit cannot succeed any more.
            return await self._run(page.terminal, e.BridgeFailed(event.challenge, "session_timeout", None), page=page)
        return Answer(await self.load_for_page(page), "illegal_event" if fresh else "sequence")

    async def _run(
        self, terminal: str, event: e.Event, *, page: PageRecord | None = None, seq: int | None = None
    ) -> Answer:
        try:
            for _ in range(ATTEMPTS):
                try:
                    return await self._attempt(terminal, event, page, seq)
                except VersionConflict:
                    continue
            raise VersionConflict(f"{type(event).__name__} after {ATTEMPTS} attempts")
        except Exception as error:
            return await self._end_failed(terminal, event, error, page)

    async def _end_failed(self, terminal: str, event: e.Event, error: Exception, page: PageRecord | None) -> Answer:
        """An event that has no place changes nothing; after any other error this visit ends and the next one works."""
        if isinstance(error, IllegalEvent):
            return Answer(_show(page, await self.load(terminal)), "illegal_event")
        where = describe_place(error.__traceback__)
        self._log.error("session", terminal=terminal, error=type(error).__name__, where=where)
        if isinstance(event, e.WorkInterrupted):
            raise error
        return await self._run(terminal, e.WorkInterrupted(), page=page)

    async def _attempt(self, terminal: str, event: e.Event, page: PageRecord | None, seq: int | None) -> Answer:
        fresh = True
        async with self._store.write() as transaction:
            if page is not None and seq is not None:
                fresh = await transaction.terminals.raise_sequence(page.id, seq)
            if fresh:
                progress = await self._advance(transaction, terminal, event, page)
        if not fresh:
            return Answer(_show(page, await self.load(terminal)), "sequence")
        return await self._answer(terminal, progress, page)

    async def _answer(self, terminal: str, progress: _Progress | None, page: PageRecord | None) -> Answer:
        """After the commit."""
        if progress is None:
            return Answer(_show(page, await self.load(terminal)), "superseded")
        self._follow(terminal, progress)
        return Answer(progress.after)

    async def _advance_apart(
        self, transaction: Transaction, terminal: str, event: e.Event, page: PageRecord | None
    ) -> _Progress | None:
        """`_advance` in a savepoint: when it fails, what this transaction did before stays."""
        for _ in range(ATTEMPTS):
            try:
                async with transaction.savepoint():
                    return await self._advance(transaction, terminal, event, page)
            except VersionConflict:
                continue
        raise VersionConflict(f"{type(event).__name__} after {ATTEMPTS} attempts")

    async def _advance(
        self, transaction: Transaction, terminal: str, event: e.Event, page: PageRecord | None
    ) -> _Progress | None:
        """Step until the machine waits again. None if the page is not the newest any more."""
        record = await transaction.sessions.load(terminal)
        before = _build_snapshot(terminal, record)
        if page is not None and before.page != page.id:
            return None
        now, owner = self._clock(), before.page
        if isinstance(event, e.PageVerified):
            if not await transaction.terminals.is_current(event.page):
                return None
            await self._effects.leave_page(transaction, terminal, now)
            owner = event.page
        state, checks = await self._step_until_it_waits(transaction, terminal, before.state, event, now)
        left = _find_left_reading(before.state, state)
        if left:
            await end_held(transaction, left, "failed", "failed", now)  # unless it has ended in its own way
        if isinstance(event, e.StatusChecked):
            await transaction.sessions.finish_work(terminal, event.challenge, now)
        lease = await self._leases.find(transaction, terminal, now)
        if state == before.state and owner == before.page:
            return _Progress(before.state, replace(before, lease=lease), ())
        since = before.since if state.name == before.state.name and before.since is not None else now
        after = Snapshot(terminal, state, before.version + 1, owner, since, lease)
        saved = await transaction.sessions.save(
            SessionRecord(terminal, after.version, StateCodec.encode(state), owner, since),
            state.name,
            s.derive_wake_at(state),
            None if record is None else record.version,
        )
        if not saved:
            raise VersionConflict(type(event).__name__)
        return _Progress(before.state, after, checks)

    async def _step_until_it_waits(
        self, transaction: Transaction, terminal: str, state: s.State, event: e.Event, now: datetime
    ) -> tuple[s.State, tuple[str, ...]]:
        """The state in which the machine waits for something from outside, and the challenges whose status is asked."""
        checks: list[str] = []
        waiting: deque[e.Event] = deque((event,))
        while waiting:
            state, commands = step(state, waiting.popleft(), now)
            for command in commands:
                answer = await self._effects.execute(transaction, terminal, command, now)
                if answer is not None:
                    waiting.append(answer)
                if isinstance(command, c.CheckStatus):
                    checks.append(command.challenge)
        return state, tuple(checks)

    def _follow(self, terminal: str, progress: _Progress) -> None:
        """After the commit: ask responders, forget what is over, tell the streams."""
        for challenge in progress.checks:
            task = asyncio.create_task(self._check_status(terminal, challenge))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        over = s.derive_challenge(progress.before)
        if over and over != s.derive_challenge(progress.after.state):
            self._effects.forget(over)
        if isinstance(progress.before, s.ConfirmingLink) and not isinstance(progress.after.state, s.ConfirmingLink):
            self._effects.forget_number(progress.before.visit)
        self._feed.publish(terminal)

    async def _check_status(self, terminal: str, challenge: str) -> None:
        async with self._store.read() as transaction:
            question = await self._effects.find_question(transaction, challenge)
        if question is None:
            await self._finish_work(terminal, challenge)
            return
        try:
            status = await self._validation.check_status(*question)
            event = e.StatusChecked(challenge, name_refusal(status), to_json(status), status.evidence.checked_at)
            if event.code in SUSPENDED:  # whether the visit still waits for it or not
                async with self._store.write() as transaction:
                    await self._effects.note_suspension(transaction, question[0])
            answer = await self.apply(terminal, event)
        except Exception as error:
            where = describe_place(error.__traceback__)
            self._log.error("status", terminal=terminal, error=type(error).__name__, where=where)
            answer = await self.apply(terminal, e.WorkInterrupted(challenge))
        if answer.refusal or s.derive_challenge(answer.snapshot.state) != challenge:
            await self._finish_work(terminal, challenge)

    async def _finish_work(self, terminal: str, challenge: str) -> None:
        async with self._store.write() as transaction:
            await transaction.sessions.finish_work(terminal, challenge, self._clock())


def _build_snapshot(terminal: str, record: SessionRecord | None) -> Snapshot:
    if record is None:
        return Snapshot(terminal, s.Connecting(), 0, "", None)
    state = StateCodec.restore(record.state)
    return Snapshot(terminal, state, record.version, record.page, record.since)


def _find_left_reading(before: s.State, after: s.State) -> str:
    """The id of the request whose visit is over, "" for none."""
    was, now = (s.derive_visit(state) for state in (before, after))
    asked = None if was is None else was.reading
    return "" if asked is None or (now is not None and now.reading == asked) else asked.id


def _show(page: PageRecord | None, snapshot: Snapshot) -> Snapshot:
    if page is None or snapshot.page == page.id:
        return snapshot
    return Snapshot(snapshot.terminal, s.Superseded(), snapshot.version, snapshot.page, snapshot.since)
