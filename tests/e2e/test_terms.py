"""Terms of use and privacy policy: one touch from every screen, and nothing is lost by reading them."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from kiosk_web.adapters.terms_files import load_terms
from kiosk_web.web.catalogue import LANGUAGES
from kiosk_web.web.patterns import build_patterns
from kiosk_web.web.render import Renderer
from tests.e2e.kiosk_page import KioskPage
from tests.e2e.test_screens import SIZES, serve, show
from tests.support.demo import Person, RunningDemo

pytestmark = pytest.mark.e2e
RENDERER = Renderer(demo=True, bridge_address="ws://127.0.0.1:8481/card", terms=load_terms(None, LANGUAGES))
SEEN = """
() => {
  const dialog = document.getElementById("policies").getBoundingClientRect();
  const buttons = [...document.querySelectorAll("#policies button")].map((button) => button.getBoundingClientRect());
  return [dialog.top >= 0 && dialog.bottom <= innerHeight && dialog.right <= innerWidth,
    Math.min(...buttons.map((box) => box.height))];
}
"""
START = """
async () => {
  const { Sheet } = await import("/static/sheet.js");
  window.activity = 0;
  const onActivity = () => { window.activity += 1; };
  window.terms = new Sheet({ dialog: "policies", name: "terms", openers: "#terms-open", onActivity });
  window.typed = [];
  document.addEventListener("keydown", (event) => window.typed.push(event.key));
}
"""


@pytest.mark.parametrize("size", SIZES)
def test_every_screen_opens_them_and_they_close_with_the_screen(page: Page, size: str) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    serve(page, RENDERER.render_page(build_patterns()["connecting"], live=False))
    assert page.locator("#policies").is_hidden()
    page.evaluate(START)
    page.evaluate("window.terms.enter('awaiting_pin')")
    show(page, "awaiting_pin")
    page.locator("#terms-open").click()
    inside, smallest = page.evaluate(SEEN)
    assert inside
    assert smallest >= 44
    assert page.evaluate("document.activeElement.id") == "terms-text"
    assert "個人番号（マイナンバー）は読み取りません。" in page.locator("#terms-text").inner_text()
    assert "My Number is not read" not in page.locator("#terms-text").inner_text()
    page.locator("#terms-down").click()
    assert page.evaluate("document.getElementById('terms-text').scrollTop") > 0
    page.keyboard.press("7")
    assert page.evaluate("window.typed") == []  # no digit reaches the field behind
    assert page.evaluate("window.activity") > 0
    page.keyboard.press("Escape")
    assert page.locator("#policies").is_hidden()
    assert page.evaluate("document.activeElement.id") == "terms-open"
    page.keyboard.press("Enter")
    assert page.locator("#policies").is_visible()
    page.evaluate("window.terms.enter('awaiting_pin')")
    assert page.locator("#policies").is_visible()
    page.evaluate("window.terms.enter('choosing_service')")
    assert page.locator("#policies").is_hidden()


def test_they_close_by_themselves_when_nobody_reads(page: Page) -> None:
    page.clock.install()
    serve(page, RENDERER.render_page(build_patterns()["connecting"], live=False))
    page.evaluate(START)
    show(page, "choosing_service")
    page.locator("#terms-open").click()
    page.clock.fast_forward(60_000)
    page.keyboard.press("7")
    page.clock.fast_forward(60_000)
    assert page.locator("#policies").is_visible()
    page.clock.fast_forward(31_000)
    assert page.locator("#policies").is_hidden()


def test_a_new_version_is_asked_about_before_the_result(kiosk: KioskPage, demo: RunningDemo) -> None:
    """A whole visit with a card: what was accepted before is an older version, and nothing goes on without a word."""
    person = demo.person("minh")
    visit(kiosk.open(), demo, person).wait_for("result")
    reference = kiosk.page.locator("#reference").inner_text()
    with closing(sqlite3.connect(demo.data / "kiosk" / "kiosk.sqlite3", isolation_level=None)) as connection:
        whose = "document = 'terms-of-use' AND person_id = (SELECT person_id FROM recent_visits WHERE reference = ?)"
        connection.execute(f"UPDATE accepted_terms SET version = 'demo-0' WHERE {whose}", (reference,))
    demo.lift_card()
    visit(kiosk.wait_for("choosing_service"), demo, person).wait_for("agreeing")
    identifier = kiosk.page.locator("#identifier")
    assert identifier.count() == 0
    changes = kiosk.stage.locator("#changes")
    expect(changes).to_contain_text("demo-0")
    expect(changes).to_contain_text("demo-1")
    kiosk.page.locator("#terms-read").click()
    expect(kiosk.page.locator("#policies")).to_be_visible()
    kiosk.page.locator("#terms-close").click()
    kiosk.page.locator("#decline").click()
    kiosk.wait_for_code("terms_declined").wait_for_text("K-613")
    demo.lift_card()
    visit(kiosk.start_again(), demo, person).wait_for("agreeing")
    kiosk.page.locator("#agree").click()
    kiosk.wait_for("result")
    expect(identifier).to_be_visible()


def visit(kiosk: KioskPage, demo: RunningDemo, person: Person) -> KioskPage:
    """Until the 暗証番号 is typed."""
    kiosk.choose("library")
    demo.put_card(person.id)
    return kiosk.wait_for("awaiting_pin").type_pin(person.pin)
