"""What is stored about me: opened by a touch after the 暗証番号, read with a finger, and gone with the card."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from kiosk_web.web.patterns import build_patterns
from kiosk_web.web.patterns.records import build_records
from tests.e2e.kiosk_page import KioskPage
from tests.e2e.test_screens import RENDERER, SIZES, serve
from tests.support.demo import RunningDemo

pytestmark = pytest.mark.e2e
SHEET = """
() => {
  const box = document.getElementById("held").getBoundingClientRect();
  const text = document.getElementById("records-text");
  const buttons = [...document.querySelectorAll("#held button")].map((button) => button.getBoundingClientRect().height);
  return [box.top >= 0 && box.bottom <= innerHeight && box.right <= innerWidth, text.scrollWidth <= text.clientWidth,
    Math.min(...buttons)];
}
"""


def test_it_is_shown_for_the_page_of_the_visit_and_gone_with_the_card(kiosk: KioskPage, demo: RunningDemo) -> None:
    page, person = kiosk.page, demo.person("takako")
    kiosk.open().choose("facility")
    demo.put_card(person.id)
    kiosk.wait_for("awaiting_pin").type_pin(person.pin).wait_for("result")
    sheet = page.locator("#records-text")
    page.locator("#records-open").click()
    expect(sheet).to_contain_text("みほん市 施設予約システム")
    expect(sheet).to_contain_text(page.locator("#reference").inner_text())
    page.locator("#records-down").click()
    page.wait_for_function("document.getElementById('records-text').scrollTop > 0")
    page.locator("#records-close").click()
    expect(sheet).to_be_empty()
    page.locator("#records-open").click()
    expect(sheet).to_contain_text("保存していないもの")
    demo.lift_card()
    kiosk.wait_for("choosing_service")
    expect(page.locator("#held")).to_be_hidden()
    expect(sheet).to_be_empty()
    assert kiosk.violations == []


@pytest.mark.parametrize("size", [*SIZES.values(), (420, 1080)])
def test_the_sheet_fits_in_every_language_and_text_size(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for language, text_size in (("ja", "normal"), ("en", "extra")):
        view = replace(build_patterns()["result"], language=language, text_size=text_size)
        serve(page, RENDERER.render_page(view, live=False, records=build_records(language)))
        inside, narrow, smallest = page.evaluate(SHEET)
        assert inside
        assert narrow
        assert smallest >= 44
