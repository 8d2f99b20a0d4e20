"""Whole visits in a real browser, through the real bridge, on the virtual reader: what each person meets."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.kiosk_page import KioskPage
from tests.support.demo import RunningDemo

pytestmark = pytest.mark.e2e


def reach_pin(kiosk: KioskPage, demo: RunningDemo, person: str) -> str:
    """Choose the first service and put this person's card; returns the PIN."""
    kiosk.open().choose()
    demo.put_card(person)
    return demo.person(person).pin


def test_a_card_and_its_pin_become_a_result(kiosk: KioskPage, demo: RunningDemo) -> None:
    first = demo.people[0]
    kiosk.open().choose()
    demo.put_card(first.id)
    kiosk.wait_for("awaiting_pin").type_pin(first.pin).wait_for("result")
    assert kiosk.code == ""
    assert first.name not in kiosk.text()
    demo.lift_card()
    kiosk.wait_for("choosing_service")


def test_the_card_may_come_before_the_service(kiosk: KioskPage, demo: RunningDemo) -> None:
    first = demo.people[0]
    demo.put_card(first.id)
    kiosk.open().choose()
    kiosk.wait_for("awaiting_pin").type_pin(first.pin).wait_for("result")


@pytest.mark.parametrize("tile", [0, 1])
def test_every_service_ends_in_a_result(kiosk: KioskPage, demo: RunningDemo, tile: int) -> None:
    first = demo.people[0]
    kiosk.open()
    expect(kiosk.stage.locator("[data-service='online']")).to_have_count(0)
    kiosk.stage.locator("[data-service]").nth(tile).click()
    demo.put_card(first.id)
    kiosk.wait_for("awaiting_pin").type_pin(first.pin).wait_for("result")


def test_the_same_person_keeps_the_identifier_and_another_has_another(kiosk: KioskPage, demo: RunningDemo) -> None:
    kiosk.open()
    seen = []
    for person in ("midori", "midori", "haruto"):
        kiosk.wait_for("choosing_service").choose()
        demo.put_card(person)
        kiosk.wait_for("awaiting_pin").type_pin(demo.person(person).pin).wait_for("result")
        seen.append(kiosk.stage.locator("#identifier").inner_text())
        demo.lift_card()
    assert seen[0] == seen[1]
    assert seen[2] != seen[0]


def test_a_wrong_pin_costs_one_try_and_the_right_one_succeeds(kiosk: KioskPage, demo: RunningDemo) -> None:
    pin = reach_pin(kiosk, demo, "midori")
    kiosk.wait_for("awaiting_pin").type_pin("0000")
    kiosk.wait_for_tries(2).type_pin(pin).wait_for("result")


def test_two_wrong_pins_end_the_visit_before_the_last_try(kiosk: KioskPage, demo: RunningDemo) -> None:
    reach_pin(kiosk, demo, "midori")
    kiosk.wait_for("awaiting_pin").type_pin("0000")
    kiosk.wait_for_tries(2).type_pin("0001")
    kiosk.wait_for("refused").wait_for_code("pin_tries_used")


def test_a_locked_pin_is_said_without_asking_for_it(kiosk: KioskPage, demo: RunningDemo) -> None:
    reach_pin(kiosk, demo, "aoi")
    kiosk.wait_for("refused").wait_for_code("pin_locked")


def test_the_last_try_is_asked_for_first(kiosk: KioskPage, demo: RunningDemo) -> None:
    pin = reach_pin(kiosk, demo, "saburo")
    kiosk.wait_for("confirming_last_pin")
    kiosk.page.locator("#confirm-last").click()
    kiosk.wait_for("awaiting_pin").type_pin(pin).wait_for("result")


def test_who_declines_the_last_try_keeps_it(kiosk: KioskPage, demo: RunningDemo) -> None:
    reach_pin(kiosk, demo, "saburo")
    kiosk.wait_for("confirming_last_pin")
    kiosk.page.locator("#decline").click()
    kiosk.wait_for("refused").wait_for_code("last_try_declined")
    assert demo.tries_left("saburo") == 1


@pytest.mark.parametrize(
    ("person", "code"),
    [("ichiro", "certificate_expired"), ("sakura", "certificate_revoked"), ("ken", "certificate_on_hold")],
)
def test_a_certificate_that_is_not_in_force_is_refused_and_burns_no_try(
    kiosk: KioskPage, demo: RunningDemo, person: str, code: str
) -> None:
    reach_pin(kiosk, demo, person)
    kiosk.wait_for("refused").wait_for_code(code)
    assert demo.tries_left(person) == 3


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("unknown", "status_unknown"),
        ("refused", "status_unavailable"),
        ("http_500", "status_unavailable"),
        ("try_later", "status_unavailable"),
        ("garbage", "status_unavailable"),
        ("wrong_signer", "status_unavailable"),
        ("no_nonce", "status_unavailable"),
        ("stale", "status_stale"),
    ],
)
def test_what_could_not_be_confirmed_is_never_valid_and_never_called_revoked(
    kiosk: KioskPage, demo: RunningDemo, fault: str, code: str
) -> None:
    demo.set_faults(ocsp=fault)
    reach_pin(kiosk, demo, "midori")
    kiosk.wait_for("refused").wait_for_code(code)
    assert "失効" not in kiosk.text()
    assert demo.tries_left("midori") == 3


def test_a_revoked_card_is_not_accepted_when_the_responder_lies_about_another(
    kiosk: KioskPage, demo: RunningDemo
) -> None:
    demo.set_faults(ocsp="wrong_serial")
    reach_pin(kiosk, demo, "sakura")
    kiosk.wait_for("refused").wait_for_code("status_unavailable")


def test_a_card_lifted_while_the_pin_is_typed_ends_the_visit(kiosk: KioskPage, demo: RunningDemo) -> None:
    reach_pin(kiosk, demo, "midori")
    kiosk.wait_for("awaiting_pin")
    kiosk.page.keyboard.type("12")
    demo.lift_card()
    kiosk.wait_for("refused").wait_for_code("card_removed")
    demo.put_card("midori")
    kiosk.page.locator("#finish").click()
    kiosk.wait_for("taking_card", "choosing_service")


@pytest.mark.parametrize("fault", ["remove_while_reading", "remove_while_pin", "remove_while_signing"])
def test_a_card_pulled_at_work_ends_the_visit_and_the_next_one_works(
    kiosk: KioskPage, demo: RunningDemo, fault: str
) -> None:
    demo.set_faults(card=fault)
    pin = reach_pin(kiosk, demo, "midori")
    if fault != "remove_while_reading":
        kiosk.wait_for("awaiting_pin").type_pin(pin)
    kiosk.wait_for("refused").wait_for_code("card_removed")
    demo.set_faults()
    demo.lift_card()
    kiosk.start_again().choose()
    demo.put_card("midori")
    kiosk.wait_for("awaiting_pin").type_pin(pin).wait_for("result")


@pytest.mark.parametrize("fault", ["swap_while_reading", "swap_same_kind"])
def test_a_card_swapped_for_one_of_the_same_kind_yields_nothing(
    kiosk: KioskPage, demo: RunningDemo, fault: str
) -> None:
    demo.set_faults(card=fault)
    pin = reach_pin(kiosk, demo, "midori")
    if fault == "swap_same_kind":
        kiosk.wait_for("awaiting_pin").type_pin(pin)
    kiosk.wait_for("refused")
    assert kiosk.code in {"card_swapped", "card_removed", "card_reset"}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("truncated_certificate", "card_data_malformed"),
        ("not_der", "card_data_malformed"),
        ("wrong_length", "card_data_malformed"),
    ],
)
def test_malformed_card_data_ends_in_its_named_error_and_the_next_visit_works(
    kiosk: KioskPage, demo: RunningDemo, fault: str, code: str
) -> None:
    demo.set_faults(card=fault)
    pin = reach_pin(kiosk, demo, "midori")
    kiosk.wait_for("refused").wait_for_code(code)
    demo.set_faults()
    demo.lift_card()
    kiosk.start_again().choose()
    demo.put_card("midori")
    kiosk.wait_for("awaiting_pin").type_pin(pin).wait_for("result")


@pytest.mark.parametrize("fault", ["first_command_6f00", "padded_files", "long_forms_only", "slow_card"])
def test_the_oddities_of_cards_do_not_reach_the_resident(kiosk: KioskPage, demo: RunningDemo, fault: str) -> None:
    demo.set_faults(card=fault)
    pin = reach_pin(kiosk, demo, "midori")
    kiosk.wait_for("awaiting_pin").type_pin(pin).wait_for("result")


def test_a_card_that_is_not_a_my_number_card_is_named_and_can_be_exchanged(kiosk: KioskPage, demo: RunningDemo) -> None:
    kiosk.open().choose()
    demo.put_card("library-card")
    kiosk.wait_for_text("マイナンバーカードとして読み取れません")
    assert kiosk.state == "awaiting_card"
    demo.lift_card()
    demo.put_card("midori")
    kiosk.wait_for("awaiting_pin").type_pin("1234").wait_for("result")


def test_the_whole_visit_in_english(kiosk: KioskPage, demo: RunningDemo) -> None:
    kiosk.open()
    kiosk.page.locator("#language-en").click()
    kiosk.wait_for_language("en").choose()
    demo.put_card("midori")
    kiosk.wait_for("awaiting_pin")
    assert "PIN" in kiosk.text()
    kiosk.type_pin("1234").wait_for("result")
    demo.lift_card()
    kiosk.wait_for("choosing_service").wait_for_language("ja")


def test_the_page_breaks_none_of_its_own_rules_and_speaks_to_nobody_else(kiosk: KioskPage, demo: RunningDemo) -> None:
    pin = reach_pin(kiosk, demo, "midori")
    kiosk.wait_for("awaiting_pin").type_pin(pin).wait_for("result")
    assert kiosk.violations == []
    assert {url.split("/")[2] for _, url, _ in kiosk.requests} == {demo.kiosk.removeprefix("http://")}


def test_a_reload_in_the_middle_begins_afresh(kiosk: KioskPage, demo: RunningDemo) -> None:
    """The new page proves the bridge anew; what the old one had begun is over, never doubled, never shown."""
    pin = reach_pin(kiosk, demo, "midori")
    kiosk.wait_for("awaiting_pin")
    kiosk.page.reload()
    kiosk.wait_for("choosing_service").choose()
    kiosk.wait_for("awaiting_pin").type_pin(pin).wait_for("result")
    kiosk.page.reload()
    kiosk.wait_for("choosing_service")
