"""What is typed: 暗証番号, birth date and the secrets of the text application; and messages that are tampered with."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from playwright.sync_api import WebSocketRoute

from kiosk_web.adapters.clock import read_clock
from kiosk_web.session.state_codec import StateCodec
from kiosk_web.session.states import AwaitingPin
from tests.e2e.kiosk_page import KioskPage
from tests.e2e.refusals.stand import Stand, Story
from tests.e2e.test_kazashi import set_birth


def type_too_slowly(stand: Stand) -> None:
    """The time for the PIN is over: the database says since when the server has been waiting."""
    stand.reach_pin()
    past = read_clock() - timedelta(seconds=1)
    (text,) = stand.read("SELECT state FROM sessions")[0]
    state = StateCodec.decode(text)
    assert isinstance(state, AwaitingPin)
    moved = StateCodec.encode(replace(state, deadline_at=past))
    stand.write("UPDATE sessions SET state = ?, deadline_at = ?", moved, past.replace(tzinfo=None).isoformat(" "))


def change_messages(kiosk: KioskPage, change: Callable[[dict[str, Any]], None]) -> None:
    """What page and bridge say to each other from the next connection on goes through `change`."""

    def connect(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def pass_on(to: WebSocketRoute, text: str | bytes) -> None:
            message = json.loads(text)
            change(message)
            to.send(json.dumps(message))

        socket.on_message(lambda text: pass_on(server, text))
        server.on_message(lambda text: pass_on(socket, text))

    kiosk.page.route_web_socket("**/card", connect)


def turn(text: str) -> str:
    """The same length, another value."""
    return ("B" if text[0] == "A" else "A") + text[1:]


def tamper(kind: str, field: str, change: Callable[[Any], Any], pin: str = "") -> Story:
    """Something between page and bridge changes this field of this message."""

    def story(stand: Stand) -> KioskPage:
        def apply(message: dict[str, Any]) -> None:
            if message["type"] == kind:
                message[field] = change(message[field])

        kiosk = stand.tampered()
        change_messages(kiosk, apply)
        stand.put(kiosk=kiosk.open())
        if pin:
            kiosk.wait_for("awaiting_pin").type_pin(pin)
        return kiosk

    return story


def spoil_ticket(ticket: str) -> str:
    head, _, signature = ticket.rpartition(".")
    return f"{head}.{turn(signature)}"


def enrol(stand: Stand, *, month: int = 4) -> None:
    stand.identify().page.locator("#kazashi").click()
    stand.kiosk.wait_for("consenting")
    stand.page.locator("#agree").click()
    if stand.kiosk.wait_for("awaiting_birth", "refused").state == "refused":
        return
    set_birth(stand.kiosk, year=63, month=month, day=17)
    stand.page.locator("#birth-confirm").click()


def mistake_birth_date(stand: Stand) -> None:
    enrol(stand, month=5)


def wear_out_birth_key(stand: Stand) -> None:
    stand.change_card(birth_key=1)
    enrol(stand)


def have_no_limit(stand: Stand) -> None:
    stand.change_card(switches={"birth_key_without_limit": True})
    enrol(stand)


def have_unknown_issuer(stand: Stand) -> None:
    path = stand.card / "surface-issuer.bin"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    enrol(stand)


def wear_out_text_secrets(stand: Stand) -> None:
    stand.change_card(text_pin=1, code_b=1)
    stand.reach_pin(service="facility-registration").type_pin("1234").wait_for("consenting")
    stand.page.locator("#agree").click()
    stand.kiosk.wait_for("awaiting_pin").type_pin("1234")


def have_no_keys_to_speak_of(stand: Stand) -> None:
    stand.press_keys("refuse")
    stand.reach_pin()


def leave_the_reader_waiting(stand: Stand) -> None:
    """The page goes and comes back; the reader has not been told of either."""
    stand.press_keys("")
    stand.reach_keys()
    stand.kiosk.open()
    stand.kiosk.choose("facility")


STORIES: dict[str, Story] = {
    "pin_timeout": type_too_slowly,
    "pin_undecryptable": tamper("enter_pin", "data", turn, "1234"),
    "pin_malformed": tamper("need_pin", "max", lambda _: 5, "12345"),
    "birth_date_wrong": mistake_birth_date,
    "birth_key_guarded": wear_out_birth_key,
    "birth_key_without_limit": have_no_limit,
    "text_secret_guarded": wear_out_text_secrets,
    "keypad_failed": have_no_keys_to_speak_of,
    "keypad_busy": leave_the_reader_waiting,
    "card_issuer_untrusted": have_unknown_issuer,
    "ticket_refused": tamper("read_certificate", "ticket", spoil_ticket),
    "evidence_refused": tamper("certificate", "signature", turn),
}
