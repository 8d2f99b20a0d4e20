"""`docs/faults.md` names every fault that the simulator and the hostile peer know, its word, and tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

from tests.kiosk_web.simulator.test_responder_and_validation import FAULTS
from tests.support.hostile_responder import BAD, SLOW

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
TABLES = [
    [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in table.strip().splitlines()[2:]]
    for table in re.findall(r"(?:^\|.*\n)+", TEXT, re.MULTILINE)
]


def test_every_fault_of_the_simulators_responder_stands_there_with_its_word() -> None:
    assert {row[0].strip("`"): row[2].strip("`") for row in TABLES[0]} == FAULTS


def test_every_way_of_the_hostile_peer_stands_there_under_its_word() -> None:
    told = {name: row[0].strip("`") for row in TABLES[1] for name in row[1].split("; ")}
    assert told == {name: word for name, (_, word) in BAD.items()} | dict.fromkeys(SLOW, "timeout")


def test_every_test_that_is_named_is_there() -> None:
    named = re.findall(r"`(tests/[a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`", TEXT)
    assert len(named) > 30
    assert [name for path, name in named if f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8")] == []
