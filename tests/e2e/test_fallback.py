"""The responder is out of reach: a manager opens the fallback, lists answer, and every screen says so."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from kiosk_web.state_file import load_json
from tests.e2e.kiosk_page import STEP_MILLISECONDS, KioskPage
from tests.support.demo import RunningDemo

pytestmark = pytest.mark.e2e

ATTEMPTS = 60
"""Each starts a program and takes the better part of a second."""


def run_kiosk(demo: RunningDemo, *words: str, check: bool = True) -> str:
    """`kiosk …` beside the running server."""
    command = [sys.executable, "-m", "kiosk_web", *words, f"--data={demo.data / 'kiosk'}"]
    return subprocess.run(command, check=check, capture_output=True, text=True, encoding="utf-8").stdout


def wait_for_lists(demo: RunningDemo) -> None:
    """The server fetches them in the background, and from the very simulator that is about to be out of reach."""
    wanted = len(load_json(demo.data / "lists.json")["names"])
    for _ in range(ATTEMPTS):
        if len(json.loads(run_kiosk(demo, "crl", "show", "--json", check=False))["lists"]) == wanted:
            return
    pytest.fail("the demo has not fetched its lists")


@pytest.fixture
def closed_afterwards(demo: RunningDemo) -> Iterator[None]:
    yield
    run_kiosk(demo, "fallback", "close")


@pytest.fixture
def staff(browser: Browser, demo: RunningDemo) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    page.goto(demo.staff)
    yield page
    context.close()


def test_a_manager_lets_lists_answer_while_the_responder_is_out_of_reach(
    kiosk: KioskPage, demo: RunningDemo, staff: Page, closed_afterwards: None
) -> None:
    banner = staff.locator("#degraded .opening")
    wait_for_lists(demo)
    demo.set_faults(ocsp="refused")
    kiosk.open()
    expect(banner).to_have_count(0)

    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds")
    run_kiosk(demo, "fallback", "open", f"--until={until}", "--reason=障害のお知らせ", "--by=見本 花子")
    expect(banner).to_contain_text("管理者が始めました", timeout=STEP_MILLISECONDS)
    expect(banner).to_contain_text("障害のお知らせ")

    kiosk.choose("facility")
    demo.put_card("midori")
    kiosk.wait_for("awaiting_pin").type_pin(demo.person("midori").pin).wait_for("result")
    checked = kiosk.stage.locator("#checked")
    expect(checked).to_have_attribute("data-fallback", "manager")
    expect(checked).to_contain_text("確認先が休止中のため、失効情報の一覧（")
    kiosk.page.locator("#language-en").click()
    kiosk.wait_for_language("en")
    expect(checked).to_contain_text("confirmed by the revocation list of ")
    demo.lift_card()

    kiosk.wait_for("choosing_service").choose("facility")
    demo.put_card("ken")
    kiosk.wait_for("refused").wait_for_code("certificate_on_hold")
    demo.lift_card()
    kiosk.start_again()

    run_kiosk(demo, "fallback", "close")
    expect(banner).to_have_count(0, timeout=STEP_MILLISECONDS)
    kiosk.choose("facility")
    demo.put_card("midori")
    kiosk.wait_for("refused").wait_for_code("status_unavailable")
