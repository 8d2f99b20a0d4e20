"""A resident signs in at a city's home page: real browser, real bridge in personal mode, its real window under X11."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

pytest.importorskip("Xlib", reason="the extra `wedge` is not installed")
pytest.importorskip("tkinter", reason="this Python has no Tk")

from tests.e2e.kiosk_page import STEP_MILLISECONDS
from tests.support import x11
from tests.support.demo import RunningDemo, start_demo
from tests.support.personal import Hand

pytest_plugins = ["tests.support.desktop"]
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(x11.find_missing_program() is not None, reason=f"{x11.find_missing_program()} is missing"),
]
OPEN_SOCKET = """bridge => new Promise((done) => {
  const socket = new WebSocket(bridge, "kiosk-personal.v1");
  socket.onopen = () => done("open");
  socket.onclose = () => done("refused");
})"""
OPEN_IN_A_SANDBOX = """bridge => new Promise((done) => {
  addEventListener("message", (event) => done(event.data));
  const frame = document.createElement("iframe");
  frame.sandbox = "allow-scripts";
  frame.srcdoc = `<script>
    const socket = new WebSocket(${JSON.stringify(bridge)}, "kiosk-personal.v1");
    socket.onopen = () => parent.postMessage("open", "*");
    socket.onclose = () => parent.postMessage("refused", "*");
  </script>`;
  document.body.append(frame);
})"""


@pytest.fixture(scope="module")
def home(display: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """A demo on a computer with a desktop."""
    with start_demo(tmp_path_factory.mktemp("home"), display=display) as running:
        yield running


@pytest.fixture
def browser_page(browser: Browser, home: RunningDemo) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(home.homepage)
    yield page
    context.close()


def test_the_window_takes_the_pin_and_the_page_gets_the_pseudonym(
    browser_page: Page, home: RunningDemo, hand: Hand
) -> None:
    asked: list[str] = []
    browser_page.on("request", lambda request: asked.append(request.post_data or ""))
    browser_page.on("websocket", lambda socket: socket.on("framesent", lambda frame: asked.append(str(frame))))
    pin = home.person("midori").pin

    browser_page.locator("#login").click()
    assert hand.await_window("本人確認の求め").endswith(home.homepage)
    browser_page.locator("#stop").click()
    expect(browser_page.locator("#state")).to_have_attribute("data-trouble", "cancelled")
    hand.await_no_window()

    home.put_card_at_home("midori")
    browser_page.locator("#login").click()
    hand.await_window("本人確認の求め")
    hand.click_button()
    hand.await_window("暗証番号を入力してください")
    hand.await_button()
    hand.press(*pin, "Return")
    browser_page.wait_for_url("**/mypage", timeout=STEP_MILLISECONDS)
    assert len(browser_page.locator("#ppid").inner_text().replace(" ", "")) == 24
    assert "青葉" not in browser_page.content()
    hand.await_no_window()
    assert asked
    assert not [said for said in asked if f'"{pin}"' in said]


def test_other_pages_of_the_same_computer_get_no_window(browser: Browser, home: RunningDemo, hand: Hand) -> None:
    bridge = home.personal
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(home.facility)
    assert page.evaluate(OPEN_SOCKET, bridge) == "refused"
    page.goto(home.homepage)
    assert page.evaluate(OPEN_IN_A_SANDBOX, bridge) == "refused", "a sandboxed frame has no origin of its own"
    assert page.evaluate(OPEN_SOCKET, bridge) == "open"
    assert page.evaluate(OPEN_SOCKET, bridge.replace("127.0.0.1", "localhost")) == "refused"
    assert hand.find_titles() == []
    context.close()
