"""Measure, print, and write it down: all parts, or one of them."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from tests.bench.document import build_document, read_sections
from tests.bench.goals import Part
from tests.bench.report import Section, build_section, note_surroundings, print_section
from tests.support.pcscd import PcscdMissing

DOCUMENT = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def measure(part: Part, folder: Path, console: Console, *, quick: bool, images: Path) -> Section:
    """What a part needs is imported with it: what the others need may be missing on this computer."""
    match part:
        case Part.TERMINAL:
            from tests.bench.terminal_part import measure_terminal

            return measure_terminal(folder, console, quick=quick)
        case Part.REVOCATION:
            from tests.bench.revocation.part import FULL, QUICK, measure_revocation

            return measure_revocation(folder, console, QUICK if quick else FULL, images=images)
        case Part.API:
            from tests.bench.api import part as api

            return api.measure_api(folder, console, api.QUICK if quick else api.FULL)
        case Part.KAZASHI:
            from tests.bench.kazashi import measure_kazashi

            return measure_kazashi(folder, console, quick=quick)


def main(arguments: list[str]) -> int:
    """0 also when a target is missed: this is a report."""
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats, smaller lists")
    parser.add_argument("--only", type=Part, choices=list(Part), help="measure this part; the others stay as they are")
    parser.add_argument("--document", type=Path, default=DOCUMENT, help="where to write it (docs/benchmarks.md)")
    given = parser.parse_args(arguments)
    console = Console()
    document: Path = given.document
    sections = read_sections(document.read_text(encoding="utf-8")) if document.exists() else {}
    for part in [given.only] if given.only else list(Part):
        surroundings = note_surroundings(quick=given.quick)
        try:
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                section = measure(part, Path(folder), console, quick=given.quick, images=document.parent / "images")
        except PcscdMissing as trouble:
            console.print(str(trouble))
            return 3
        print_section(console, section)
        sections[part] = build_section(section, surroundings)
        document.write_text(build_document(sections), encoding="utf-8")
    console.print(f"Written to {document.name}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
