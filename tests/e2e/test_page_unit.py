"""The residents' page alone, against a scripted bridge and server: what it sends, keeps, shows and never tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Page, Route, expect

from kiosk_web.web.view import BridgeCommand
from tests.e2e.page_steps import CARD_GONE, CARD_SWAPPED, CARD_THERE, RESULT, filled, in_state, open_page, reach_pin
from tests.support.page_stand import CARD, CHALLENGE, PageStand

pytestmark = pytest.mark.e2e


def test_the_page_proves_the_bridge_and_then_follows_the_server(page: Page, stand: PageStand) -> None:
    broken: list[str] = []
    page.on("console", lambda message: broken.append(message.text) if message.type == "error" else None)
    open_page(page, stand)
    stand.show("taking_card")
    in_state(page, "taking_card")
    expect(page.locator("#title")).to_be_focused()
    assert page.title().startswith("カードをお取りください")
    assert broken == []


def test_a_touch_on_a_service_is_told_once_also_when_touched_twice(page: Page, stand: PageStand) -> None:
    open_page(page, stand)
    page.locator("#service-library").dblclick()
    assert stand.wait_for_event("service_chosen") == {"type": "service_chosen", "service": "library"}
    stand.say(CARD_THERE)
    assert stand.events.get(timeout=20) == {"type": "card_changed", "reader": "ready", "card": "ours", "instance": CARD}


def test_a_touch_on_a_later_screen_counts_however_soon_it_comes(page: Page, stand: PageStand) -> None:
    open_page(page, stand)
    for _ in range(3):
        page.locator("#service-library").click()
        stand.wait_for_event("service_chosen")
        stand.show("awaiting_card")
        in_state(page, "awaiting_card")
        stand.show("choosing_service")
        in_state(page, "choosing_service")


def test_a_touch_between_two_touches_of_a_button_makes_both_count(page: Page, stand: PageStand) -> None:
    open_page(page, stand)
    for button in ("#size-large", "#size-normal", "#size-large"):
        page.locator(button).click()
    sizes = [stand.wait_for_event("text_size_chosen")["size"] for _ in range(3)]
    assert sizes == ["large", "normal", "large"]


def test_a_bridge_without_the_key_of_the_terminal_is_told_apart_and_gets_nothing(page: Page, stand: PageStand) -> None:
    stand.signing_key = Ed25519PrivateKey.generate()
    page.goto(stand.address)
    in_state(page, "out_of_service")
    expect(page.locator("#stage")).to_have_attribute("data-code", "bridge_untrusted")
    assert stand.welcomes == 0
    assert stand.heard.empty()


def test_a_signature_does_not_wait_for_the_answer_to_what_it_says_too(page: Page, stand: PageStand) -> None:
    reach_pin(page, stand)
    stand.withheld = "pin_submitted"
    page.keyboard.type("1234")
    page.keyboard.press("Enter")
    stand.wait_for_event("pin_submitted")
    stand.say(RESULT)
    assert stand.wait_for_event("signed")["card_signature"] == RESULT["card_signature"]
    stand.show("result")
    in_state(page, "result")
    stand.answer_withheld()  # with the screen that held before: it is dropped
    page.locator("#finish").click()
    stand.wait_for_event("finished")
    in_state(page, "result")


def test_nothing_overtakes_a_card_that_was_lifted(page: Page, stand: PageStand) -> None:
    reach_pin(page, stand)
    stand.withheld = "card_changed"
    stand.say(CARD_GONE)
    stand.wait_for_event("card_changed")
    stand.say(RESULT)
    stand.say({"type": "pin_refused", "challenge": CHALLENGE, "tries_left": 2})
    page.locator("[data-event*='help_called']").click()
    expect(page.locator("#pin-dots .dot.is-filled")).to_have_count(0)
    assert stand.events.empty()
    stand.answer_withheld()
    told = [stand.events.get(timeout=20)["type"] for _ in range(3)]
    told.remove("help_called")  # a touch comes on another way: it may be before, between or after
    assert told == ["signed", "pin_refused"]


SHOW = '<div id="number"><button type="button" id="number-show" data-handover="show">バーコード</button></div>'
ITS_TIME_IS_NEVER_OVER = """
const later = window.setTimeout;
window.setTimeout = (run, after, ...rest) => (after === 15000 ? 0 : later(run, after, ...rest));
"""
SHOWN = '<div id="number-shown"><svg viewBox="0 0 9 9"></svg></div>'


def show_number(page: Page, stand: PageStand, *, stop_clock_at: float | None = None) -> None:
    """A result whose barcode was asked for; from then on the server does not answer about the number.

    `stop_clock_at`: seconds of the page's clock, at which it stands still before the barcode is asked for.
    """
    page.route("**/k/handover", lambda route: route.fulfill(body=SHOW, content_type="text/html"))
    page.route("**/k/handover/number", lambda route: route.fulfill(body=SHOWN, content_type="text/html"))
    open_page(page, stand)
    stand.show("result")
    page.locator("#number-show").wait_for()
    if stop_clock_at is not None:
        page.clock.pause_at(stop_clock_at)
    page.locator("#number-show").click()
    expect(page.locator("#number-shown")).to_have_count(1)
    page.unroute("**/k/handover")
    page.route("**/k/handover", lambda route: route.abort())


@pytest.mark.parametrize("change", [CARD_GONE, CARD_SWAPPED], ids=["taken", "swapped"])
def test_a_barcode_goes_with_the_card_also_when_the_server_does_not_answer(
    page: Page, stand: PageStand, change: dict[str, str]
) -> None:
    page.add_init_script(ITS_TIME_IS_NEVER_OVER)
    show_number(page, stand)
    stand.say(CARD_THERE)
    stand.wait_for_event("card_changed")
    expect(page.locator("#number-shown")).to_have_count(1)
    stand.withheld = "card_changed"
    stand.say(change)
    stand.wait_for_event("card_changed")
    expect(page.locator("#number-shown")).to_have_count(0)
    in_state(page, "result")
    stand.answer_withheld()


def test_a_barcode_is_gone_after_its_time_also_when_the_server_cannot_be_asked(page: Page, stand: PageStand) -> None:
    page.clock.install(time=0)
    show_number(page, stand, stop_clock_at=3600)  # else it runs on beside us
    page.clock.fast_forward(14_000)
    expect(page.locator("#number-shown")).to_have_count(1)
    page.clock.fast_forward(2_000)
    expect(page.locator("#number-shown")).to_have_count(0)
    in_state(page, "result")


@pytest.mark.parametrize("change", [CARD_GONE, CARD_SWAPPED], ids=["taken", "swapped"])
def test_the_basic_4_information_goes_with_the_card_also_when_the_server_does_not_answer(
    page: Page, stand: PageStand, change: dict[str, str]
) -> None:
    open_page(page, stand)
    stand.say(CARD_THERE)
    stand.wait_for_event("card_changed")
    stand.show("basic_four_sent-items")
    expect(page.locator("[data-item='name']")).not_to_be_empty()
    stand.withheld = "card_changed"
    stand.say(change)
    stand.wait_for_event("card_changed")
    for item in page.locator("[data-item]").all():
        expect(item).to_be_empty()
    in_state(page, "basic_four_sent")
    stand.answer_withheld()
    stand.show("result")
    in_state(page, "result")
    stand.show("basic_four_sent-items")  # an answer that was still on its way
    in_state(page, "basic_four_sent")
    for item in page.locator("[data-item]").all():
        expect(item).to_be_empty()


def test_a_screen_that_comes_twice_is_put_in_place_once(page: Page, stand: PageStand) -> None:
    open_page(page, stand)
    page.evaluate("window.swaps = []")
    page.evaluate("addEventListener('htmx:after:swap', () => { window.swaps.push(stage.dataset.state); })")
    stand.show("awaiting_card")
    in_state(page, "awaiting_card")
    for _ in range(3):
        stand.push(stand.view)
    stand.push(replace(stand.view, language="en"))  # the same version in other words: a notice came or went
    expect(page.locator("#stage")).to_have_attribute("data-lang", "en")
    page.locator("[data-event*='help_called']").click()
    stand.wait_for_event("help_called")
    expect(page.locator("#stage")).to_have_attribute("data-lang", "ja")  # the answer must not be overtaken below
    stand.show("taking_card")
    in_state(page, "taking_card")
    # the event comes after the content; awaiting_card twice more: in English, and back by the answer to help_called
    page.wait_for_function("window.swaps.at(-1) === 'taking_card'")
    swaps = [state for state in page.evaluate("window.swaps") if state != "choosing_service"]
    assert swaps == ["awaiting_card"] * 3 + ["taking_card"]


def test_an_older_screen_is_dropped(page: Page, stand: PageStand) -> None:
    open_page(page, stand)
    old = stand.view
    stand.show("awaiting_card")
    in_state(page, "awaiting_card")
    stand.push(old)
    stand.show("taking_card")
    in_state(page, "taking_card")
    assert page.evaluate("document.getElementById('stage').dataset.version") == str(stand.view.version)


def test_a_command_runs_once_however_often_it_is_shown(page: Page, stand: PageStand) -> None:
    reach_pin(page, stand)
    command = BridgeCommand("1.1.2", "authenticate", {})
    stand.show("checking_pin", commands=(command,))
    stand.wait_for_word("authenticate")
    stand.show("checking_pin", commands=(command,), language="en")
    stand.show("refused-cancelled", commands=(BridgeCommand("1.1.3", "cancel", {}),))
    words = []
    while not words or words[-1] != "cancel":
        words.append(stand.heard.get(timeout=20)["type"])
    assert "authenticate" not in words


def test_a_message_with_an_unknown_field_ends_the_connection(page: Page, stand: PageStand) -> None:
    open_page(page, stand)
    stand.say({**CARD_THERE, "colour": "red"})
    assert stand.wait_for_event("bridge_lost") == {"type": "bridge_lost", "cause": "bridge_untrusted"}


def test_a_lost_bridge_is_told_and_found_again(page: Page, stand: PageStand) -> None:
    open_page(page, stand)
    stand.close_sockets(1011)
    assert stand.wait_for_event("bridge_lost") == {"type": "bridge_lost", "cause": "bridge_lost"}
    stand.wait_for_word("watch")
    assert stand.welcomes == 2


def test_a_refused_ticket_is_told_and_the_bridge_proven_anew(page: Page, stand: PageStand) -> None:
    """Keys that ran out, or a terminal that slept: another proof brings the server's time and keys."""
    reach_pin(page, stand)
    stand.show("refused-ticket_refused")
    in_state(page, "refused")
    stand.say({"type": "failed", "challenge": "", "code": "ticket_refused", "retriable": True, "tries_left": None})
    assert stand.wait_for_event("bridge_failed")["code"] == "ticket_refused"
    stand.wait_for_word("watch")
    assert stand.welcomes == 2
    in_state(page, "refused")


def test_an_event_that_crossed_the_pages_own_new_proof_is_told_again(page: Page, stand: PageStand) -> None:
    open_page(page, stand)
    stand.overtaken = 1
    page.locator("#service-library").click()
    assert stand.wait_for_event("service_chosen") == {"type": "service_chosen", "service": "library"}
    in_state(page, "choosing_service")
    assert stand.welcomes == 1


def test_an_event_that_is_answered_at_last_brings_back_a_page_that_has_said_that_it_is_cut_off(
    page: Page, stand: PageStand
) -> None:
    """Its stream has never gone, and nothing was lost: neither would bring it back."""
    open_page(page, stand)
    tried: list[Route] = []

    def lose_the_first(route: Route) -> None:
        tried.append(route)
        if len(tried) == 1:
            route.abort()

    page.route("**/k/events", lose_the_first)
    page.locator("#size-large").click()
    expect(page.locator("#offline")).to_be_visible()
    tried[1].continue_()
    stand.wait_for_event("text_size_chosen")
    expect(page.locator("#offline")).to_be_hidden()
    assert (len(tried), stand.welcomes) == (2, 1)


def test_a_page_whose_session_was_lost_proves_itself_anew(page: Page, stand: PageStand) -> None:
    open_page(page, stand)
    connecting = stand.view.__class__(
        "connecting", "", stand.view.version + 1, None, "ja", "normal", (), {"help_called": False}
    )
    stand.push(connecting)
    stand.wait_for_word("watch")
    assert stand.welcomes == 2


@pytest.mark.parametrize("socket_first", [True, False])
def test_a_page_that_was_taken_over_stays_away(page: Page, stand: PageStand, socket_first: bool) -> None:
    open_page(page, stand)
    if socket_first:
        stand.close_sockets(4409)
    stand.show("superseded")
    if not socket_first:
        stand.close_sockets(4409)
    in_state(page, "superseded")
    assert stand.welcomes == 1
    page.locator("#reload").click()
    stand.wait_for_word("watch")
    assert stand.welcomes == 2


@pytest.mark.parametrize("told", [True, False])
def test_a_page_without_a_stream_that_was_taken_over_shows_nothing_of_anybody(
    page: Page, stand: PageStand, told: bool
) -> None:
    """Its stream would come back with the cookie of the newer page, whose screens are not for it."""
    open_page(page, stand)
    stand.show("result")
    in_state(page, "result")
    stand.troubles_told = told
    stand.end_stream()
    stand.close_sockets(4409)
    if not told:
        expect(page.locator("#offline")).to_be_visible()
        stand.troubles_told = True
    in_state(page, "superseded")
    expect(page.locator("#offline")).to_be_hidden()


def test_a_page_that_has_said_that_it_is_cut_off_and_was_taken_over_has_a_way_back(
    page: Page, stand: PageStand
) -> None:
    open_page(page, stand)
    page.route("**/k/bridge/hello", lambda route: route.fulfill(status=503))
    stand.close_sockets(1011)
    expect(page.locator("#offline")).to_be_visible()
    stand.show("superseded")
    in_state(page, "superseded")
    expect(page.locator("#offline")).to_be_hidden()
    page.unroute("**/k/bridge/hello")
    stand.show("choosing_service")
    page.locator("#reload").click()
    in_state(page, "choosing_service")


def test_a_late_answer_does_not_bring_back_a_page_that_was_taken_over(page: Page, stand: PageStand) -> None:
    """Both pages are of one browser: with the cookie of the newer one the older would be answered in its place."""
    open_page(page, stand)
    stand.view = replace(stand.view, version=stand.view.version + 1)
    stand.withheld = "service_chosen"
    page.locator("#service-library").click()
    stand.wait_for_event("service_chosen")
    assert stand.show("superseded") == stand.view.version
    stand.close_sockets(4409)
    in_state(page, "superseded")
    stand.answer_withheld()
    page.wait_for_function(
        "() => performance.getEntriesByType('resource').some(({ name }) => name.endsWith('/k/events'))"
    )
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    in_state(page, "superseded")


def test_an_event_of_a_page_that_was_taken_over_is_not_told_in_the_name_of_the_newer(
    page: Page, stand: PageStand
) -> None:
    open_page(page, stand)
    stand.overtaken = 10**9
    page.locator("#service-library").click()
    stand.show("superseded")
    stand.close_sockets(4409)
    in_state(page, "superseded")
    stand.overtaken = 0
    stand.show("choosing_service")
    page.locator("#reload").click()
    in_state(page, "choosing_service")
    page.locator("#help").click()
    assert stand.events.get(timeout=20)["type"] == "help_called"


def test_somebody_slow_is_asked_and_comes_back_to_the_same_screen(page: Page, stand: PageStand) -> None:
    reach_pin(page, stand)
    page.keyboard.type("12")
    filled(page, 2)
    stand.show("awaiting_pin", deadline_at=datetime.now(UTC) + timedelta(seconds=25))
    expect(page.locator("#idle")).to_be_visible()
    expect(page.locator("#idle-go")).to_be_focused()
    page.locator("#idle-go").click()
    stand.wait_for_event("extended")
    expect(page.locator("#idle")).to_be_hidden()
    filled(page, 2)


def test_a_page_opened_as_localhost_moves_to_the_literal_address(page: Page, stand: PageStand) -> None:
    stand.show("choosing_service")
    page.goto(stand.address.replace("127.0.0.1", "localhost"))
    in_state(page, "choosing_service")
    assert page.url == stand.address
