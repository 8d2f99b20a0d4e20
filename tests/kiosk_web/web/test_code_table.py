"""The manual of codes is the table of codes."""

from __future__ import annotations

from pathlib import Path

from kiosk_web.session.codes import CODES, HANDOVER_CODES
from kiosk_web.web.catalogue import load_catalogues
from kiosk_web.web.code_table import build_code_table

DOCUMENT = Path(__file__).parents[3] / "docs" / "codes.md"


def test_the_document_is_what_the_code_says() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == build_code_table(load_catalogues())


def test_every_code_is_in_the_document_once() -> None:
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    assert [line.split(" | ")[0] for line in lines if line.startswith("| K-")] == [
        f"| {number}" for number in sorted(code.number for code in (CODES | HANDOVER_CODES).values())
    ]
