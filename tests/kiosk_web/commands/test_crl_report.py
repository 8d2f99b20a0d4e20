"""Every name that `kiosk crl` can tell is in the manual, with what to do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from kiosk_web.services.lists.alarms import AlarmName

ROOT = Path(__file__).parents[3]
MANUAL = (ROOT / "docs/crl.md").read_text(encoding="utf-8")
TELLING = {
    "SourceFailure": 0,
    "RefusedCrl": 0,
    "ListIndexError": 0,
    "RefreshFailed": 0,
    "MalformedCrl": 1,
    "ListOutcome": 2,
}
"""What carries a name, and in which place."""


def find_names() -> Iterator[str]:
    for path in (ROOT / "kiosk_web").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in TELLING:
                continue
            for told in node.args[TELLING[node.func.id] :][:1]:
                for part in (told.body, told.orelse) if isinstance(told, ast.IfExp) else (told,):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value:
                        yield part.value


NAMES = sorted({*find_names(), *get_args(AlarmName), "number_behind", "update_behind", "same_number_other_list"})


@pytest.mark.parametrize("name", NAMES)
def test_the_manual_explains(name: str) -> None:
    assert re.search(rf"^\|[^|]*`{name}`", MANUAL, re.MULTILINE)


def test_the_names_were_found() -> None:
    assert {"signature_invalid", "disk_full", "folder_empty", "writer_busy", "pem", "entry_malformed"} <= set(NAMES)
