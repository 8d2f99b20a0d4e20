"""A process that only reads keeps answering, rightly, while another one swaps the index under it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.crl_reading import MOST
from tests.support.crl_stand import ORDINARY, ListStand, list_of, save_root

ROOT = Path(__file__).parent.parent.parent.parent
SWAPS = 20


@pytest.mark.long
def test_a_reader_answers_from_one_list_or_the_next_during_20_refreshes(tmp_path: Path) -> None:
    stand = ListStand(tmp_path / "crl")
    save_root(tmp_path, stand.root)
    command = [sys.executable, "-m", "tests.support.crl_reading", str(tmp_path)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        seen = []
        for number in range(1, SWAPS + 1):
            asyncio.run(stand.take_in(list_of(stand.root, [1, number], replace(ORDINARY, number=number))))
            seen.append(reader.stdout.readline())
        assert reader.stdin is not None
        reader.stdin.close()
        rest = reader.stdout.read()
    assert (reader.returncode, rest) == (0, "")
    assert [line.split(" ")[0] for line in seen] == [str(number) for number in range(1, SWAPS + 1)]
    assert SWAPS < MOST
