"""`./run fuzz`: every target for its share of the time, two at once, and what came of it.

`./run fuzz [--seconds N] [TARGET ...]`. The seconds are those of all targets together; the default is a minute. What a
target did wrong is kept under `build/fuzz/`, with the command that shows it again.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "build" / "fuzz"
AT_ONCE = min(os.cpu_count() or 1, len(TARGETS))
SLOWEST = 10
"""Seconds that one input may take. Ordinary ones take some microseconds: this finds what grows without bound."""


@dataclass(frozen=True)
class Run:
    """How the run of one target ended."""

    name: str
    status: int
    inputs: int
    edges: int
    output: str


def fuzz(name: str, seconds: int) -> Run:
    """Fuzz one target in a process of its own."""
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    options = [f"-max_total_time={seconds}", f"-timeout={SLOWEST}", "-rss_limit_mb=2048", "-print_final_stats=1"]
    command = [sys.executable, "-m", "tests.fuzz.worker", name, str(folder), *options]
    environment = {**os.environ, "KIOSK_TEST_KEYS": str(FOLDER / "keys")}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    output = done.stdout + done.stderr
    return Run(
        name, done.returncode, _find(r"number_of_executed_units: +(\d+)", output), _find(r"cov: (\d+)", output), output
    )


def _find(pattern: str, text: str) -> int:
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run fuzz", description="Try to break what reads foreign bytes.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"one of {', '.join(TARGETS)}; default: all")
    parser.add_argument("--seconds", type=int, default=60, help="of all targets together (default: 60)")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.targets) - set(TARGETS))
    if unknown:
        parser.error(f"there is no target {unknown[0]}")
    names = arguments.targets or list(TARGETS)
    share = max(1, arguments.seconds * min(AT_ONCE, len(names)) // len(names))
    print(f"Fuzzing {len(names)} targets, {share} s each, {min(AT_ONCE, len(names))} at once ...", flush=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = list(pool.map(lambda name: fuzz(name, share), names))
    for run in runs:
        print(f"  {run.name:<20} {run.inputs:>9,} inputs  {run.edges:>6,} edges  {'ok' if not run.status else 'FAULT'}")
    for run in (run for run in runs if run.status):
        print(f"\n{run.name}:\n{run.output[-4000:]}")
        for fault in sorted((FOLDER / run.name).glob("fault-*")):
            where = f"KIOSK_TEST_KEYS={FOLDER / 'keys'} {sys.executable} -m tests.fuzz.worker"
            print(f"To see it again: {where} {run.name} {FOLDER / run.name} {fault}")
    print(f"{sum(run.inputs for run in runs):,} inputs, {sum(bool(run.status) for run in runs)} faults")
    return int(any(run.status for run in runs))


if __name__ == "__main__":
    sys.exit(main())
