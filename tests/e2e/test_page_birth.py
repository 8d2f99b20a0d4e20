"""The residents' page alone, where a birth date is picked: what is confirmed before the bridge says that it waits."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.e2e.page_steps import CARD_THERE, NEED_BIRTH, open_page, reach_keys
from tests.support.page_stand import PageStand

pytestmark = pytest.mark.e2e


def say_that_it_waits(stand: PageStand) -> None:
    """Until the page knows it: it tells of the card of which it heard next."""
    stand.say(NEED_BIRTH)
    stand.say(CARD_THERE)
    stand.wait_for_event("card_changed")


def test_what_is_confirmed_before_the_bridge_waits_for_it_is_sent_then_and_once(page: Page, stand: PageStand) -> None:
    confirm, next_day = page.locator("#birth-confirm"), page.locator("#day-up")
    open_page(page, stand)
    reach_keys(page, stand, None, state="awaiting_birth")
    page.locator("#era-showa").click()
    confirm.click()
    next_day.click()  # not what was meant
    say_that_it_waits(stand)
    next_day.click()
    confirm.click()
    assert stand.pins.get(timeout=20) == b"400103"

    reach_keys(page, stand, None, read=2, state="awaiting_birth")
    page.locator("#era-showa").click()
    confirm.click()
    say_that_it_waits(stand)
    assert stand.pins.get(timeout=20) == b"400101"
    confirm.click()  # again, for what was sent already
    say_that_it_waits(stand)
    next_day.click()
    confirm.click()
    assert stand.pins.get(timeout=20) == b"400102"
