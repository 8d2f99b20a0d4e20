"""Every screen, rendered: the contract of `docs/wire.md` 8, the strict policy, and no wrong word in a wrong place."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import get_args

import pytest

from kiosk_web.services.lists.alarms import AlarmName
from kiosk_web.session.codes import CODES
from kiosk_web.web.catalogue import LANGUAGES
from kiosk_web.web.environment import TEMPLATES
from kiosk_web.web.patterns import build_patterns
from kiosk_web.web.patterns.staff import BOARD, show_desk
from kiosk_web.web.render import STATES, STEPS, Renderer, build_time_text
from kiosk_web.web.view import BridgeCommand, ListAlarm, StaffBoard, StageView

ADDRESS = "ws://127.0.0.1:8481/card"
PATTERNS = build_patterns()
DEMO = Renderer(demo=True, bridge_address=ADDRESS)
REAL = Renderer(demo=False, bridge_address=ADDRESS)
VOID = {"meta", "link", "img", "path", "rect", "circle", "br", "input"}


class Reader(HTMLParser):
    """Elements with their attributes, and whether every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def ids(self) -> Counter[str]:
        return Counter(attributes["id"] for _, attributes in self.elements if "id" in attributes)

    def by_id(self, name: str) -> dict[str, str]:
        return next(attributes for _, attributes in self.elements if attributes.get("id") == name)


def stage_of(view: StageView) -> dict[str, str]:
    return Reader(DEMO.render_stage(view)).by_id("stage")


def test_every_state_and_every_code_has_a_sample() -> None:
    assert {view.state for view in PATTERNS.values()} == set(STATES)
    assert {view.code for view in PATTERNS.values() if view.state == "refused"} == set(CODES)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PATTERNS)
def test_a_page_is_whole_with_one_stage_and_one_heading(name: str, language: str) -> None:
    page = Reader(DEMO.render_page(replace(PATTERNS[name], language=language)))
    tags = Counter(tag for tag, _ in page.elements)
    assert (tags["main"], tags["h1"]) == (1, 1)
    assert [name for name, count in page.ids.items() if count > 1] == []
    assert page.by_id("stage")["data-state"] == PATTERNS[name].state
    assert page.by_id("stage")["data-lang"] == language
    assert page.elements[0] == ("html", {"lang": language, "data-text-size": "normal"})


@pytest.mark.parametrize("name", PATTERNS)
def test_no_page_needs_an_exception_in_the_policy(name: str) -> None:
    for tag, attributes in Reader(DEMO.render_page(PATTERNS[name])).elements:
        assert not {"style", "hx-on"} & attributes.keys()
        assert not [key for key in attributes if key.startswith(("on", "hx-on"))]
        # no secret of a resident is in a field of the document; staff type their number, and an old card has one
        typed = name.startswith(("staff_sign_in", "entering_number", "confirming_link"))
        assert tag not in {"style", "iframe", "form"} | (set() if typed else {"input"})
        if tag == "script":
            assert attributes["src"].startswith("/static/")
        for key in ("src", "href"):
            assert attributes.get(key, "/static/").startswith(("/static/", "/?lang="))


@pytest.mark.parametrize("name", PATTERNS)
def test_between_two_sentences_of_japanese_there_is_no_space(name: str) -> None:
    html = re.sub(r"<(?!/?(?:span|strong)\b)[^>]*>", "\n", DEMO.render_stage(PATTERNS[name]))
    text = re.sub(r"<[^>]*>", "", html)
    assert re.findall(r"[。）] +\S|\S +[（(]", text) == []


@pytest.mark.parametrize("name", PATTERNS)
def test_the_name_of_code_b_has_nothing_where_a_browser_may_part_it(name: str) -> None:
    assert "照合番号B" not in DEMO.render_stage(PATTERNS[name])
    assert "code B" not in DEMO.render_stage(replace(PATTERNS[name], language="en"))


def test_a_fragment_is_one_element_with_what_the_page_needs() -> None:
    deadline = datetime(2026, 11, 23, 3, 4, 5, tzinfo=UTC)
    command = BridgeCommand("a.1.1", "read_certificate", {"ticket": "a.b.c"})
    view = replace(PATTERNS["reading_card"], version=7, deadline_at=deadline, commands=(command,))
    html = DEMO.render_stage(view)
    assert html.startswith("<section ")
    assert html.endswith("</section>")
    stage = stage_of(view)
    assert (stage["data-version"], stage["data-code"]) == ("7", "")
    assert datetime.fromisoformat(stage["data-deadline"]) == deadline
    assert json.loads(stage["data-commands"]) == [
        {"id": "a.1.1", "name": "read_certificate", "arguments": {"ticket": "a.b.c"}}
    ]


def test_a_refusal_shows_number_sentence_advice_and_reference() -> None:
    for name in CODES:
        view = PATTERNS[f"refused-{name}"]
        html = DEMO.render_stage(view)
        assert stage_of(view)["data-code"] == name
        assert CODES[name].number in html
        assert str(view.data["reference"]) in html
        assert 'id="help"' in html


def test_the_tries_left_are_shown_before_the_first_try_and_after_a_wrong_one() -> None:
    first, second = DEMO.render_stage(PATTERNS["awaiting_pin"]), DEMO.render_stage(PATTERNS["awaiting_pin-refused"])
    assert "3回" in first
    assert "2回" in second
    assert "一致しませんでした" not in first
    assert "一致しませんでした" in second


def test_the_keys_stand_as_on_a_telephone_and_hold_no_field() -> None:
    stage = Reader(DEMO.render_stage(PATTERNS["awaiting_pin"]))
    assert [attributes["data-digit"] for _, attributes in stage.elements if "data-digit" in attributes] == list(
        "1234567890"
    )
    assert not any(tag in {"input", "textarea"} for tag, _ in stage.elements)


def test_the_step_header_says_where_one_is() -> None:
    for name, step in {"choosing_service": 1, "awaiting_card": 2, "awaiting_pin": 3, "result": 4}.items():
        html = DEMO.render_stage(PATTERNS[name])
        assert html.count('aria-current="step"') == 1
        assert f"全{len(STEPS)}段階のうち{step}段階目" in html
    assert 'id="steps"' not in DEMO.render_stage(PATTERNS["taking_card"])


@pytest.mark.parametrize(
    "hint", ["not_my_number_card", "card_mute", "reader_missing", "service_down", "access_denied", "reader_busy"]
)
def test_what_keeps_a_card_from_being_read_has_its_number_on_the_screen(hint: str) -> None:
    assert f"({CODES[hint].number})" in DEMO.render_stage(PATTERNS[f"awaiting_card-{hint}"])
    assert "(K-" not in DEMO.render_stage(PATTERNS["awaiting_card"])


@pytest.mark.parametrize(
    ("stopped_in", "done"), [("reading_card", 1), ("awaiting_pin", 2), ("checking_pin", 2), ("checking", 3)]
)
def test_a_refusal_marks_no_step_as_done_that_was_not(stopped_in: str, done: int) -> None:
    view = PATTERNS["refused-certificate_revoked"]
    html = DEMO.render_stage(replace(view, data={**view.data, "stopped_in": stopped_in}))
    assert (html.count("is-done"), html.count("is-stopped")) == (done, 1)
    assert f"全{len(STEPS)}段階のうち{done + 1}段階目" in html


def test_the_ribbon_is_on_every_page_of_a_demo_and_on_none_of_a_real_kiosk() -> None:
    for view in PATTERNS.values():
        assert 'class="ribbon"' in DEMO.render_page(view)
        assert 'class="ribbon"' not in REAL.render_page(view)
    assert 'class="ribbon"' in DEMO.render_staff(BOARD)
    assert 'class="ribbon"' not in REAL.render_staff(BOARD)


def test_what_comes_from_outside_is_escaped() -> None:
    service = {**PATTERNS["result"].data["service"], "name": {"ja": "<b>図書館", "en": "<b>"}}  # type: ignore[dict-item]  # a sample
    view = replace(PATTERNS["result"], data={**PATTERNS["result"].data, "service": service, "reference": "<i>"})
    html = DEMO.render_stage(view)
    assert "&lt;b&gt;図書館" in html
    assert "&lt;i&gt;" in html
    assert "<b>図書館" not in html


def test_an_unknown_state_is_a_named_error_and_an_unknown_language_is_japanese() -> None:
    with pytest.raises(ValueError, match="no screen for the state 'dancing'"):
        DEMO.render_stage(replace(PATTERNS["connecting"], state="dancing"))
    assert 'data-lang="ja"' in DEMO.render_stage(replace(PATTERNS["connecting"], language="xx"))


def test_help_that_was_called_is_said_in_place_of_the_button() -> None:
    called = DEMO.render_stage(PATTERNS["help_called"])
    assert 'id="help"' not in called
    assert "職員を呼びました" in called


def test_the_stream_opens_only_when_the_page_was_admitted() -> None:
    main = Reader(DEMO.render_page(PATTERNS["connecting"])).by_id("stream")
    assert main == {"id": "stream", "hx-sse:connect": "/k/stream", "hx-trigger": "welcomed", "hx-swap": "innerMorph"}


def test_no_template_uses_what_the_policy_forbids() -> None:
    for path in TEMPLATES.glob("[ks]*/**/*"):
        if path.is_file():
            assert not re.search(r"\bstyle=|\bhx-on|js:|<style|\bon[a-z]+=", path.read_text(encoding="utf-8")), path


def test_times_are_told_in_japan_with_the_day_of_the_week() -> None:
    moment = datetime(2026, 11, 23, 15, 4, tzinfo=UTC)
    assert build_time_text(moment, "ja") == "2026年11月24日(火) 0:04"
    assert build_time_text(moment + timedelta(hours=3), "en") == "Tue 24 Nov 2026, 3:04"


def test_staff_see_help_calls_first_and_a_lost_terminal_never_as_idle() -> None:
    rows = Reader(DEMO.render_staff_rows(BOARD))
    terminals = [attributes for tag, attributes in rows.elements if tag == "li"]
    assert terminals[0]["data-help"] == "true"
    lost = next(terminal for terminal in terminals if terminal["id"] == "terminal-hall-2")
    assert (lost["data-live"], lost["data-state"]) == ("false", "offline")
    assert "端末 5台 / 接続中 3台 / 呼出し 1件" in "".join(rows.words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_staff_page_is_whole_also_without_a_terminal(language: str) -> None:
    for board in (BOARD, StaffBoard(())):
        page = Reader(DEMO.render_staff(board, language))
        assert page.elements[0] == ("html", {"lang": language})
        assert Counter(tag for tag, _ in page.elements)["h1"] == 1
        assert page.by_id("stream")["hx-sse:connect"] == f"/stream?lang={language}"


def test_a_picture_of_a_staff_page_needs_no_script_and_is_a_whole_page() -> None:
    assert "<script" not in DEMO.render_staff(BOARD, "ja", live=False)
    for name in ("link-desk", "link-answer"):
        page = Reader(show_desk(DEMO, name, "ja"))
        assert page.elements[0] == ("html", {"lang": "ja"})
        assert ("found" in page.ids) == (name == "link-answer")


def test_staff_read_what_is_wrong_with_the_lists_and_never_which_town_it_is() -> None:
    for language in LANGUAGES:
        rows = Reader(DEMO.render_staff_rows(BOARD, language))
        alarms = [attributes["data-alarm"] for _, attributes in rows.elements if "data-alarm" in attributes]
        assert alarms == ["due_soon", "source_failing"]
        assert "12" in " ".join(rows.words)
        assert "timeout" in " ".join(rows.words)
        assert "town-1" not in " ".join(rows.words)
    assert "list-alarms" not in DEMO.render_staff_rows(StaffBoard(()))


@pytest.mark.parametrize("name", get_args(AlarmName))
def test_every_alarm_has_a_sentence(name: AlarmName) -> None:
    for language in LANGUAGES:
        for at in (None, datetime(2026, 11, 24, 9, 0, tzinfo=UTC)):
            html = DEMO.render_staff_rows(StaffBoard((), (), (ListAlarm(name, 3, "label", at),)), language)
            assert f'data-alarm="{name}"' in html


def test_htmx_and_its_stream_are_there_before_htmx_begins() -> None:
    """A deferred htmx begins on its own; when the other file is slow then, no stream is ever opened."""
    for html in (DEMO.render_page(PATTERNS["connecting"]), DEMO.render_staff(BOARD)):
        scripts = [attributes for tag, attributes in Reader(html).elements if tag == "script"]
        assert scripts[:2] == [
            {"src": "/static/vendor/htmx/htmx.min.js"},
            {"src": "/static/vendor/htmx/hx-sse.min.js"},
        ]
        assert [attributes.get("type") for attributes in scripts[2:]] == ["module"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_number_of_a_code_in_a_sentence_is_not_broken(language: str) -> None:
    found = set()
    for name, view in PATTERNS.items():
        html = REAL.render_stage(replace(view, language=language))
        for before, number in re.findall(r"(.{0,24})[(（](K-\d{3})", html):
            assert before.endswith('<span class="coded">'), (name, before, number)
            found.add(name)
    assert {"result-basic_four_failed", "awaiting_card-card_mute", "staff_sign_in-refused"} <= found


def test_a_card_that_is_gone_is_not_followed_by_its_result() -> None:
    html = REAL.render_stage(PATTERNS["refused-card_removed-sending"])
    assert "基本4情報は渡していません" in html
    assert "結果が施設予約システムに伝わります" in html
    assert "identifier" not in html
