"""An import that is killed at any moment leaves the old index or the new one, with the right answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent.parent
ROUNDS = 200
OLD = ["revoked", "revoked", "good", "good"]
NEW = ["good", "revoked", "revoked", "good"]


@pytest.mark.long
@pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "darwin", reason="needs fork and sigtimedwait")
def test_200_imports_of_200_000_entries_killed_at_random_moments(tmp_path: Path) -> None:
    """One process loads everything, and forks a real import each round (`tests/support/crl_killing.py`)."""
    answer = subprocess.run(
        [sys.executable, "-m", "tests.support.crl_killing", str(tmp_path), str(ROUNDS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        # A thread pool of a numeric library would not survive the fork.
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert answer.returncode == 0, answer.stderr
    *rounds, last = [json.loads(line) for line in answer.stdout.splitlines()]
    assert len(rounds) == ROUNDS
    for seen in rounds:
        assert seen["sound"]
        assert seen["answers"] == {1: OLD, 2: NEW}[seen["generation"]]
        assert seen["killed"] or (seen["status"], seen["generation"]) == (0, 2)
    assert sum(seen["killed"] and seen["generation"] == 1 for seen in rounds) > 20
    assert any(seen["killed"] and seen["drafts"] for seen in rounds), "none was killed while it wrote"
    assert (last["generation"], last["answers"], last["drafts"]) == (2, NEW, 0)
