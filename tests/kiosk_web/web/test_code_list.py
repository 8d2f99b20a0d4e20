"""`docs/codes.md` says what the screens say."""

from __future__ import annotations

from pathlib import Path

from kiosk_web.session.codes import CODES
from kiosk_web.web.code_list import GROUPS, build_code_list

DOCUMENT = Path(__file__).resolve().parents[3] / "docs/codes.md"


def test_the_document_is_current() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == build_code_list()


def test_every_code_is_listed_once_under_its_group() -> None:
    text = build_code_list()
    assert {code.group for code in CODES.values()} == GROUPS.keys()
    for code in CODES.values():
        assert text.count(f"| {code.number} | `{code.name}` |") == 1
