"""Refreshing revocation lists from their sources, all alike: nothing here knows which town a resident belongs to.

A source that cannot be read, or whose list is refused, changes nothing; it is asked again sooner than its interval
says, and less and less often while that goes on.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Protocol

from kiosk_web.services.lists.intake import (
    ANYTHING,
    Expectation,
    IntakeWatcher,
    ListIndex,
    ListIntake,
    ListOutcome,
    OfferedList,
    Result,
)

FIRST_RETRY = timedelta(minutes=1)
"""After the first failure; each further one doubles it, up to the interval of the source."""


@dataclass(frozen=True, slots=True)
class ListSource:
    """One configured source. `place` is a path, or an address for `http`; `max_bytes` holds for each list.

    `budget_seconds` is for one answer as a whole: a server that drips bytes gains nothing.
    """

    name: str
    kind: Literal["file", "directory", "http"]
    place: str
    max_bytes: int
    budget_seconds: float
    interval: timedelta = timedelta(hours=1)
    expected: Expectation = ANYTHING


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said about the list it sent last (RFC 9110 8.8), to be asked for a newer one only."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class SourceFailure:
    """No list from there. `why` is a name of `docs/crl.md`; `detail` holds nothing personal."""

    why: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class NotModified:
    """The server has none newer than the one we have."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What a source has now, and what its server says about it."""

    offers: tuple[OfferedList, ...]
    validators: Validators = Validators()


@dataclass(frozen=True, slots=True)
class SourceState:
    """What is remembered of a source. Times are aware.

    `failures` counts those in a row, `why` names the last one. `validators` belong to the list with the hash `sha256`
    at `place`; without that list in the index they are worth nothing.
    """

    checked_at: datetime
    succeeded_at: datetime | None = None
    failures: int = 0
    why: str = ""
    place: str = ""
    validators: Validators = Validators()
    sha256: bytes = b""


@dataclass(frozen=True, slots=True)
class SourceOutcome:
    """What a refresh brought. `why` is "" where everything that the source has is in force now."""

    source: str
    why: str
    detail: str
    results: Mapping[Result, int]
    refused: tuple[ListOutcome, ...]
    entries: int


class SourceReader(Protocol):
    """Brings bytes. Every trouble is a `SourceFailure`, never an exception."""

    async def offer(self, source: ListSource, known: Validators) -> Offered | NotModified | SourceFailure:
        """What the source has, unless that is what is `known` already."""
        ...


class SourceStates(Protocol):
    """What is remembered of all sources by name. Losing it costs a transfer of the lists, nothing else."""

    def load(self) -> Mapping[str, SourceState]: ...
    def save(self, states: Mapping[str, SourceState]) -> None: ...


class RefreshWatcher(IntakeWatcher, Protocol):
    """Hears how far a refresh is."""

    def tell_sources(self, count: int) -> None:
        """So many will be read."""
        ...

    def tell_source(self, source: str) -> None:
        """One was read, or could not be."""
        ...


class ListRefresh:
    """Reads sources and takes their lists in, as one batch."""

    def __init__(
        self,
        *,
        reader: SourceReader,
        intake: ListIntake,
        index: ListIndex,
        states: SourceStates,
        clock: Callable[[], datetime],
    ) -> None:
        self._reader = reader
        self._intake = intake
        self._index = index
        self._states = states
        self._clock = clock

    async def refresh(self, sources: Sequence[ListSource], watcher: RefreshWatcher) -> tuple[SourceOutcome, ...]:
        """Refresh these sources. Raises `ListIndexError` when nothing could be written: the old lists stay in force."""
        states = dict(self._states.load())
        watcher.tell_sources(len(sources))
        scopes = {mark.sha256: scope for scope, mark in self._index.marks.items()}

        def is_in_force(sha256: bytes) -> bool:
            return sha256 in scopes and self._index.is_sound(scopes[sha256])

        async def read(source: ListSource) -> Offered | NotModified | SourceFailure:
            answer = await self._reader.offer(source, _choose_validators(source, states.get(source.name), is_in_force))
            watcher.tell_source(source.name)
            return answer

        answers = await asyncio.gather(*(read(source) for source in sources))
        offers = [offer for answer in answers if isinstance(answer, Offered) for offer in answer.offers]
        decided: dict[str, list[ListOutcome]] = {}
        for found in await self._intake.take_in(offers, watcher):
            decided.setdefault(found.offer.source, []).append(found)
        now, outcomes = self._clock(), []
        for source, answer in zip(sources, answers, strict=True):
            outcome = _build_outcome(source, answer, decided.get(source.name, ()))
            outcomes.append(outcome)
            known = states.get(source.name)
            states[source.name] = _build_state(source, answer, decided.get(source.name, ()), outcome, known, now)
        self._states.save(states)
        return tuple(outcomes)


def list_due(sources: Collection[ListSource], states: Mapping[str, SourceState], now: datetime) -> tuple[str, ...]:
    """Names of the sources whose turn it is. A time of the future means that the clock was wrong: then it is now."""
    return tuple(
        source.name
        for source in sources
        if (state := states.get(source.name)) is None
        or state.place != source.place
        or not state.checked_at <= now < state.checked_at + _derive_wait(source, state)
    )


def _derive_wait(source: ListSource, state: SourceState) -> timedelta:
    if state.failures == 0:
        return source.interval
    return min(source.interval, derive_retry(state.failures))


def derive_retry(failures: int) -> timedelta:
    """How long to wait after so many failures in a row."""
    return FIRST_RETRY * (1 << min(failures - 1, 20))


def _choose_validators(
    source: ListSource, state: SourceState | None, is_in_force: Callable[[bytes], bool]
) -> Validators:
    """Only a list that is in force, whole, from this very place, need not come again."""
    if state is None or state.place != source.place or state.validators == Validators():
        return Validators()
    return state.validators if is_in_force(state.sha256) else Validators()


def _build_outcome(
    source: ListSource, answer: Offered | NotModified | SourceFailure, decided: Sequence[ListOutcome]
) -> SourceOutcome:
    results: Counter[Result] = Counter(outcome.result for outcome in decided)
    refused = tuple(outcome for outcome in decided if outcome.result == "refused")
    why = detail = ""
    match answer:
        case SourceFailure(why, detail):
            pass
        case NotModified():
            results["unchanged"] += 1
        case Offered() if refused:
            why, detail = refused[0].why, f"{refused[0].offer.label}: {refused[0].detail}"
        case Offered():
            pass
    return SourceOutcome(source.name, why, detail, results, refused, sum(outcome.entries for outcome in decided))


def _build_state(
    source: ListSource,
    answer: Offered | NotModified | SourceFailure,
    decided: Sequence[ListOutcome],
    outcome: SourceOutcome,
    known: SourceState | None,
    now: datetime,
) -> SourceState:
    before = known or SourceState(now)
    if outcome.why:
        # What was sent last is no longer known: the whole list comes again next time.
        return SourceState(now, before.succeeded_at, before.failures + 1, outcome.why, source.place)
    if isinstance(answer, Offered):
        sha256 = decided[0].sha256 if len(decided) == 1 else b""
        return SourceState(now, now, place=source.place, validators=answer.validators, sha256=sha256)
    return replace(before, checked_at=now, succeeded_at=now, failures=0, why="")
