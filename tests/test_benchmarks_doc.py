"""`docs/benchmarks.md` is a whole report of `./run bench`. What it measured is not judged: a computer may be slow."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.bench.document import HEADINGS, build_document, read_sections
from tests.bench.goals import PARTS, TARGETS, Finding, Measure, Part
from tests.bench.report import Comparison, Section, Surroundings, build_section
from tests.bench.samples import Samples
from tests.bench.turns import take_turns

DOCUMENT = Path(__file__).parents[1] / "docs" / "benchmarks.md"
COUNTS = (Measure.EXCHANGES, Measure.REPEATED, Measure.AFTER_PIN, Measure.PROCESS)
SURROUNDINGS = Surroundings(datetime(2026, 4, 1, tzinfo=UTC), 0.5, quick=True)


def read_section(part: Part) -> str:
    return read_sections(DOCUMENT.read_text(encoding="utf-8"))[part]


def read_rows(part: Part) -> list[tuple[str, ...]]:
    """Measure, value, target and verdict of each row of the first table."""
    table = read_section(part).split("### ")[0]
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table.splitlines() if "|" in line]
    return rows[2:]


def make_section(part: Part, value: str = "7") -> Section:
    findings = [Finding(measure, value, measure is not Measure.STEP, "a | b") for measure in PARTS[part]]
    beside = Comparison("Beside others", ("by", "100 k"), [["one | two", "3 ms"]], text="Words.")
    return Section(part, findings, how="- In turn.\n", tools={"OpenSSL": "3.0"}, comparisons=[beside])


@pytest.mark.parametrize("part", Part)
def test_every_goal_has_its_row_with_value_target_and_verdict(part: Part) -> None:
    rows = read_rows(part)
    assert [(row[0], row[2]) for row in rows] == [(measure.value, TARGETS[measure]) for measure in PARTS[part]]
    assert all(row[1] and row[3] in ("yes", "NO") for row in rows)


def test_every_goal_belongs_to_one_part() -> None:
    assert [measure for part in Part for measure in PARTS[part]] == list(Measure)


def test_what_is_counted_is_met_wherever_it_was_counted() -> None:
    assert {row[0] for row in read_rows(Part.TERMINAL) if row[3] == "yes"} >= {measure.value for measure in COUNTS}


@pytest.mark.parametrize(
    ("part", "tools"),
    [
        (Part.TERMINAL, ("pcscd", "Chromium", "packages")),
        (Part.REVOCATION, ("OpenSSL", "packages")),
        (Part.API, ("packages",)),
    ],
)
def test_the_report_says_when_on_what_and_how(part: Part, tools: tuple[str, ...]) -> None:
    text = read_section(part)
    assert re.search(r"^\| date \| \d{4}-\d\d-\d\d \|$", text, re.MULTILINE)
    assert all(f"| {name} |" in text for name in ("processors", "Python", "repeats", *tools))
    assert "### How it was measured" in text


def test_every_picture_in_the_report_is_there() -> None:
    named = re.findall(r"!\[.+\]\((.+)\)", DOCUMENT.read_text(encoding="utf-8"))
    assert [name for name in named if not (DOCUMENT.parent / name).is_file()] == []


def test_a_missed_target_is_written_as_plainly_as_a_met_one() -> None:
    section = build_section(make_section(Part.TERMINAL), SURROUNDINGS)
    assert f"| {Measure.STEP} | 7 | ≤ 2 | NO |" in section
    assert f"| {Measure.STEP} | a \\| b |" in section
    assert "few (`--quick`)" in section
    assert "### Beside others\n\nWords.\n\n| by | 100 k |\n| --- | --- |\n| one \\| two | 3 ms |\n" in section


def test_rows_come_in_the_order_of_the_goals() -> None:
    ordered = make_section(Part.TERMINAL)
    shuffled = Section(ordered.part, ordered.findings[::-1], ordered.how, ordered.tools)
    assert [finding.measure for finding in shuffled.ordered] == list(PARTS[Part.TERMINAL])


def test_a_part_that_was_not_measured_stays_as_it_was() -> None:
    both = {part: build_section(make_section(part), SURROUNDINGS) for part in Part}
    document = build_document(both)
    assert read_sections(document) == both
    again = build_section(make_section(Part.REVOCATION, "8"), SURROUNDINGS)
    changed = build_document(read_sections(document) | {Part.REVOCATION: again})
    assert read_sections(changed) == {**both, Part.REVOCATION: again}
    assert build_document(read_sections(changed)) == changed


def test_a_document_begins_with_one_part_alone() -> None:
    document = build_document({Part.REVOCATION: "| a |\n"})
    assert f"## {HEADINGS[Part.REVOCATION]}\n" in document
    assert HEADINGS[Part.TERMINAL] not in document
    assert read_sections("# Benchmarks\n\nNothing yet.\n") == {}


def test_p95_is_a_value_that_was_seen_with_at_most_one_in_twenty_above_it() -> None:
    assert Samples(range(1, 101)).p95 == 95
    assert Samples(range(1, 21)).p95 == 19
    assert Samples([3.0]).p95 == 3.0
    with pytest.raises(ValueError, match="nothing"):
        Samples([])


def test_what_is_compared_takes_turns_and_the_first_round_is_left_out() -> None:
    done: list[str] = []
    ticks = iter(range(100))
    times = take_turns(
        {"one": lambda: done.append("one"), "two": lambda: done.append("two")}, 2, units=4, clock=lambda: next(ticks)
    )
    assert done == ["two", "one", "one", "two", "two", "one"]
    assert times["one"].values == [0.25, 0.25]
