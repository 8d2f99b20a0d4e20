"""One stage after the other, and for each what it asks for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from kiosk_web.identity.introduction import (
    STAGES,
    Introduction,
    IntroductionRules,
    LinkageReport,
    build_unrecorded,
    judge_advance,
    judge_note,
    judge_pledge,
    judge_stage,
)

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
RULES = IntroductionRules(timedelta(days=30), "production")
PASSED = LinkageReport(
    "booking", True, b"\1" * 32, NOW - timedelta(days=1), "production", frozenset({"library", "type1", "type2"})
)


def at(stage: str, *, pledged: bool = True) -> Introduction:
    return Introduction("booking", stage, date(2026, 10, 1) if pledged else None)  # type: ignore[arg-type]  # a stage


def test_a_system_goes_through_all_stages_in_order() -> None:
    for here, there in pairwise(STAGES):
        assert judge_advance(at(here), there, {"type1"}, PASSED, RULES, NOW) is None


@pytest.mark.parametrize(
    ("here", "there", "refusal"),
    [
        ("inquiry", "specification", "stage_skipped"),
        ("specification", "live", "stage_skipped"),
        ("pilot", "pilot", "stage_same"),
        ("pilot", "launched", "stage_unknown"),
        ("live", "inquiry", None),
        ("live", "pilot", None),
    ],
)
def test_no_stage_is_skipped_and_every_way_back_is_open(here: str, there: str, refusal: str | None) -> None:
    assert judge_advance(at(here), there, {"type1"}, PASSED, RULES, NOW) == refusal


@pytest.mark.parametrize("stage", ["specification", "linkage_test", "pilot", "live"])
def test_type_1_needs_a_pledge_from_the_specification_on(stage: str) -> None:
    before = at(STAGES[STAGES.index(stage) - 1], pledged=False)  # type: ignore[arg-type]  # a stage
    assert judge_advance(before, stage, {"type1", "type2"}, PASSED, RULES, NOW) == "pledge_missing"
    assert judge_advance(before, stage, {"type2"}, PASSED, RULES, NOW) is None
    assert judge_advance(before, stage, {"library"}, PASSED, RULES, NOW) is None


@pytest.mark.parametrize("stage", ["pilot", "live"])
def test_nobody_is_served_without_a_passed_test_that_is_not_too_old(stage: str) -> None:
    before = at(STAGES[STAGES.index(stage) - 1])  # type: ignore[arg-type]  # a stage

    def judge(report: LinkageReport | None, rules: IntroductionRules = RULES) -> str | None:
        return judge_advance(before, stage, {"type1"}, report, rules, NOW)

    assert judge(None) == "linkage_test_missing"
    assert judge(replace(PASSED, passed=False)) == "linkage_test_failed"
    assert judge(replace(PASSED, tested_at=NOW - timedelta(days=30))) is None
    assert judge(replace(PASSED, tested_at=NOW - timedelta(days=30, seconds=1))) == "linkage_test_expired"
    assert judge(replace(PASSED, tested_at=NOW + timedelta(seconds=1))) == "linkage_test_expired"
    assert judge(replace(PASSED, deployment="demo")) == "linkage_test_of_another"
    assert judge(replace(PASSED, profiles=frozenset({"type2"}))) == "linkage_test_of_another"
    assert judge(PASSED, replace(RULES, needs_verifier=True)) == "verifier_missing"


def test_what_a_live_system_has_lost_is_named() -> None:
    assert judge_stage(at("live"), "live", {"type1"}, PASSED, RULES, NOW) is None
    assert judge_stage(at("live", pledged=False), "live", {"type1"}, PASSED, RULES, NOW) == "pledge_missing"
    assert judge_stage(at("inquiry", pledged=False), "inquiry", {"type1"}, None, RULES, NOW) is None


def test_a_system_that_nobody_recorded_is_live_in_a_demo_only() -> None:
    assert build_unrecorded("booking", demo=True).stage == "live"
    assert build_unrecorded("booking", demo=False).stage == "inquiry"


@pytest.mark.parametrize(
    ("note", "refusal"),
    [
        ("", None),
        ("asked by mail, 令和8年", None),
        ("鈴木　一郎", None),
        ("done\n    2026-11-01 00:00 UTC  live  somebody else", "note_malformed"),
        ("\x1b[2J", "note_malformed"),
        ("x" * 201, "note_malformed"),
    ],
)
def test_a_note_is_one_line_of_the_record_and_cannot_forge_another(note: str, refusal: str | None) -> None:
    assert judge_note(note) == refusal


def test_no_pledge_is_signed_tomorrow() -> None:
    today = date(2026, 11, 25)
    assert judge_pledge(today, today) is None
    assert judge_pledge(today + timedelta(days=1), today) == "pledge_ahead"


def test_the_way_back_is_open_whatever_the_system_has_lost() -> None:
    failed = replace(PASSED, passed=False)
    for report in (None, failed):
        assert judge_advance(at("live", pledged=False), "pilot", {"type1"}, report, RULES, NOW) is None


def test_a_test_of_this_very_moment_and_of_exactly_these_profiles_counts() -> None:
    report = replace(PASSED, tested_at=NOW, profiles=frozenset({"type1"}))
    assert judge_stage(at("pilot"), "pilot", {"type1"}, report, RULES, NOW) is None
    assert judge_note("x" * 200) is None
