"""Terms of use and privacy policy: one touch from every screen, and nothing is lost by reading them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from kiosk_web.adapters.terms_files import load_terms
from kiosk_web.web.catalogue import LANGUAGES
from kiosk_web.web.patterns import build_patterns
from kiosk_web.web.render import Renderer
from tests.e2e.test_screens import SIZES, serve, show

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
  const { Terms } = await import("/static/terms.js");
  window.activity = 0;
  window.terms = new Terms({ onActivity: () => { window.activity += 1; } });
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
