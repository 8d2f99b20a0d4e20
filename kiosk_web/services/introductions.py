"""Introductions of systems: what staff record, and which systems are in use now (`docs/introduction.md`)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date

from kiosk_web.errors import IntroductionError
from kiosk_web.identity.introduction import (
    IN_USE,
    STAGES,
    TESTED,
    Introduction,
    IntroductionRefusal,
    IntroductionRules,
    LinkageReport,
    build_unrecorded,
    judge_advance,
    judge_note,
    judge_pledge,
    judge_stage,
)
from kiosk_web.identity.offer import Offer
from kiosk_web.identity.profiles import ProfileName
from kiosk_web.identity.standing import derive_day
from kiosk_web.identity.systems import CooperatingSystem
from kiosk_web.services.ports import Clock, Store
from kiosk_web.services.ports.introductions import IntroductionStep


@dataclass(frozen=True)
class IntroductionView:
    """One system as staff see it. `missing`: what its present stage asks for and does not have (any more)."""

    system: CooperatingSystem
    profiles: frozenset[ProfileName]
    introduction: Introduction
    report: LinkageReport | None
    missing: IntroductionRefusal | None
    steps: tuple[IntroductionStep, ...]


class IntroductionService:
    """What is done by command. `demo`: a system that nobody has recorded is live."""

    def __init__(self, *, store: Store, offer: Offer, rules: IntroductionRules, demo: bool, clock: Clock) -> None:
        self._store = store
        self._offer = offer
        self._rules = rules
        self._demo = demo
        self._clock = clock

    async def list_all(self) -> tuple[IntroductionView, ...]:
        return tuple([await self.show(system.id) for system in self._offer.systems])

    async def show(self, system: str) -> IntroductionView:
        """Raises `IntroductionError`."""
        known = self._find_system(system)
        async with self._store.read() as transaction:
            rows = transaction.introductions
            introduction = await rows.find(system) or build_unrecorded(system, demo=self._demo)
            report = await rows.find_report(system)
            steps = await rows.list_steps(system)
        profiles, now = self._find_profiles(system), self._clock()
        missing = (
            None if self._demo else judge_stage(introduction, introduction.stage, profiles, report, self._rules, now)
        )
        return IntroductionView(known, profiles, introduction, report, missing, steps)

    async def advance(self, system: str, to: str | None, by: str, note: str) -> Introduction:
        """To the next stage, or to `to`. Raises `IntroductionError`."""
        self._find_system(system)
        _require_words(by, note)
        now = self._clock()
        async with self._store.write() as transaction:
            rows = transaction.introductions
            introduction = await rows.find(system) or build_unrecorded(system, demo=self._demo)
            target = to or STAGES[min(STAGES.index(introduction.stage) + 1, len(STAGES) - 1)]
            report = await rows.find_report(system)
            refusal = judge_advance(introduction, target, self._find_profiles(system), report, self._rules, now)
            if refusal is not None:
                raise IntroductionError(refusal)
            moved = replace(introduction, stage=STAGES[STAGES.index(target)])
            await rows.save(moved, IntroductionStep(system, moved.stage, now, by, note))
        return moved

    async def pledge(self, system: str, day: date, by: str, note: str) -> Introduction:
        """Record the day of the pledge. Raises `IntroductionError`."""
        self._find_system(system)
        _require_words(by, note)
        now = self._clock()
        refusal = judge_pledge(day, derive_day(now))
        if refusal is not None:
            raise IntroductionError(refusal)
        async with self._store.write() as transaction:
            rows = transaction.introductions
            introduction = await rows.find(system) or build_unrecorded(system, demo=self._demo)
            pledged = replace(introduction, pledged_on=day)
            await rows.save(pledged, IntroductionStep(system, "pledged", now, by, note or day.isoformat()))
        return pledged

    async def record_report(self, report: LinkageReport) -> None:
        async with self._store.write() as transaction:
            await transaction.introductions.add_report(report)

    def _find_system(self, system: str) -> CooperatingSystem:
        known = self._offer.find_system(system)
        if known is None:
            raise IntroductionError("system_unknown")
        return known

    def _find_profiles(self, system: str) -> frozenset[ProfileName]:
        return frozenset(service.profile for service in self._offer.services if service.system == system)


def _require_words(by: str, note: str) -> None:
    if not by.strip() or judge_note(by) is not None:
        raise IntroductionError("name_missing")
    if (refusal := judge_note(note)) is not None:
        raise IntroductionError(refusal)


class SystemsInUse:
    """Which systems serve residents now, for the screens, and which the API answers for.

    `watch` reads the database; it is called again and again, so that a running server follows a command.
    """

    def __init__(self, *, store: Store, offer: Offer, demo: bool, publish: Callable[[], None]) -> None:
        self._store = store
        self._systems = tuple(system.id for system in offer.systems)
        self._demo = demo
        self._publish = publish
        self._in_use: frozenset[str] = frozenset()
        self._tested: frozenset[str] = frozenset()

    async def watch(self) -> None:
        async with self._store.read() as transaction:
            recorded = await transaction.introductions.load_all()
        stages = {
            system: (recorded.get(system) or build_unrecorded(system, demo=self._demo)).stage
            for system in self._systems
        }
        before = self._in_use
        self._in_use = _choose(stages, IN_USE)
        self._tested = _choose(stages, TESTED)
        if self._in_use != before:
            self._publish()

    @property
    def now(self) -> frozenset[str]:
        """The ids of those in use."""
        return self._in_use

    def serves(self, system: str) -> bool:
        return system in self._in_use

    def may_be_tested(self, system: str) -> bool:
        """Its programs may ask for challenges."""
        return system in self._tested


def _choose(stages: Mapping[str, str], wanted: Collection[str]) -> frozenset[str]:
    return frozenset(system for system, stage in stages.items() if stage in wanted)
