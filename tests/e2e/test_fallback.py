"""The responder is out of reach: a manager opens the fallback, lists answer, and every screen says so."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.kiosk_page import STEP_MILLISECONDS, KioskPage
from tests.support.demo import RunningDemo

pytestmark = pytest.mark.e2e


def run_fallback(demo: RunningDemo, *words: str) -> str:
    """`kiosk fallback …` beside the running server."""
    command = [sys.executable, "-m", "kiosk_web", "fallback", *words, f"--data={demo.data / 'kiosk'}"]
    return subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout


@pytest.fixture
def closed_afterwards(demo: RunningDemo) -> Iterator[None]:
    yield
    run_fallback(demo, "close")


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
    demo.set_faults(ocsp="refused")
    kiosk.open()
    expect(banner).to_have_count(0)

    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds")
    run_fallback(demo, "open", f"--until={until}", "--reason=障害のお知らせ", "--by=見本 花子")
    expect(banner).to_contain_text("管理者が始めました", timeout=STEP_MILLISECONDS)
    expect(banner).to_contain_text("障害のお知らせ")
    kiosk.wait_for_text("確認できないことがあります")  # on the tile of the service that needs the responder

    kiosk.choose("facility")
    demo.put_card("hanako")
    kiosk.wait_for("awaiting_pin").type_pin(demo.person("hanako").pin).wait_for("result")
    checked = kiosk.stage.locator("#checked")
    expect(checked).to_have_attribute("data-fallback", "manager")
    expect(checked).to_contain_text("確認先が休止中のため、失効情報の一覧(")
    kiosk.page.locator("#language-en").click()
    kiosk.wait_for_language("en")
    expect(checked).to_contain_text("confirmed by the revocation list of ")
    demo.lift_card()

    kiosk.wait_for("choosing_service").choose("facility")
    demo.put_card("jiro")
    kiosk.wait_for("refused").wait_for_code("certificate_on_hold")
    demo.lift_card()
    kiosk.start_again()

    run_fallback(demo, "close")
    expect(banner).to_have_count(0, timeout=STEP_MILLISECONDS)
    kiosk.choose("facility")
    demo.put_card("hanako")
    kiosk.wait_for("refused").wait_for_code("status_unavailable")
