"""The findings as a table on the screen and as `docs/benchmarks.md`."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

from tests.bench.goals import Finding

_PACKAGES = ("cryptography", "playwright", "pyscard", "starlette", "uvicorn", "uvloop", "websockets")

_HOW = """\
## How it was measured

- Everything runs on one computer, each part in a process of its own: a real pcscd with the vpcd driver, the virtual
  card, the bridge as it is shipped, and the page. No network is involved.
- Exchanges are counted by the card, not by the bridge. The card also measures how long it takes for each; this is
  "the card's own time".
- Times of a flow run from the message that the page sends to the message that it waits for; the time in which a
  person types is left out.
- The step of 8 exchanges (SELECT, label, five blocks of a 1,280-byte certificate, tries left) is run in turn with the
  same commands by the lowest calls of pyscard. Both sides start with no context and with a card without power,
  connect exclusively and begin a transaction; closing is left out on both. What only the bridge does counts against
  it: ticket, countersignature, JSON, the socket both ways.
- The result on the screen is timed inside Chromium: from the `keydown` of Enter to the change of `data-state`, by a
  `MutationObserver`, in a running `kiosk demo`, after the OCSP answer has come. The first visits warm up and are left
  out.
- A change of the reader is timed from the return of the blocking SCardGetStatusChange in the bridge to the message at
  the page. What pcscd needs to notice the card, up to 0.4 s with this driver, is its own.
- p95 is by nearest rank.

These are counts and ratios of one run on whatever else the computer was doing. They are a report: no test asserts a
time.
"""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the figures depend on."""

    at: datetime
    load: float
    browser: str
    quick: bool

    def describe(self) -> list[tuple[str, str]]:
        return [
            ("date", f"{self.at:%Y-%m-%d}"),
            ("processors", str(os.cpu_count())),
            ("load when it began", f"{self.load:.1f} (1-minute average)"),
            ("priority", _name_priority()),
            ("repeats", "few (`--quick`)" if self.quick else "full"),
            ("system", f"{_name_system()}, {platform.machine()}"),
            ("Python", platform.python_version()),
            ("pcscd", _name_pcscd()),
            ("Chromium", self.browser),
            ("packages", ", ".join(f"{name} {version(name)}" for name in _PACKAGES)),
        ]


def note_surroundings(browser: str, load: float, *, quick: bool) -> Surroundings:
    return Surroundings(datetime.now(UTC), load, browser, quick)


def print_findings(console: Console, findings: Sequence[Finding]) -> None:
    table = Table(title="Benchmarks", show_lines=True, title_justify="left")
    table.add_column("measure")
    table.add_column("value", justify="right", style="bold")
    table.add_column("target", justify="right")
    table.add_column("met", justify="center")
    table.add_column("detail", style="dim")
    for finding in findings:
        met = "[green]yes[/]" if finding.met else "[bold red]NO[/]"
        table.add_row(finding.measure, finding.value, finding.target, met, finding.detail)
    console.print(table)
    missed = [finding.measure.value for finding in findings if not finding.met]
    if missed:
        console.print(f"[bold red]{len(missed)} of {len(findings)} targets missed:[/] " + "; ".join(missed))
    else:
        console.print(f"[green]All {len(findings)} targets are met.[/]")


def build_document(findings: Sequence[Finding], surroundings: Surroundings) -> str:
    """`docs/benchmarks.md`, whole."""
    lines = ["# Benchmarks", "", "Written by `./run bench`; do not edit.", ""]
    rows = [(one.measure, one.value, one.target, one.verdict) for one in findings]
    lines += _table(("measure", "value", "target", "met"), rows)
    lines += ["", "## What lies behind each value", ""]
    lines += _table(("measure", "detail"), [(finding.measure, finding.detail) for finding in findings])
    lines += ["", _HOW.rstrip(), "", "## On what", ""]
    lines += _table(("", ""), surroundings.describe())
    return "\n".join(lines) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    cells = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return ["| " + " | ".join(row) + " |" for row in cells]


def _name_system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()


def _name_priority() -> str:
    """A run that pushes everything else aside has to say so."""
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        return "raised: real-time scheduling, ahead of everything else on the computer"
    return "ordinary" if os.nice(0) == 0 else f"nice {os.nice(0)}"


def _name_pcscd() -> str:
    said = subprocess.run(["/usr/sbin/pcscd", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"version ([0-9.]+[0-9])", said)
    return found.group(1) if found else "unknown"
