"""The basic 4 information in front of a resident: agreed to, signed for, read, sealed, received; and given up."""

from __future__ import annotations

import json
import urllib.request
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from kiosk_web.simulator.cards import era_digits
from kiosk_web.simulator.people import derive_people
from tests.e2e.kiosk_page import KioskPage
from tests.support.demo import RunningDemo

pytestmark = pytest.mark.e2e
SERVICE = "facility-registration"
TAKAKO = next(person for person in derive_people(datetime.now(UTC)) if person.id == "takako")
NAME = "𠮷野　髙子"
PIN, TEXT_PIN = "1470", "5678"


def count_received(demo: RunningDemo) -> int:
    with urllib.request.urlopen(f"{demo.facility}/readings") as answer:
        return int(json.load(answer)["count"])


def agree(kiosk: KioskPage) -> None:
    kiosk.page.locator("#agree").click()
    kiosk.wait_for("awaiting_pin").type_pin(PIN).wait_for("awaiting_text")


def reach_consent(kiosk: KioskPage, demo: RunningDemo) -> None:
    kiosk.choose(SERVICE)
    demo.put_card("takako")
    kiosk.wait_for("awaiting_pin").type_pin(PIN).wait_for("consenting")
    for words in ("みほん市 施設予約システム", "氏名・住所・生年月日・性別", "公民館・体育館の利用者登録", "10分間"):
        kiosk.wait_for_text(words)


def type_text_pin(kiosk: KioskPage) -> None:
    kiosk.page.locator("#text-other").click()
    kiosk.page.locator("#pad").wait_for()
    kiosk.type_pin(TEXT_PIN)


def finish(kiosk: KioskPage, demo: RunningDemo) -> None:
    """What the resident sees, what the receiver has, and what is left on the page afterwards."""
    kiosk.wait_for("basic_four_sent")
    name = kiosk.page.locator("[data-item=name]")
    expect(name).to_have_text(NAME)
    expect(kiosk.page.locator("[data-item=sex]")).to_have_text("女")
    address = kiosk.page.locator("[data-item=address]").inner_text()
    assert "﨑浜" in address
    kiosk.page.locator("#size-extra").click()  # an answer and a push without the items: they stay
    expect(kiosk.stage).to_have_attribute("data-text-size", "extra")
    expect(name).to_have_text(NAME)
    reference = kiosk.page.locator("#reference").inner_text()
    kiosk.page.locator("#finish").click()
    kiosk.wait_for("result")
    expect(kiosk.page.locator("#basic-four")).to_have_attribute("data-end", "sent")
    assert NAME not in kiosk.page.content()
    other = kiosk.page.context.new_page()
    other.goto(demo.facility)
    for field, text in (("name", NAME), ("address", address), ("reference", reference)):
        expect(other.locator(f"#{field}")).to_have_text(text)
    other.close()


def test_handed_over_with_another_number_and_rare_characters(kiosk: KioskPage, demo: RunningDemo) -> None:
    kiosk.open()
    reach_consent(kiosk, demo)
    agree(kiosk)
    type_text_pin(kiosk)
    finish(kiosk, demo)


def test_who_declines_or_errs_keeps_the_result_and_may_use_code_b(kiosk: KioskPage, demo: RunningDemo) -> None:
    kiosk.open()
    received = count_received(demo)
    reach_consent(kiosk, demo)
    kiosk.page.locator("#decline").click()
    kiosk.wait_for("result")
    expect(kiosk.page.locator("#basic-four")).to_have_attribute("data-end", "declined")
    kiosk.page.locator("#basic-four-again").click()
    kiosk.wait_for("consenting")
    agree(kiosk)
    kiosk.page.locator("#text-same").click()  # it is not
    kiosk.wait_for("result")
    expect(kiosk.page.locator("#basic-four")).to_have_attribute("data-code", "text_secret_wrong")
    kiosk.wait_for_text("残り2回")
    assert count_received(demo) == received
    kiosk.page.locator("#basic-four-again").click()
    kiosk.wait_for("consenting")
    agree(kiosk)
    kiosk.page.locator("#text-code").click()
    pick_code(kiosk)
    kiosk.type_pin(TAKAKO.security_code)
    finish(kiosk, demo)


def pick_code(kiosk: KioskPage) -> None:
    """11 October of 昭和 21 (1946), and the year that the simulated card is valid until."""
    digits = era_digits(TAKAKO.birth)
    lead = kiosk.page.locator("#lead")
    kiosk.page.locator("#code-next").click()
    expect(lead).to_have_text("生年月日の年号を選んでください。")
    kiosk.page.locator("#era-showa").click()
    expect(lead).to_contain_text("カードの表に書かれているとおり")
    for field, wanted, start in (("year", digits[:2], 40), ("month", digits[2:4], 1), ("day", digits[4:6], 1)):
        set_field(kiosk, field, int(wanted), start)
    kiosk.page.locator("#code-next").click()
    expect(lead).to_have_text("有効期限の年を選んでください。")
    kiosk.page.locator("#expiry-up").click()
    shown = int(kiosk.page.locator("#expiry-value").inner_text())
    set_field(kiosk, "expiry", 2036 + len(TAKAKO.id), shown)
    kiosk.page.locator("#code-next").click()
    kiosk.page.locator("#pad").wait_for()


def set_field(kiosk: KioskPage, field: str, wanted: int, start: int) -> None:
    kiosk.page.locator(f"#{field}-up").focus()
    for _ in range(abs(wanted - start)):
        kiosk.page.keyboard.press("ArrowUp" if wanted > start else "ArrowDown")
    expect(kiosk.page.locator(f"#{field}-value")).to_have_text(str(wanted))


@pytest.mark.pcsc
def test_handed_over_in_a_real_reader(bare_kiosk: KioskPage, pcsc_demo: RunningDemo) -> None:
    bare_kiosk.open()
    reach_consent(bare_kiosk, pcsc_demo)
    agree(bare_kiosk)
    type_text_pin(bare_kiosk)
    finish(bare_kiosk, pcsc_demo)
