"""The problems in docs/api.md are those of the program."""

from __future__ import annotations

from pathlib import Path

from kiosk_web.web.api.operations import OPERATIONS
from kiosk_web.web.api.problem_table import build_problem_table
from kiosk_web.web.api.problems import PROBLEMS

DOCUMENT = (Path(__file__).parents[4] / "docs" / "api.md").read_text(encoding="utf-8")


def test_the_document_has_every_problem_as_it_is() -> None:
    assert build_problem_table() in DOCUMENT


def test_every_problem_is_one_of_some_operation_or_of_the_address() -> None:
    used = {code for operation in OPERATIONS for code in operation.codes}
    assert set(PROBLEMS) - used == {"not_found", "method_not_allowed"}
