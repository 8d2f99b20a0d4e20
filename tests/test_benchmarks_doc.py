"""`docs/benchmarks.md` is a whole report of `./run bench`. What it measured is not judged: a computer may be slow."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.bench.goals import TARGETS, Finding, Measure
from tests.bench.report import Surroundings, build_document
from tests.bench.samples import Samples

DOCUMENT = Path(__file__).parents[1] / "docs" / "benchmarks.md"
COUNTS = (Measure.EXCHANGES, Measure.REPEATED, Measure.AFTER_PIN, Measure.PROCESS)


def read_rows() -> list[tuple[str, ...]]:
    """Measure, value, target and verdict of each row of the first table."""
    table = DOCUMENT.read_text(encoding="utf-8").split("## ")[0]
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table.splitlines() if "|" in line]
    return rows[2:]


def test_every_goal_has_its_row_with_value_target_and_verdict() -> None:
    rows = read_rows()
    assert [(row[0], row[2]) for row in rows] == [(measure.value, TARGETS[measure]) for measure in Measure]
    assert all(row[1] and row[3] in ("yes", "NO") for row in rows)


def test_what_is_counted_is_met_wherever_it_was_counted() -> None:
    assert {row[0] for row in read_rows() if row[3] == "yes"} >= {measure.value for measure in COUNTS}


def test_the_report_says_when_on_what_and_how() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert re.search(r"^\| date \| \d{4}-\d\d-\d\d \|$", text, re.MULTILINE)
    assert all(f"| {name} |" in text for name in ("processors", "Python", "pcscd", "Chromium", "packages", "repeats"))
    assert "## How it was measured" in text


def test_a_missed_target_is_written_as_plainly_as_a_met_one() -> None:
    findings = [Finding(measure, "7", measure is not Measure.STEP, "a | b") for measure in Measure]
    document = build_document(findings, Surroundings(datetime(2026, 4, 1, tzinfo=UTC), 0.5, "150", quick=True))
    assert f"| {Measure.STEP} | 7 | ≤ 2 | NO |" in document
    assert f"| {Measure.STEP} | a \\| b |" in document
    assert "few (`--quick`)" in document


def test_p95_is_a_value_that_was_seen_with_at_most_one_in_twenty_above_it() -> None:
    assert Samples(range(1, 101)).p95 == 95
    assert Samples(range(1, 21)).p95 == 19
    assert Samples([3.0]).p95 == 3.0
    with pytest.raises(ValueError, match="nothing"):
        Samples([])
