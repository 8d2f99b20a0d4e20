"""The reader, and the card on it."""

from __future__ import annotations

from bridge.card.pcsc_codes import Code
from tests.e2e.refusals.stand import OTHER, PERSON, Stand, Story


def lose_readers(state: str) -> Story:
    def story(stand: Stand) -> None:
        stand.reach_pin()
        stand.script(readers=state)

    return story


def fail_to_connect(code: Code) -> Story:
    """The card was recognised before, and cannot be opened now."""

    def story(stand: Stand) -> None:
        stand.demo.put_card(PERSON)
        stand.kiosk.wait_for_text("カードを確認しました")
        stand.script(connect=code.value)
        stand.kiosk.choose("facility")

    return story


def fail_to_transmit(code: Code) -> Story:
    def story(stand: Stand) -> None:
        stand.reach_pin()
        stand.script(transmit=code.value)
        stand.kiosk.type_pin("1234")

    return story


def unplug_reader(stand: Stand) -> None:
    stand.reach_pin()
    (stand.demo.data / "simulator" / "reader.json").unlink()


def exchange_card(stand: Stand) -> None:
    stand.reach_pin()
    stand.demo.put_card(OTHER)


def put_foreign_card(stand: Stand) -> None:
    stand.put("library-card")


def take_certificate(stand: Stand) -> None:
    for name in ("auth-cert.der", "auth-key.pem"):
        (stand.card / name).unlink()
    stand.put()


STORIES: dict[str, Story] = {
    "service_down": lose_readers("service_down"),
    "access_denied": lose_readers("denied"),
    "reader_missing": unplug_reader,
    "reader_busy": fail_to_connect(Code.SHARING_VIOLATION),
    "card_swapped": exchange_card,
    "card_reset": fail_to_transmit(Code.RESET_CARD),
    "card_mute": fail_to_connect(Code.UNRESPONSIVE_CARD),
    "not_my_number_card": put_foreign_card,
    "card_error": fail_to_transmit(Code.COMM_ERROR),
    "certificate_missing": take_certificate,
}
