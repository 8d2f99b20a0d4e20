"""The picture in the manual is the table of the code."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from kiosk_web.session.diagram import build_document, derive_arrows

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DOCUMENT = Path(__file__).parents[3] / "docs" / "session.md"


def test_the_manual_shows_the_table_of_today() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == build_document(NOW)


def test_a_result_is_reached_from_one_state_by_one_event_only() -> None:
    arrows = {source: names for (source, target), names in derive_arrows(NOW).items() if target == "result"}
    assert arrows == {
        "checking": ("visit_concluded",),
        # back to the result that was left
        "consenting": ("cancelled", "deadline_passed"),
        "entering_number": ("cancelled", "number_linked", "deadline_passed", "number_refused"),
        "confirming_link": ("cancelled", "number_linked", "deadline_passed"),
    }
