"""The table of problems in `docs/api.md`, made from the problems themselves.

`python -c "from kiosk_web.web.api.problem_table import *; print(build_problem_table(), end='')"` prints it; a test
compares.
"""

from __future__ import annotations

from kiosk_web.web.api.problems import PROBLEMS

__all__ = ["build_problem_table"]


def build_problem_table() -> str:
    """Markdown."""
    rows = ["| code | status | what it is | what to do |", "| --- | --- | --- | --- |"]
    rows += [
        f"| `{problem.code}` | {problem.status} | {problem.title} | {problem.remedy} |" for problem in PROBLEMS.values()
    ]
    return "\n".join(rows) + "\n"
