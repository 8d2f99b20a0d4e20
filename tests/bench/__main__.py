"""Measure everything once, print it and write it down."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tests.bench.goals import Finding, Measure
from tests.bench.report import build_document, note_surroundings, print_findings
from tests.support.pcscd import Pcscd, PcscdMissing, own_socket_path

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"


@dataclass(frozen=True, slots=True)
class Repeats:
    """How often each thing is measured."""

    step: int = 300
    flow: int = 30
    software: int = 60
    screen: int = 40
    events: int = 40
    restarts: int = 5


QUICK = Repeats(step=60, flow=6, software=12, screen=20, events=10, restarts=1)


async def measure_terminal(folder: Path, repeats: Repeats, console: Console) -> list[Finding]:
    """All that needs no browser. pyscard reads the name of its socket once, so it is imported after that is chosen."""
    with Pcscd(own_socket_path()) as daemon:
        from tests.bench.events import measure_events
        from tests.bench.restart import measure_restart
        from tests.bench.step import measure_step
        from tests.bench.terminal import running_terminal
        from tests.bench.visits import measure_counts, measure_flow, measure_software

        async with running_terminal(folder / "visits", daemon) as terminal:
            console.print("Counting exchanges ...")
            findings = await measure_counts(terminal)
            console.print("A step of 8 exchanges, bridge and raw in turn ...")
            findings.append(await measure_step(terminal, repeats.step))
            console.print("Whole flows on a card with 25 ms per exchange ...")
            findings.append(await measure_flow(terminal, repeats.flow))
            console.print("Whole flows on a card that takes no time ...")
            findings.append(await measure_software(terminal, repeats.software))
        console.print("Cards laid and lifted ...")
        async with running_terminal(folder / "events", daemon, timed=True) as terminal:
            findings += await measure_events(terminal, repeats.events)
        console.print("pcscd killed and started again ...")
        async with running_terminal(folder / "restart", daemon) as terminal:
            findings += await measure_restart(terminal, repeats.restarts)
    return findings


def main(arguments: list[str]) -> int:
    """0 also when a target is missed: this is a report."""
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats")
    parser.add_argument("--document", type=Path, default=DOCUMENT, help="where to write it (docs/benchmarks.md)")
    given = parser.parse_args(arguments)
    repeats = QUICK if given.quick else Repeats()
    console = Console()
    load = os.getloadavg()[0]
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            folder = Path(name)
            findings = asyncio.run(measure_terminal(folder, repeats, console))
            console.print("Visits in Chromium ...")
            from tests.bench.screen import measure_screen

            (folder / "demo").mkdir()
            screen, browser = measure_screen(folder / "demo", repeats.screen)
    except PcscdMissing as trouble:
        console.print(str(trouble))
        return 3
    order = list(Measure)
    findings = sorted([*findings, screen], key=lambda finding: order.index(finding.measure))
    print_findings(console, findings)
    given.document.write_text(
        build_document(findings, note_surroundings(browser, load, quick=given.quick)), encoding="utf-8"
    )
    console.print(f"Written to {given.document.name}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
