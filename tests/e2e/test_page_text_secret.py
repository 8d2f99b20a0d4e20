"""The page alone, where the basic 4 information is to be read: what it asks about the number typed before."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from kiosk_web.web.catalogue import load_catalogues
from tests.e2e.page_steps import in_state, open_page
from tests.support.page_stand import PageStand

pytestmark = pytest.mark.e2e
SAY = load_catalogues()["ja"].say


def test_who_typed_the_pin_on_the_reader_is_not_asked_whether_it_is_the_same(page: Page, stand: PageStand) -> None:
    """It is not here and cannot serve twice."""
    open_page(page, stand)
    stand.show("awaiting_text")
    in_state(page, "awaiting_text")
    expect(page.locator("#text-same")).to_be_hidden()
    expect(page.locator("#title")).to_have_text(SAY("text.anew.title"))
    expect(page.locator("#lead")).to_have_text(SAY("text.anew.lead"))
    expect(page.locator("#text-other")).to_have_text(SAY("text.anew.other"))
