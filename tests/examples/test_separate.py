"""The examples are other people's programs: none imports ours, or another example."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAMS = sorted(path.parent.name for path in EXAMPLES.glob("*/__main__.py"))


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.py")), ids=lambda path: path.relative_to(EXAMPLES).as_posix())
def test_no_example_imports_the_kiosk_or_another_example(path: Path) -> None:
    named = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            named.add(node.module or "")
    assert not {name.split(".")[0] for name in named} & {"bridge", "kiosk_web", "static", "tests"}
    own = f"examples.{path.parent.name}"
    assert all(name.startswith(own) for name in named if name.startswith("examples"))


def test_every_example_has_a_readme_that_the_overview_names() -> None:
    overview = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert {"facility", "homepage", "library"} <= set(PROGRAMS)
    assert all((EXAMPLES / name / "README.md").is_file() and f"({name}/README.md)" in overview for name in PROGRAMS)
