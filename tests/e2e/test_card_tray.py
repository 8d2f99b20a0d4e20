"""The card tray in a real browser: clicks, the strict policy, both widths."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Browser, Page, Route, expect

from kiosk_web.simulator.settings import SimulatorSettings
from tests.kiosk_web.simulator.conftest import Running, serving

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(SimulatorSettings(tmp_path_factory.mktemp("tray") / "simulator")) as running:
        yield running


@pytest.fixture
def troubles(page: Page) -> list[str]:
    """What the browser complained about: a refused script or style shows here."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def placed(simulator: Running) -> object:
    return json.loads(Path(simulator.folder, "reader.json").read_text("utf-8"))["profile"]


def test_a_click_puts_a_card_on_the_reader_and_the_next_takes_it(
    simulator: Running, page: Page, troubles: list[str]
) -> None:
    page.goto(simulator.ready.tray)
    first = page.locator(".tile-card").first
    expect(first.locator(".tries")).to_have_text("残り 3 回")
    first.click()
    expect(first).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#reader-state")).to_contain_text("青葉　みどり")
    assert placed(simulator) == "cards/midori"
    page.locator('[data-person="taro"] .tile-card').click()
    expect(first).to_have_attribute("aria-pressed", "false")
    assert placed(simulator) == "cards/taro"
    page.locator('[data-person="taro"] .tile-card').click()
    expect(page.locator("#lift")).to_be_hidden()
    assert placed(simulator) is None
    assert troubles == []


def test_faults_are_switched_and_restore_clears_them(simulator: Running, page: Page, troubles: list[str]) -> None:
    page.goto(simulator.ready.tray)
    with page.expect_response("**/faults"):
        page.get_by_role("radio", name="古い応答").check(force=True)
    with page.expect_response("**/faults"):
        page.get_by_role("radio", name="応答しない").check(force=True)
    assert simulator.tray.get("/faults").json() == {"card": "mute", "ocsp": "stale"}
    with page.expect_response("**/restore"):
        page.locator("#restore").click()
    assert simulator.tray.get("/faults").json() == {"card": None, "ocsp": None}
    expect(page.locator('input[name="ocsp"][value=""]')).to_be_checked()
    assert troubles == []


def test_an_answer_from_before_a_click_does_not_undo_it(simulator: Running, page: Page) -> None:
    page.goto(simulator.ready.tray)
    held: list[tuple[Route, APIResponse]] = []
    with page.expect_request("**/state"):
        page.route("**/state", lambda route: held.append((route, route.fetch())))
    while not held:
        page.wait_for_timeout(10)
    radio = page.get_by_role("radio", name="応答しない")
    with page.expect_response("**/faults"):
        radio.check(force=True)
    old, answer = held[0]
    assert answer.json()["faults"] == {"card": None, "ocsp": None}
    with page.expect_event("requestfinished", lambda request: request.url.endswith("/state")):
        old.fulfill(response=answer)
    page.evaluate("new Promise((shown) => requestAnimationFrame(() => setTimeout(shown)))")
    assert radio.is_checked()
    page.unroute_all(behavior="ignoreErrors")
    simulator.tray.post("/restore").raise_for_status()


def test_what_changes_elsewhere_shows_without_a_reload(simulator: Running, page: Page) -> None:
    page.goto(f"{simulator.ready.tray}/?lang=en")
    tile = page.locator('[data-person="haruto"]')
    expect(tile.locator(".certificate")).to_have_text("valid")
    simulator.tray.post("/people/haruto/hold").raise_for_status()
    Path(simulator.folder, "cards/haruto/counters.json").write_text('{"version": 1, "auth_pin": 0}', "utf-8")
    expect(tile.locator(".certificate")).to_have_text("on hold")
    expect(tile.locator(".tries")).to_have_text("Locked")
    simulator.tray.post("/restore").raise_for_status()
    expect(tile.locator(".tries")).to_have_text("3 tries left")


def test_a_refused_command_says_so_in_words(simulator: Running, page: Page) -> None:
    page.goto(simulator.ready.tray)
    tile = page.locator('[data-person="sakura"]')
    tile.locator("summary").click()
    tile.locator('[data-action="revoke"]').click()
    expect(page.get_by_role("alert")).to_contain_text("この操作はできません")


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_is_cut_off_at_any_width(simulator: Running, browser: Browser, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    for path in ("/", "/?lang=en"):
        page.goto(simulator.ready.tray + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
