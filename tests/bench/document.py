"""`docs/benchmarks.md`: a section for each part. One that was not measured this time stays as it was. PURE."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.bench.goals import Part

HEADINGS = {
    Part.TERMINAL: "The terminal",
    Part.REVOCATION: "Trust and revocation",
    Part.API: "The API",
    Part.KAZASHI: "かざし利用",
}

_INTRODUCTION = """\
# Benchmarks

Written by `./run bench`; do not edit. `--only terminal`, `--only revocation`, `--only api` and `--only kazashi` measure
one part anew and leave the others as they are.

These are counts, and ratios of one run on whatever else the computer was doing. They are a report: no test asserts a
time.
"""


def read_sections(document: str) -> dict[Part, str]:
    """The sections that a document has, without their headings."""
    _, *pieces = re.split(r"^## (.+)\n", document, flags=re.MULTILINE)
    found = dict(zip(pieces[::2], pieces[1::2], strict=True))
    return {part: found[heading].strip("\n") + "\n" for part, heading in HEADINGS.items() if heading in found}


def build_document(sections: Mapping[Part, str]) -> str:
    """The whole document."""
    parts = [f"## {heading}\n\n{sections[part]}" for part, heading in HEADINGS.items() if part in sections]
    return "\n".join([_INTRODUCTION, *parts])
