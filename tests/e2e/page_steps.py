"""What a test does with the residents' page alone, between a scripted bridge and server, and what that bridge says."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from kiosk_web.web.view import BridgeCommand
from tests.support.page_stand import CARD, CHALLENGE, PageStand, build_ticket, encode

CERTIFICATE = {
    "type": "certificate",
    "challenge": CHALLENGE,
    "certificate": encode(b"DER"),
    "tries_left": 3,
    "counter": 1,
    "signature": encode(bytes(64)),
}
NEED_PIN = {
    "type": "need_pin",
    "secret": "pin",
    "challenge": CHALLENGE,
    "tries_left": 3,
    "keypad": False,
    "min": 4,
    "max": 4,
    "confirm": False,
}
RESULT = {
    "type": "result",
    "challenge": CHALLENGE,
    "card_signature": encode(b"signature"),
    "counter": 2,
    "signature": encode(bytes(64)),
}
NEED_BIRTH = NEED_PIN | {"secret": "birth_key", "min": 6, "max": 6}
CARD_THERE = {"type": "reader", "reader": "ready", "card": "ours", "instance": CARD}
CARD_GONE = {"type": "reader", "reader": "ready", "card": "none", "instance": ""}
CARD_SWAPPED = CARD_THERE | {"instance": "card-instance-2"}

WITHOUT_END = "Object.defineProperty(XMLHttpRequest.prototype, 'timeout', { set() {} })"
"""The page waits for the answer to an event as long as a test withholds it: its 8 s may be over on a busy computer."""


def in_state(page: Page, state: str) -> None:
    expect(page.locator("#stage")).to_have_attribute("data-state", state)


def filled(page: Page, count: int) -> None:
    expect(page.locator("#pin-dots .dot.is-filled")).to_have_count(count)


def open_page(page: Page, stand: PageStand) -> None:
    page.add_init_script(WITHOUT_END)
    stand.show("choosing_service")
    page.goto(stand.address)
    in_state(page, "choosing_service")
    stand.wait_for_word("watch")
    stand.wait_for_stream()


def reach_pin(page: Page, stand: PageStand, **need: int) -> None:
    """A card is read and the keys are on the screen."""
    open_page(page, stand)
    reach_keys(page, stand, {**NEED_PIN, **need})


def reach_keys(
    page: Page, stand: PageStand, need: dict[str, object] | None, *, read: int = 1, state: str = "awaiting_pin"
) -> None:
    """`need`: said before the screen; None if the bridge has not come to that. `read`: which certificate it is."""
    command = BridgeCommand(f"1.{read}.1", "read_certificate", {"ticket": build_ticket()})
    stand.show("reading_card", commands=(command,))
    stand.wait_for_word("read_certificate")
    stand.say(CERTIFICATE)
    if need is not None:
        stand.say(need)  # the page has both before it tells the server of the first
    stand.wait_for_event("certificate_read")
    stand.show(state)
    in_state(page, state)
