"""`docs/life-events.md`: each event has a screen, a staff step, and a test that is really there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENT = (ROOT / "docs/life-events.md").read_text(encoding="utf-8")
EVENTS = ("renewal", "reissue", "lost", "found", "moved", "name changed", "turned 15", "face-only card", "death")


def rows() -> list[list[str]]:
    table = [line for line in DOCUMENT.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def test_every_row_is_whole_and_names_a_test_that_exists() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/test_*.py"))
    existing = set(re.findall(r"^(?:async )?def (test_\w+)\(", sources, re.MULTILINE))
    assert len(rows()) >= len(EVENTS)
    for row in rows():
        assert len(row) == 4, row
        assert all(row), row
        named = re.findall(r"`(test_\w+)`", row[3])
        assert named, row
        assert set(named) <= existing, row


def test_every_event_that_the_product_promises_is_there() -> None:
    said = " ".join(row[0] for row in rows())
    assert [event for event in EVENTS if f"**{event}**" not in said] == []
