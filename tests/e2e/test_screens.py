"""Every sample screen in a real browser: nothing cut off, targets large and in place, words readable (axe)."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import zxingcpp
from axe_playwright_python.base import AXE_SCRIPT
from PIL import Image
from playwright.sync_api import Page, Route, expect

from kiosk_web.adapters.terms_files import load_terms
from kiosk_web.services.links.handover import BarcodeKind, ShownNumber
from kiosk_web.session.codes import CODES
from kiosk_web.web.catalogue import LANGUAGES
from kiosk_web.web.patterns import build_patterns
from kiosk_web.web.patterns.staff import BOARD
from kiosk_web.web.render import STATIC, TEXT_SIZES, Renderer
from kiosk_web.web.style_sheet import ADDRESS, build_style_sheet
from kiosk_web.web.view import StageView

pytestmark = pytest.mark.e2e

HOST = "http://kiosk.test"
RENDERER = Renderer(demo=True, bridge_address="ws://127.0.0.1:8481/card", terms=load_terms(None, LANGUAGES))
PATTERNS = build_patterns()
SIZES = {"upright": (1080, 1920), "lying": (1920, 1080), "small": (1280, 800)}
REFUSALS = {code.group: f"refused-{code.name}" for code in CODES.values()}
SHOWN = sorted(
    {name for name in PATTERNS if not name.startswith(("refused-", "out_of_service-"))} | set(REFUSALS.values())
)
ATTENDED = {"name": "みほん市立みほん図書館 職員 見本花子", "until": datetime(2026, 11, 23, 3, 15, tzinfo=UTC)}
STAFF_RULES = {"target-size": {"enabled": True}}
RULES = {"color-contrast-enhanced": {"enabled": True}, **STAFF_RULES}

SHOW = """
([html, size, language]) => {
  document.documentElement.lang = language;
  document.documentElement.dataset.textSize = size;
  document.getElementById("stream").innerHTML = html;
}
"""
# Of words on a gradient axe does not tell how well they can be read: its last colour, the darkest, stands for it.
LEVEL = """
() => {
  const colours = getComputedStyle(document.body).backgroundImage.match(/rgb\\([^)]*\\)/g);
  if (colours) document.body.style.background = colours.at(-1);
}
"""
# What is wrong alone: the elements that are right are many, and take most of the time.
AXE = """
(rules) => axe.run({ rules, resultTypes: ["violations"] }).then(({ violations }) =>
  violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 160))]))
"""
# What is cut off or sticks out, by class; line boxes taller than their line are no loss.
LOST = """
() => {
  const lost = [];
  for (const element of document.querySelectorAll("#stage *")) {
    const { display } = getComputedStyle(element);
    if (element.closest("svg, .spoken") || display === "none" || display === "inline") continue;
    const box = element.getBoundingClientRect();
    const tall = element.scrollHeight - element.clientHeight, wide = element.scrollWidth - element.clientWidth;
    if (element.clientHeight > 0 && (tall > 12 || wide > 2)) lost.push(`${element.className} ${wide} ${tall}`);
    if (box.bottom > innerHeight + 1 || box.right > innerWidth + 1) lost.push(`${element.className} outside`);
  }
  for (const words of document.querySelectorAll(".foot__stop .button, .foot__help .button")) {
    const line = parseFloat(getComputedStyle(words).lineHeight), said = words.querySelector("span") ?? words;
    if (said !== words && said.getBoundingClientRect().height > 1.5 * line) lost.push(`${words.id} broken`);
  }
  const scene = document.querySelector(".scene").getBoundingClientRect().bottom;
  for (const part of document.querySelector(".scene").children) {
    if (part.getBoundingClientRect().bottom > scene + 1) lost.push(`${part.className} below the scene`);
  }
  return lost;
}
"""
# Words of the pattern that stand on two lines.
PARTED = """
(pattern) => {
  const parted = [], nodes = document.createTreeWalker(document.getElementById("stage"), NodeFilter.SHOW_TEXT);
  while (nodes.nextNode()) {
    for (const { 0: word, index } of nodes.currentNode.data.matchAll(new RegExp(pattern, "gu"))) {
      const range = document.createRange();
      range.setStart(nodes.currentNode, index);
      range.setEnd(nodes.currentNode, index + word.length);
      const boxes = [...range.getClientRects()].filter(({ width }) => width > 0);
      if (boxes.some(({ top }) => Math.abs(top - boxes[0].top) > 12)) parted.push(word);
    }
  }
  return parted;
}
"""
# Each screen by each judge.
JUDGE = """
(screens) => {
  const show = %s, judges = [%s], wrong = {};
  for (const [name, screen] of screens) {
    show(screen);
    const found = judges.flatMap((judge) => judge());
    if (found.length > 0) wrong[name] = found;
  }
  return wrong;
}
"""
# What lies where the words about the staff are, by class.
COVERED = """
() => {
  const words = document.querySelector("#attended span").getBoundingClientRect();
  const parts = document.querySelectorAll(".brand, .settings, .steps, .scene > *, .ribbon");
  return [...parts].filter((part) => {
    const box = part.getBoundingClientRect();
    return box.left < words.right && words.left < box.right && box.top < words.bottom && words.top < box.bottom;
  }).map((part) => part.className);
}
"""
TARGETS = """
() => [...document.querySelectorAll("#stage button")].filter((button) => button.checkVisibility()).map((button) => {
  const { left, top, width, height } = button.getBoundingClientRect();
  return { id: button.id, left, top, width, height };
})
"""
# Which of them are too small for a finger.
SMALL = f"() => ({TARGETS})().filter(({{ width, height }}) => Math.min(width, height) < 44).map(({{ id }}) => id)"
# What moves outside of pictures and bars, by class; and how many things move at all.
MOVING = """
() => {
  const targets = document.getAnimations().map((animation) => animation.effect.target);
  return [targets.filter((target) => !target.closest(".art, .bar")).map((target) => target.className), targets.length];
}
"""


def serve(page: Page, html: str) -> None:
    """The page and the static files, without a server; any other address fails the test by not answering."""

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(HOST).split("?")[0]
        if path == ADDRESS:
            route.fulfill(body=build_style_sheet(STATIC), content_type="text/css; charset=utf-8")
        elif path.startswith("/static/"):
            route.fulfill(path=STATIC / path.removeprefix("/static/"))
        elif path == "/stream":
            route.fulfill(status=204)
        else:
            route.fulfill(body=html, content_type="text/html; charset=utf-8")

    page.route("**/*", answer)
    page.goto(HOST + "/")
    for weight in (400, 700):
        page.evaluate(f"document.fonts.load('{weight} 20px \"Noto Sans JP\"', 'あ')")


def show(page: Page, name: str, language: str = "ja", size: str = "normal") -> None:
    html = RENDERER.render_stage(replace(PATTERNS[name], language=language, text_size=size))
    page.evaluate(SHOW, [html, size, language])


def show_all(names: Iterable[str], sizes: Iterable[str] = ("normal",), **data: Any) -> dict[str, StageView]:
    """Screens in each of the text sizes and in each language, by what they are called here. `data`: on all of them."""
    return {
        f"{name} {language} {size}": replace(
            PATTERNS[name], language=language, text_size=size, data={**PATTERNS[name].data, **data}
        )
        for size in sizes
        for language in LANGUAGES
        for name in names
    }


def find_wrong(page: Page, screens: dict[str, StageView], *judges: str) -> Any:
    """What the `judges`, functions of JavaScript, have to say of each screen; those that are right are left out.

    All in one task of the page: nothing is painted in between, which would take most of the time.
    """
    asked = [[key, [RENDERER.render_stage(it), it.text_size, it.language]] for key, it in screens.items()]
    return page.evaluate(JUDGE % (SHOW, ", ".join(judges)), asked)


def judge_by_axe(page: Page, rules: dict[str, dict[str, bool]]) -> Any:
    """The rules that are broken, each with the elements that break it. `rules`: beyond those that axe has by itself."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE_SCRIPT)
        page.evaluate(LEVEL)
    return page.evaluate(AXE, rules)


@pytest.fixture
def screen(page: Page) -> Page:
    serve(page, RENDERER.render_page(PATTERNS["connecting"], live=False))
    return page


@pytest.mark.parametrize("size", SIZES)
def test_no_screen_is_cut_off_in_any_language_and_text_size(screen: Page, size: str) -> None:
    width, height = SIZES[size]
    screen.set_viewport_size({"width": width, "height": height})
    screens = show_all(PATTERNS, TEXT_SIZES)
    assert len(screens) == len(PATTERNS) * len(TEXT_SIZES) * len(LANGUAGES)
    assert find_wrong(screen, screens, LOST) == {}


def test_no_line_ends_in_the_middle_of_the_name_of_a_secret(screen: Page) -> None:
    found: dict[str, Any] = {}
    for width, height in (*SIZES.values(), (480, 1080)):
        screen.set_viewport_size({"width": width, "height": height})
        for text_size in TEXT_SIZES:
            for name in ("awaiting_text-guarded", "refused-text_secret_wrong"):
                show(screen, name, size=text_size)
                if parted := screen.evaluate(PARTED, "照合番号.?B|暗証番号"):
                    found[f"{name} {width} {text_size}"] = parted
    assert found == {}


@pytest.mark.parametrize("size", [*SIZES.values(), (360, 1080), (480, 1080)])
def test_who_attends_stands_on_every_screen_and_takes_no_room(screen: Page, size: tuple[int, int]) -> None:
    screen.set_viewport_size({"width": size[0], "height": size[1]})
    assert find_wrong(screen, show_all(SHOWN, attended=ATTENDED), LOST, COVERED) == {}


@pytest.mark.parametrize("width", [360, 420, 480])
def test_the_narrow_window_of_a_counter_needs_no_scrolling_and_has_targets_for_fingers(
    screen: Page, width: int
) -> None:
    screen.set_viewport_size({"width": width, "height": 1080})
    assert find_wrong(screen, show_all(SHOWN), LOST, SMALL) == {}


def test_what_is_cut_off_covered_or_too_small_would_be_told(screen: Page) -> None:
    screen.set_viewport_size({"width": 420, "height": 1080})
    screens = show_all(["awaiting_card"], attended=ATTENDED)
    assert find_wrong(screen, screens, LOST, COVERED, SMALL) == {}
    spoilt = "#attended { translate: 0 5rem } .words { translate: 100vw } #stage button { min-height: 0; height: 9px }"
    screen.add_style_tag(content=spoilt)
    wrong = find_wrong(screen, screens, LOST, COVERED, SMALL)
    assert list(wrong) == list(screens)
    for found in wrong.values():
        assert {"words outside", "brand", "help"} <= set(found)


@pytest.mark.parametrize("kind", ["nw7", "code39", "qr"])
@pytest.mark.parametrize("size", [(1080, 1920), (1920, 1080), (420, 1080)])
def test_a_barcode_reader_reads_the_number_from_the_screen(
    screen: Page, kind: BarcodeKind, size: tuple[int, int]
) -> None:
    screen.set_viewport_size({"width": size[0], "height": size[1]})
    show(screen, "result-number-masked")
    number = ShownNumber("ja", "2026041823", kind, "A", "A")
    screen.evaluate("html => { document.getElementById('handover').innerHTML = html; }", RENDERER.render_number(number))
    assert screen.evaluate(LOST) == []
    picture = Image.open(io.BytesIO(screen.screenshot())).convert("L")
    (found,) = zxingcpp.read_barcodes(np.asarray(picture))
    assert found.text.strip("A") == "2026041823"


@pytest.mark.parametrize("size", ["upright", "lying"])
def test_what_one_touches_is_large_and_apart(screen: Page, size: str) -> None:
    width, height = SIZES[size]
    screen.set_viewport_size({"width": width, "height": height})
    for name in SHOWN:
        show(screen, name)
        for target in screen.evaluate(TARGETS):
            assert min(target["width"], target["height"]) >= 71.5, (name, target)


@pytest.mark.parametrize("size", ["upright", "lying"])
def test_help_language_and_the_way_out_are_in_the_same_place_on_every_screen(screen: Page, size: str) -> None:
    width, height = SIZES[size]
    screen.set_viewport_size({"width": width, "height": height})
    places: dict[str, set[tuple[int, int]]] = {}
    for name in SHOWN:
        show(screen, name)
        for target in screen.evaluate(TARGETS):
            if target["id"] in {"help", "stop", "finish", "language-ja", "language-en"}:
                kind = "out" if target["id"] in {"stop", "finish"} else target["id"]
                places.setdefault(kind, set()).add((round(target["left"]), round(target["top"])))
    assert {kind: len(found) for kind, found in places.items()} == dict.fromkeys(
        ("help", "out", "language-ja", "language-en"), 1
    )


def test_a_screen_is_there_at_once_and_only_pictures_and_bars_move(screen: Page) -> None:
    screen.emulate_media(reduced_motion="no-preference")
    moving = 0
    for name in PATTERNS:
        show(screen, name)
        outside, all_of_them = screen.evaluate(MOVING)
        assert outside == [], name
        moving += all_of_them
    assert moving > 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_on_the_residents_screens(screen: Page, language: str) -> None:
    found = {}
    for name in SHOWN:
        show(screen, name, language)
        if broken := judge_by_axe(screen, RULES):
            found[name] = broken
    assert found == {}
    screen.evaluate("document.getElementById('title').style.color = '#999'")
    assert [rule for rule, _ in judge_by_axe(screen, RULES)] == ["color-contrast"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_on_the_staff_page(page: Page, language: str) -> None:
    serve(page, RENDERER.render_staff(BOARD, language))
    assert judge_by_axe(page, STAFF_RULES) == []


def test_a_staff_page_whose_stream_does_not_begin_keeps_the_board_and_says_that_it_is_not_live(page: Page) -> None:
    """What a reverse proxy answers while the server starts is no board."""
    page.clock.install()
    serve(page, RENDERER.render_staff(BOARD, "ja"))
    error = {"status": 502, "body": "<p id='proxy'>Bad Gateway</p>", "content_type": "text/html"}
    page.route("**/stream*", lambda route: route.fulfill(**error))
    page.add_init_script("addEventListener('htmx:finally:request', () => console.log('over'))")
    with page.expect_console_message(lambda message: message.text == "over"):
        page.reload()
    expect(page.locator("#proxy")).to_have_count(0)
    expect(page.locator(".terminal")).to_have_count(len(BOARD.terminals))
    page.clock.run_for(5000)
    expect(page.locator("#lost")).not_to_be_empty()
    expect(page.locator("#stream")).to_have_class("is-stale")
    page.unroute("**/stream*")
    stream = {"body": 'data: <section id="terminals"></section>\n\n'}
    page.route("**/stream*", lambda route: route.fulfill(content_type="text/event-stream", **stream))
    with page.expect_event("load"):  # it begins anew by itself
        page.clock.run_for(5000)
    expect(page.locator("#lost")).to_be_empty()


def test_the_question_and_the_lost_server_are_readable_too(screen: Page) -> None:
    for uncover in ("document.getElementById('idle').showModal()", "document.getElementById('offline').hidden = false"):
        screen.evaluate(uncover)
        assert judge_by_axe(screen, RULES) == []
        screen.evaluate("document.getElementById('idle').close()")
