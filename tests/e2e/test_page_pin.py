"""The keys of the PIN on the residents' page alone: what counts, and what is sealed for the bridge."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.page_steps import CARD_GONE, NEED_PIN, RESULT, filled, in_state, open_page, reach_keys, reach_pin
from tests.support.page_stand import CHALLENGE, PageStand

pytestmark = pytest.mark.e2e


def test_a_pin_typed_on_a_keyboard_reaches_the_bridge_sealed_and_nobody_else(page: Page, stand: PageStand) -> None:
    reach_pin(page, stand, max=16)
    page.keyboard.type("7X3K9w")
    page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', {key: '５', bubbles: true, cancelable: true}))")
    page.keyboard.type("q2zab")
    filled(page, 12)
    assert "7X3K" not in page.content().upper()
    page.keyboard.press("Enter")
    assert stand.pins.get(timeout=20) == b"7X3K9W5Q2ZAB"
    stand.wait_for_event("pin_submitted")
    filled(page, 0)
    assert not any(b"7X3K" in body.upper() for body in stand.posted)


def test_a_pin_that_is_typed_on_the_reader_is_asked_for_at_once_and_no_key_here_counts(
    page: Page, stand: PageStand
) -> None:
    reach_pin(page, stand, keypad=True)
    asked = stand.wait_for_word("enter_pin")
    assert (asked["iv"], asked["data"]) == ("", "")
    expect(page.locator(".reader-keypad__wait")).to_be_visible()
    expect(page.locator("#reader-now")).to_be_hidden()
    stand.say({"type": "progress", "step": "verifying", "percent": 0})
    expect(page.locator("#reader-now")).to_be_visible()
    expect(page.locator("#pad")).to_be_hidden()
    said = page.locator("#reader-now").inner_text()
    expect(page.locator("#say")).to_have_text(said)
    page.keyboard.type("1234")
    page.keyboard.press("Enter")
    stand.say({"type": "pin_refused", "challenge": CHALLENGE, "tries_left": 2})
    assert stand.events.get(timeout=20)["type"] == "pin_refused"  # and no `pin_submitted`: the resident was typing
    assert stand.wait_for_word("enter_pin")["data"] == ""
    stand.say({"type": "progress", "step": "signing", "percent": 0})
    assert stand.events.get(timeout=20)["type"] == "pin_submitted"
    stand.say({"type": "failed", "challenge": CHALLENGE, "code": "card_removed", "retriable": True, "tries_left": None})
    stand.wait_for_event("bridge_failed")
    expect(page.locator("body")).to_have_attribute("data-keypad", "")
    assert stand.pins.empty()


def test_the_keys_on_the_screen_work_and_nothing_is_sent_before_ok(page: Page, stand: PageStand) -> None:
    reach_pin(page, stand)
    for key in ("1", "2", "3"):
        page.locator(f"#key-{key}").click()
    page.locator("#key-confirm").click()
    expect(page.locator("#say")).to_have_text("あと1桁、入力してください。")
    expect(page.locator("#lead")).to_have_text("あと1桁、入力してください。")
    page.locator("#key-backspace").click()
    expect(page.locator("#lead")).to_contain_text("数字4桁")
    page.keyboard.type("45")
    filled(page, 4)
    assert stand.pins.empty()
    page.locator("#key-confirm").click()
    assert stand.pins.get(timeout=20) == b"1245"


def test_what_is_typed_before_the_bridge_waits_for_it_counts(page: Page, stand: PageStand) -> None:
    open_page(page, stand)
    for visit, pin in enumerate(("1234", "5678"), start=1):  # the second one after a PIN that was sent
        reach_keys(page, stand, None, read=visit)
        page.keyboard.type(pin[:2])
        filled(page, 2)
        stand.say(NEED_PIN)
        page.locator("body[data-keypad=screen]").wait_for()  # the page knows it now
        page.keyboard.type(pin[2:])
        filled(page, 4)
        assert stand.pins.empty()
        page.keyboard.press("Enter")
        assert stand.pins.get(timeout=20) == pin.encode()
        stand.wait_for_event("pin_submitted")
        stand.say(RESULT)
        stand.wait_for_event("signed")
        stand.show("result")
        in_state(page, "result")


def test_what_is_confirmed_before_the_bridge_waits_for_it_is_sent_then(page: Page, stand: PageStand) -> None:
    open_page(page, stand)
    reach_keys(page, stand, None)
    page.keyboard.type("1234")
    page.keyboard.press("Enter")
    page.keyboard.press("Backspace")  # not what was meant
    page.keyboard.type("5")
    filled(page, 4)
    stand.say(NEED_PIN)
    page.locator("body[data-keypad=screen]").wait_for()
    filled(page, 4)
    assert stand.pins.empty()
    stand.say(CARD_GONE)
    stand.wait_for_event("card_changed")
    filled(page, 0)
    page.keyboard.type("6789")
    page.keyboard.press("Enter")
    filled(page, 4)
    stand.say(NEED_PIN)
    assert stand.pins.get(timeout=20) == b"6789"
    filled(page, 0)


def test_no_key_counts_while_the_page_says_that_it_is_cut_off(page: Page, stand: PageStand) -> None:
    reach_pin(page, stand)
    page.evaluate("document.getElementById('offline').hidden = false")
    page.keyboard.type("1234")
    page.keyboard.press("Enter")
    filled(page, 0)
    page.evaluate("document.getElementById('offline').hidden = true")
    page.keyboard.type("5678")
    page.keyboard.press("Enter")
    assert stand.pins.get(timeout=20) == b"5678"


def test_what_was_typed_survives_a_push_and_not_the_removal_of_the_card(page: Page, stand: PageStand) -> None:
    reach_pin(page, stand)
    page.keyboard.type("12")
    filled(page, 2)
    version = stand.show("awaiting_pin", language="en")
    expect(page.locator("#stage")).to_have_attribute("data-version", str(version))
    expect(page.locator("#title")).to_have_text("Enter your PIN")
    expect(page.locator("#pin-field")).to_be_focused()
    filled(page, 2)
    stand.say(CARD_GONE)
    stand.wait_for_event("card_changed")
    filled(page, 0)
