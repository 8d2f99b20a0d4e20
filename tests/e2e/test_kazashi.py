"""かざし利用 as people meet it: staff at the counter, an enrolment after a visit by 暗証番号, then a tap."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import expect

from kiosk_web.program import kiosk_program
from tests.e2e.kiosk_page import STEP_MILLISECONDS, KioskPage
from tests.support.demo import RunningDemo

pytestmark = pytest.mark.e2e
STAFF = "counter"
NUMBER = "80421"


def add_staff(demo: RunningDemo) -> str:
    """A member of staff of the demo's facility; returns the secret of the authenticator."""
    command = [
        *kiosk_program(),
        "staff",
        "add",
        STAFF,
        f"--number={NUMBER}",
        f"--data={Path(demo.data) / 'kiosk'}",
        "--json",
    ]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return str(json.loads(answer.stdout)["secret"])


def attend(kiosk: KioskPage, secret: str) -> None:
    """Sign in at the terminal with the keys of the screen."""
    kiosk.page.locator("#staff").click()
    kiosk.wait_for("staff_sign_in")
    for digit in NUMBER:
        kiosk.page.locator(f"#staff-key-{digit}").click()
    kiosk.page.locator("#staff-confirm").click()
    for digit in pyotp.TOTP(secret).at(datetime.now(UTC)):
        kiosk.page.locator(f"#staff-key-{digit}").click()
    kiosk.page.locator("#staff-confirm").click()
    kiosk.wait_for("choosing_service")
    expect(kiosk.page.locator("#attended")).to_contain_text(STAFF, timeout=STEP_MILLISECONDS)


def identify(kiosk: KioskPage, demo: RunningDemo) -> str:
    kiosk.choose()
    demo.put_card("midori")
    kiosk.wait_for("awaiting_pin").type_pin("1234").wait_for("result")
    return str(kiosk.stage.locator("#identifier").inner_text())


def pick_birth(kiosk: KioskPage) -> None:
    """17 April of 昭和 63 (1988)."""
    set_birth(kiosk, year=63, month=4, day=17)


def set_birth(kiosk: KioskPage, *, year: int, month: int, day: int) -> None:
    """A date of 昭和, from 40.1.1 on: a page is ten, and the rest goes by keys."""
    kiosk.page.locator("#era-showa").click()
    for name, steps in (("year", year - 40), ("month", month - 1), ("day", day - 1)):
        kiosk.page.locator(f"#{name}-up").focus()
        for key, times in (("PageUp", steps // 10), ("ArrowUp", steps % 10)):
            for _ in range(times):
                kiosk.page.keyboard.press(key)
    shown = [kiosk.page.locator(f"#{name}-value").inner_text() for name in ("year", "month", "day")]
    assert shown == [str(year), str(month), str(day)]


def enrol(kiosk: KioskPage) -> None:
    kiosk.page.locator("#kazashi").click()
    kiosk.wait_for("consenting")
    kiosk.page.locator("#agree").click()
    kiosk.wait_for("awaiting_birth")
    pick_birth(kiosk)
    kiosk.page.locator("#birth-confirm").click()
    kiosk.wait_for("kazashi_set")


def test_enrol_then_tap_while_attended_and_the_pin_when_nobody_attends(kiosk: KioskPage, demo: RunningDemo) -> None:
    secret = add_staff(demo)
    kiosk.open()
    before = identify(kiosk, demo)
    enrol(kiosk)
    sent = b"".join(body for _, _, body in kiosk.requests)
    assert b"630417" not in sent
    demo.lift_card()
    kiosk.wait_for("choosing_service")
    attend(kiosk, secret)
    kiosk.choose()
    demo.put_card("midori")
    kiosk.wait_for("result")
    assert kiosk.stage.locator("#identifier").inner_text() == before
    demo.lift_card()
    kiosk.wait_for("choosing_service")
    kiosk.choose()
    demo.put_card("haruto")  # never enrolled: the same visit goes on by 暗証番号
    kiosk.wait_for("awaiting_pin").wait_for_text("かざし利用では確認できませんでした")
    demo.lift_card()
    kiosk.wait_for("refused").start_again()
    kiosk.page.locator("#staff-out").click()
    kiosk.page.locator("#staff").wait_for()
    kiosk.choose()
    demo.put_card("midori")
    kiosk.wait_for("awaiting_pin")
    kiosk.type_pin("1234").wait_for("result")
    kiosk.page.locator("#kazashi-stop").click()
    kiosk.wait_for("kazashi_set")


@pytest.mark.pcsc
def test_enrol_then_tap_in_a_real_reader(bare_kiosk: KioskPage, pcsc_demo: RunningDemo) -> None:
    secret = add_staff(pcsc_demo)
    bare_kiosk.open()
    before = identify(bare_kiosk, pcsc_demo)
    enrol(bare_kiosk)
    pcsc_demo.lift_card()
    bare_kiosk.wait_for("choosing_service")
    attend(bare_kiosk, secret)
    bare_kiosk.choose()
    pcsc_demo.put_card("midori")
    bare_kiosk.wait_for("result")
    assert bare_kiosk.stage.locator("#identifier").inner_text() == before
