"""Every screen with sample data: for `/patterns` (demo only), screenshots, and the tests of layout and accessibility.

A module for each subject, as in `session/`. All people, numbers and services here are invented.
"""

from __future__ import annotations

from dataclasses import replace

from kiosk_web.web.patterns import basic_four, card, kazashi, linking, reading, result, staff, terms, visit
from kiosk_web.web.view import StageView


def build_patterns() -> dict[str, StageView]:
    """All sample views in Japanese at normal size, by a name that says what is special."""
    subjects = (visit, card, result, reading, basic_four, kazashi, linking, terms, staff)
    patterns = {name: view for subject in subjects for name, view in subject.VIEWS.items()}
    ending = ("result", "result-list-automatic", "result-link_kazashi", "result-linked", "result-number-sent")
    for name in (*ending, "result-standing-changed"):
        full = {**patterns[name].data, "expires_soon": True, "kazashi": "offered"}
        patterns[f"{name}-expires_soon"] = replace(patterns[name], data=full)
    for name in ("result-number-masked", "result-number-sent", "result-standing-changed", "result-standing-first"):
        for kazashi_state in ("offered", "on"):
            full = {**patterns[name].data, "kazashi": kazashi_state}
            patterns[f"{name}-kazashi_{kazashi_state}"] = replace(patterns[name], data=full)
    return patterns
