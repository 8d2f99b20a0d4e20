"""`--ribbon` stands over every page of every example, as text; without it there is none."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = sorted(path.parent.name for path in (ROOT / "examples").glob("*/__main__.py"))


def fetch_page(program: str, folder: Path, *options: str) -> str:
    """The first page of the program, started for it."""
    own = [f"--key={folder / 'home-page.key'}"] if program == "homepage" else []
    command = [sys.executable, "-m", f"examples.{program}", *own, *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split()[-1]
            with urllib.request.urlopen(address, timeout=60) as answer:
                return str(answer.read().decode())
        finally:
            process.terminate()


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_ribbon_is_text_over_the_page_and_is_only_there_when_asked_for(program: str, tmp_path: Path) -> None:
    plain = fetch_page(program, tmp_path)
    assert "ribbon" not in plain
    said = fetch_page(program, tmp_path, "--ribbon=見本 <b>&</b>")
    before, _, after = said.partition('\n<p class="ribbon">見本 &lt;b&gt;&amp;&lt;/b&gt;</p>')
    assert before.endswith("<body>")
    assert (before + after).split() == plain.split()
