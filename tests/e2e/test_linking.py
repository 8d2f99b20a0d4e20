"""連携登録 at the terminal: a card, a browser, a barcode reader that types, and staff beside the resident."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import expect

from kiosk_web.adapters.clock import read_clock
from kiosk_web.simulator.staff import load_staff
from tests.e2e.kiosk_page import KioskPage
from tests.support.demo import RunningDemo

pytestmark = pytest.mark.e2e
NUMBER = "2026041844"


def test_a_card_is_scanned_once_and_confirmed_by_staff(kiosk: KioskPage, demo: RunningDemo) -> None:
    page, person, staff = kiosk.page, demo.person("kyoko"), load_staff(demo.data / "simulator")
    assert staff is not None
    kiosk.open().choose("library")
    demo.put_card(person.id)
    kiosk.wait_for("awaiting_pin").type_pin(person.pin).wait_for("result")
    page.locator("#link").click()
    kiosk.wait_for("entering_number")
    page.locator("#language-en").click()  # the focus is on a button, and the reader types wherever it is
    kiosk.wait_for_language("en")
    page.keyboard.type("A2026041845B")
    page.locator("#number-confirm").click()
    expect(page.locator("#link-refused")).to_have_attribute("data-refused", "link_number_malformed")
    page.keyboard.type(f"A{NUMBER}B")
    page.keyboard.press("Enter")
    kiosk.wait_for("confirming_link")
    expect(page.locator("#typed-number")).to_have_text(NUMBER)
    page.locator("#staff-number").fill(staff.number)
    page.locator("#staff-code").fill(staff.show_code(read_clock()))
    page.locator("#staff-confirm").click()
    kiosk.wait_for("result").wait_for_text("is linked")
    expect(page.locator("#number-masked")).to_have_text("••••••••44")
    assert NUMBER not in page.content()
    assert [path for _, path, body in kiosk.requests if NUMBER.encode() in body] == [f"{demo.kiosk}/k/events"]
    demo.lift_card()
    kiosk.wait_for("choosing_service")
    assert NUMBER not in demo.read_logs()
    with closing(sqlite3.connect(demo.data / "kiosk" / "kiosk.sqlite3", isolation_level=None)) as connection:
        linked = "system = 'city-library' AND way = 'terminal' AND state = 'active'"
        assert connection.execute(f"SELECT user_number FROM links WHERE {linked}").fetchall() == [(NUMBER,)]
        connection.execute(f"UPDATE links SET state = 'ended' WHERE {linked}")  # for the tests after this one


def test_five_numbers_that_do_not_do_end_it_for_the_visit(kiosk: KioskPage, demo: RunningDemo) -> None:
    page, person = kiosk.page, demo.person("kyoko")
    kiosk.open().choose("library")
    demo.put_card(person.id)
    kiosk.wait_for("awaiting_pin").type_pin(person.pin).wait_for("result")
    page.locator("#link").click()
    kiosk.wait_for("entering_number")
    for number in ("1", "22", "333", "4444", "55555"):
        before = kiosk.stage.get_attribute("data-version")
        page.keyboard.type(number)
        page.locator("#number-confirm").click()
        expect(kiosk.stage).not_to_have_attribute("data-version", before)
    kiosk.wait_for("result")
    expect(page.locator("#link-used-up")).to_have_attribute("data-code", "link_attempts_used")
    expect(page.locator("#link")).to_have_count(0)
