"""What one part measured, as a table on the screen and as a section of `docs/benchmarks.md`."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

from tests.bench.goals import PARTS, Finding, Part


@dataclass(frozen=True, slots=True)
class Comparison:
    """A table beside the goals, or a picture: for context, nobody has to meet it."""

    title: str
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the report. `tools` are the versions that its figures depend on, `how` is Markdown."""

    part: Part
    findings: Sequence[Finding]
    how: str
    tools: Mapping[str, str]
    comparisons: Sequence[Comparison] = field(default=())

    @property
    def ordered(self) -> list[Finding]:
        """The findings in the order of the goals."""
        return sorted(self.findings, key=lambda finding: PARTS[self.part].index(finding.measure))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the figures of every part depend on."""

    at: datetime
    load: float
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
        ]


def note_surroundings(*, quick: bool) -> Surroundings:
    return Surroundings(datetime.now(UTC), os.getloadavg()[0], quick)


def name_packages(names: Iterable[str]) -> str:
    return ", ".join(f"{name} {version(name)}" for name in names)


def print_section(console: Console, section: Section) -> None:
    table = Table(title=f"Benchmarks: {section.part}", show_lines=True, title_justify="left")
    table.add_column("measure")
    table.add_column("value", justify="right", style="bold")
    table.add_column("target", justify="right")
    table.add_column("met", justify="center")
    table.add_column("detail", style="dim")
    for finding in section.ordered:
        met = "[green]yes[/]" if finding.met else "[bold red]NO[/]"
        table.add_row(finding.measure, finding.value, finding.target, met, finding.detail)
    console.print(table)
    for comparison in section.comparisons:
        if comparison.rows:
            beside = Table(*comparison.head, title=comparison.title, title_justify="left")
            for row in comparison.rows:
                beside.add_row(*row)
            console.print(beside)
    missed = [finding.measure.value for finding in section.ordered if not finding.met]
    if missed:
        console.print(f"[bold red]{len(missed)} of {len(section.findings)} targets missed:[/] " + "; ".join(missed))
    else:
        console.print(f"[green]All {len(section.findings)} targets are met.[/]")


def build_section(section: Section, surroundings: Surroundings) -> str:
    """The section as Markdown, without its heading."""
    rows = [(one.measure, one.value, one.target, one.verdict) for one in section.ordered]
    lines = _build_table(("measure", "value", "target", "met"), rows)
    for comparison in section.comparisons:
        lines += ["", f"### {comparison.title}", ""]
        lines += [comparison.text] if comparison.text else []
        lines += [""] if comparison.text and comparison.rows else []
        lines += _build_table(comparison.head, comparison.rows) if comparison.rows else []
    lines += ["", "### What lies behind each value", ""]
    lines += _build_table(("measure", "detail"), [(finding.measure, finding.detail) for finding in section.ordered])
    lines += ["", "### How it was measured", "", section.how.rstrip(), "", "### On what", ""]
    lines += _build_table(("", ""), [*surroundings.describe(), *section.tools.items()])
    return "\n".join(lines) + "\n"


def _build_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
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
