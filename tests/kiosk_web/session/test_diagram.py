"""The picture in the manual is the table of the code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from kiosk_web.session import events as e
from kiosk_web.session import states as s
from kiosk_web.session.diagram import build_document, build_example_events, build_examples, derive_arrows
from kiosk_web.session.machine import IllegalEvent, step

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DOCUMENT = Path(__file__).parents[3] / "docs" / "session.md"


def test_the_manual_shows_the_table_of_today() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == build_document(NOW)


def test_a_result_is_reached_from_one_state_by_one_event_only() -> None:
    arrows = {source: names for (source, target), names in derive_arrows(NOW).items() if target == "result"}
    reached_before = {source: arrows.pop(source) for source in tuple(arrows) if source != "checking"}
    assert "visit_concluded" in arrows["checking"]
    # everything else leads back to a result that was reached before and is carried along
    assert set(reached_before) == {
        "consenting",
        "awaiting_text",
        "checking_text",
        "basic_four_sent",
        "entering_number",
        "confirming_link",
    }
    for state in build_examples(NOW):
        visit = s.derive_visit(state)
        for event in build_example_events(NOW):
            try:
                after, _ = step(state, event, NOW + timedelta(hours=1))
            except IllegalEvent:
                continue
            if isinstance(after, s.Result) and not isinstance(event, e.VisitConcluded):
                before = getattr(state, "result", None) or (visit.reached if visit is not None else None)
                before = before or (state if isinstance(state, s.Result) else None)
                assert before is not None, (state.name, event)
                assert (after.identifier, after.checked_at) == (before.identifier, before.checked_at)
