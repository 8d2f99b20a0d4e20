"""How a cooperating system comes into use: inquiry → pledge → specification → linkage test → pilot → live. PURE.

The stages are those of the procedure for municipalities; what each one asks for is in `docs/introduction.md`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, get_args

from kiosk_web.identity.profiles import ProfileName
from kiosk_web.identity.words import is_line

Stage = Literal["inquiry", "pledge", "specification", "linkage_test", "pilot", "live"]
STAGES: tuple[Stage, ...] = get_args(Stage)
IN_USE: frozenset[Stage] = frozenset({"pilot", "live"})
"""Residents are served."""

MOST_NOTE = 200

TESTED: frozenset[Stage] = frozenset({"linkage_test", "pilot", "live"})
"""Programs may ask the API for challenges; answers about people only in the stages in use."""

IntroductionRefusal = Literal[
    "stage_unknown",
    "stage_skipped",
    "stage_same",
    "pledge_missing",
    "pledge_ahead",
    "linkage_test_missing",
    "linkage_test_failed",
    "linkage_test_expired",
    "linkage_test_of_another",
    "verifier_missing",
    "note_malformed",
]


@dataclass(frozen=True)
class Introduction:
    """Where one system stands. `pledged_on`: the day (in Japan) of the confidentiality pledge (誓約書)."""

    system: str
    stage: Stage = "inquiry"
    pledged_on: date | None = None


@dataclass(frozen=True)
class LinkageReport:
    """What the newest linkage test came to, and under which deployment, for which profiles. `sha256` is that of the
    report's JSON.
    """

    system: str
    passed: bool
    sha256: bytes
    tested_at: datetime
    deployment: str
    profiles: frozenset[str]


@dataclass(frozen=True)
class IntroductionRules:
    """`deployment` is that of the settings. `needs_verifier`: the registered verifier is not named in them though
    production needs it.
    """

    report_validity: timedelta
    deployment: str
    needs_verifier: bool = False


def build_unrecorded(system: str, *, demo: bool) -> Introduction:
    """A system that nobody has introduced: in a demo it is live, in production an inquiry."""
    return Introduction(system, "live" if demo else "inquiry")


def judge_advance(
    introduction: Introduction,
    to: str,
    profiles: Iterable[ProfileName],
    report: LinkageReport | None,
    rules: IntroductionRules,
    now: datetime,
) -> IntroductionRefusal | None:
    """Whether the system may go to this stage: one step on, or back to any earlier one. None: it may.

    `profiles` are those of the services that the system owns.
    """
    if to not in STAGES:
        return "stage_unknown"
    here, there = STAGES.index(introduction.stage), STAGES.index(to)
    if there == here:
        return "stage_same"
    if there < here:
        return None
    if there > here + 1:
        return "stage_skipped"
    return judge_stage(introduction, STAGES[there], profiles, report, rules, now)


def judge_stage(
    introduction: Introduction,
    stage: Stage,
    profiles: Iterable[ProfileName],
    report: LinkageReport | None,
    rules: IntroductionRules,
    now: datetime,
) -> IntroductionRefusal | None:
    """What is missing for a system to be at this stage. None: nothing.

    The specification of Type 1 is handed out under a pledge. Nobody is served without a test of the linkage that was
    passed and is not too old. A test under the settings of a demo says nothing of production, and one from before the
    system got another profile nothing of that.
    """
    profiles = frozenset(profiles)
    if "type1" in profiles and STAGES.index(stage) >= STAGES.index("specification") and not introduction.pledged_on:
        return "pledge_missing"
    if stage not in IN_USE:
        return None
    if rules.needs_verifier:
        return "verifier_missing"
    if report is None:
        return "linkage_test_missing"
    if not report.passed:
        return "linkage_test_failed"
    if report.deployment != rules.deployment or not profiles <= report.profiles:
        return "linkage_test_of_another"
    if not timedelta(0) <= now - report.tested_at <= rules.report_validity:
        return "linkage_test_expired"
    return None


def judge_note(note: str) -> IntroductionRefusal | None:
    """One line, or nothing: it stands among others in the record."""
    return None if len(note) <= MOST_NOTE and is_line(note) else "note_malformed"


def judge_pledge(day: date, today: date) -> IntroductionRefusal | None:
    """A pledge was signed today or before."""
    return "pledge_ahead" if day > today else None
