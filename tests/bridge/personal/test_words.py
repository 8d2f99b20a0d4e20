"""The words of the window: every view in both languages, and nothing of a page but what cannot lie."""

from __future__ import annotations

import pytest

from bridge.personal.view import View
from bridge.personal.words import _AT_THE_READER, _ENDINGS, _TEXTS, Language, build_face

ORIGIN = "https://xn--mihon-x43ik6d.example"
VIEWS = [
    View("asking", ORIGIN, "s"),
    *[View("card", ORIGIN, "s", code=code) for code in _AT_THE_READER],
    View("reading", ORIGIN, "s"),
    View("pin", ORIGIN, "s", tries_left=2, wrong=True),
    View("last_try", ORIGIN, "s", tries_left=1),
    View("working", ORIGIN, "s"),
    *[View("ended", ORIGIN, "s", code=code) for code in (*_ENDINGS, "card_error", "window_unavailable")],
]


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("view", VIEWS, ids=lambda view: f"{view.step}-{view.code}")
def test_every_view_has_words_and_names_the_whole_origin(view: View, language: Language) -> None:
    face = build_face(view, language)
    assert face.title.endswith(ORIGIN)
    assert face.heading
    assert all(face.lines)
    assert face.secondary
    assert bool(face.field) == (view.step == "pin")
    assert bool(face.primary) == (view.step in ("asking", "pin", "last_try"))


def test_a_name_in_another_script_comes_with_a_warning() -> None:
    assert "xn--" in build_face(View("asking", ORIGIN, "s"), "ja").alert
    assert build_face(View("asking", "https://www.city.mihon.example", "s"), "ja").alert == ""


def test_tries_left_are_told_in_the_window() -> None:
    assert "残り 2 回" in build_face(View("pin", ORIGIN, "s", tries_left=2), "ja").lines
    assert "Tries left: 2" in build_face(View("pin", ORIGIN, "s", tries_left=2), "en").lines


def test_residents_read_no_pin_in_japanese() -> None:
    tables = (_TEXTS, _AT_THE_READER, _ENDINGS)
    assert not [text for table in tables for text, _ in table.values() if "PIN" in text]
