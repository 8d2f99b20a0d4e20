"""`./run bench` runs: its parts about revocation and the API, so small that no figure means anything."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from tests.bench.api.part import Extent as ApiExtent
from tests.bench.api.part import measure_api
from tests.bench.goals import PARTS, Part
from tests.bench.report import build_section, note_surroundings, print_section
from tests.bench.revocation.lists import split_by_size

pytest.importorskip("matplotlib", reason="draws the picture; ./run test and ./run bench install it")
from tests.bench.revocation.part import Extent, measure_revocation

SMALL = Extent(
    sizes=(1_000,),
    more=(2_000,),
    imports=(1, 1),
    towns=3,
    town_entries=100,
    batch=500,
    rounds=1,
    people=4,
    certificates=1,
    questions=1,
    shares=1,
    worker_rounds=1,
)


@pytest.mark.long
def test_all_of_the_part_about_revocation_is_measured_and_drawn(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=200)
    section = measure_revocation(tmp_path / "work", console, SMALL, images=tmp_path / "images")
    assert [finding.measure for finding in section.ordered] == list(PARTS[Part.REVOCATION])
    assert all(finding.value and finding.detail for finding in section.findings)
    print_section(console, section)
    text = build_section(section, note_surroundings(quick=True))
    assert "(images/crl-growth.svg)" in text
    assert str(tmp_path) not in text
    picture = (tmp_path / "images" / "crl-growth.svg").read_text(encoding="utf-8")
    assert "SHA-256 of the file" in picture
    assert str(tmp_path) not in picture


def test_municipalities_share_all_entries_few_having_many() -> None:
    sizes = split_by_size(5_000_000, 1740)
    assert (len(sizes), sum(sizes)) == (1740, 5_000_000)
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 20 * sizes[870] > 0


@pytest.mark.long
def test_all_of_the_part_about_the_api_is_measured(tmp_path: Path) -> None:
    section = measure_api(tmp_path, Console(file=io.StringIO(), width=200), ApiExtent(requests=8, rows=20, rounds=1))
    assert [finding.measure for finding in section.ordered] == list(PARTS[Part.API])
    assert all(finding.value and finding.detail for finding in section.findings)
    assert str(tmp_path) not in build_section(section, note_surroundings(quick=True))
