"""A number once given is never given again."""

from __future__ import annotations

import json
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bridge.counter import BLOCK, FILE, EvidenceCounter
from bridge.errors import SettingsError


def test_numbers_rise_across_restarts_and_blocks(tmp_path: Path) -> None:
    EvidenceCounter.issue(tmp_path)
    taken: list[int] = []
    for count in (3, BLOCK + 5, 1):
        counter = EvidenceCounter(tmp_path)
        taken += [counter.take() for _ in range(count)]
    assert taken == sorted(set(taken))
    assert taken[0] == 1


def test_what_is_on_the_disk_is_always_beyond_what_was_given(tmp_path: Path) -> None:
    EvidenceCounter.issue(tmp_path)
    counter = EvidenceCounter(tmp_path)
    for _ in range(2 * BLOCK + 1):
        number = counter.take()
        if number % 250 == 1:
            assert json.loads((tmp_path / FILE).read_text())["next"] > number
    assert EvidenceCounter(tmp_path).take() > number


def test_threads_never_get_the_same_number(tmp_path: Path) -> None:
    EvidenceCounter.issue(tmp_path)
    counter = EvidenceCounter(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda _: counter.take(), range(3000)))
    assert len(set(numbers)) == 3000


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", '{"v":1,"next":0}', '{"v":1,"next":"5"}', '{"v":2,"next":5}', '{"v":1,"next":9007199254740991}'],
)
def test_a_broken_file_is_named_and_no_number_is_guessed(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(SettingsError, match="enrol"):
        EvidenceCounter(tmp_path)
    assert (tmp_path / FILE).read_text() == content


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"counter\.json"):
        EvidenceCounter(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_the_file_is_its_owners_alone_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    EvidenceCounter.issue(tmp_path)
    EvidenceCounter(tmp_path).take()
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
