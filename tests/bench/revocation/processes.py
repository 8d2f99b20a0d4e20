"""Several processes beside each other: each checks certificates on its own, all over the same mapped index."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from pathlib import Path

from tests.bench.goals import Finding, Measure
from tests.bench.revocation.child import ROOT, build_command
from tests.bench.revocation.lists import ListFolder
from tests.bench.samples import Samples

LIMIT = 1.8


class Worker:
    """One process, ready and waiting. A context manager."""

    def __init__(self, command: list[str]) -> None:
        self._command = command

    def __enter__(self) -> Worker:
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        if self._read() != "ready":
            raise RuntimeError("a worker did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def begin(self) -> None:
        self._process.stdin.write("go\n")  # type: ignore[union-attr]  # a pipe was asked for

    def finish(self) -> float:
        """The seconds that it took."""
        return float(self._read())

    def _read(self) -> str:
        return self._process.stdout.readline().strip()  # type: ignore[union-attr]


def measure_processes(lists: ListFolder, data: Path, ders: Path, repeats: int, shares: int) -> Finding:
    """One worker with its share, then two with theirs, again and again; the best turn of each is compared: another
    program that wants a processor meanwhile takes nothing from one worker, and half of what two have.

    `shares` is how much one share is.
    """
    command = build_command("look_up_work.check_people", data=data, root=lists.der, ders=ders, rounds=shares)
    count = len(ders.read_text().split()) * shares
    ones, twos = [], []
    with ExitStack() as running:
        workers = [running.enter_context(Worker(command)) for _ in range(2)]
        for number in range(repeats):
            for some in (workers[:1], workers) if number % 2 else (workers, workers[:1]):
                for worker in some:
                    worker.begin()
                rate = len(some) * count / max(worker.finish() for worker in some)
                (ones if len(some) == 1 else twos).append(rate)
    one, two = Samples(ones), Samples(twos)
    ratio = two.longest / one.longest
    return Finding(
        Measure.PROCESSES,
        f"{ratio:.2f}",
        ratio >= LIMIT,
        f"best turns {two.longest:,.0f} / {one.longest:,.0f} each second, medians {two.median:,.0f} / "
        f"{one.median:,.0f}; load and path and look-up; {repeats} times {count:,} certificates a process",
    )
