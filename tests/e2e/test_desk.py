"""The demo desk in a real browser: every panel on one page, and each scene reached by what really happens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.e2e.kiosk_page import STEP_MILLISECONDS as STEP
from tests.support.demo import RunningDemo, start_demo

pytestmark = pytest.mark.e2e
NUMBER = "2026041828"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDemo]:
    """One of its own: the scenes enrol and link people, who would be known to the tests after them."""
    with start_demo(tmp_path_factory.mktemp("desk")) as running:
        yield running


@pytest.fixture
def desk(browser: Browser, demo: RunningDemo) -> Iterator[Page]:
    """The desk, opened; nothing that it shows may break the policies."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, reduced_motion="reduce")
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "Security Policy" in message.text else None)
    page.goto(demo.desk)
    kiosk_in(page).locator("#stage[data-state='choosing_service']").wait_for(timeout=STEP)
    yield page
    context.close()
    assert refused == []


def kiosk_in(desk: Page) -> FrameLocator:
    return desk.frame_locator("#kiosk")


def prepare(desk: Page, step: int) -> None:
    desk.locator(f"#step-{step} button").click()
    expect(desk.locator(f"#step-{step}")).to_have_attribute("data-prepared", "true", timeout=STEP)


def expect_reached(desk: Page, step: int) -> None:
    expect(desk.locator(f"#step-{step}")).to_have_attribute("data-state", "reached", timeout=STEP)


def wait_for(desk: Page, state: str) -> None:
    kiosk_in(desk).locator(f"#stage[data-state='{state}']").wait_for(timeout=STEP)


def begin(desk: Page, service: str) -> None:
    kiosk_in(desk).locator(f"[data-service='{service}']").click()


def type_pin(desk: Page, pin: str) -> None:
    wait_for(desk, "awaiting_pin")
    desk.keyboard.type(pin)
    desk.keyboard.press("Enter")


def leave(desk: Page, demo: RunningDemo) -> None:
    demo.lift_card()
    kiosk_in(desk).locator("#finish").or_(kiosk_in(desk).locator("[data-service]").first).first.wait_for(timeout=STEP)
    kiosk_in(desk).locator("body").evaluate("() => document.getElementById('finish')?.click()")
    wait_for(desk, "choosing_service")


def sign_in(desk: Page) -> None:
    """With the number and the code that the desk tells."""
    kiosk = kiosk_in(desk)
    kiosk.locator("#staff").click()
    wait_for(desk, "staff_sign_in")
    for name in ("number", "code"):
        for digit in desk.locator(f"#attendant-{name}").inner_text():
            kiosk.locator(f"#staff-key-{digit}").click()
        kiosk.locator("#staff-confirm").click()
    wait_for(desk, "choosing_service")
    expect(desk.locator("#attended")).to_have_text("あり", timeout=STEP)


def sign_in_at_home(desk: Page, demo: RunningDemo, person: str) -> None:
    """At the city's home page; the page that stands for the window names it and takes the 暗証番号."""
    home, window = desk.frame_locator("#homepage"), desk.frame_locator("#window")
    home.locator("#login").click()
    expect(window.locator("#origin")).to_have_text(demo.homepage, timeout=STEP)
    window.locator("#primary").click()
    window.locator("#typed").fill(demo.person(person).pin)
    window.locator("#primary").click()


def enrol(desk: Page) -> None:
    """17 April of 昭和 63, by keys."""
    kiosk = kiosk_in(desk)
    kiosk.locator("#kazashi").click()
    kiosk.locator("#agree").click()
    wait_for(desk, "awaiting_birth")
    kiosk.locator("#era-showa").click()
    year, rest = (("year", "PageUp", 2), ("year", "ArrowUp", 3)), (("day", "PageUp", 1), ("day", "ArrowUp", 6))
    for name, key, times in (*year, ("month", "ArrowUp", 3), *rest):
        for _ in range(times):
            kiosk.locator(f"#{name}-up").press(key)
    kiosk.locator("#birth-confirm").click()
    wait_for(desk, "kazashi_set")


def link(desk: Page) -> str:
    """The number of the old card, typed, and confirmed with the code that the desk tells, which is returned."""
    kiosk = kiosk_in(desk)
    kiosk.locator("#link").click()
    wait_for(desk, "entering_number")
    for digit in NUMBER:
        kiosk.locator(f"#number-key-{digit}").click()
    kiosk.locator("#number-confirm").click()
    wait_for(desk, "confirming_link")
    code = desk.locator("#attendant-code").inner_text()
    kiosk.locator("#staff-number").fill(desk.locator("#attendant-number").inner_text())
    kiosk.locator("#staff-code").fill(code)
    kiosk.locator("#staff-confirm").click()
    wait_for(desk, "result")
    kiosk.locator("#number[data-status='sent']").wait_for(timeout=STEP)
    return code


def test_the_scenes_that_work_are_reached_by_what_happens(desk: Page, demo: RunningDemo) -> None:
    library, home = desk.frame_locator("#library"), desk.frame_locator("#homepage")
    assert desk.locator(".step[data-state='reached']").count() == 0

    prepare(desk, 1)
    begin(desk, "library")
    type_pin(desk, "1234")
    wait_for(desk, "result")
    used = link(desk)
    expect_reached(desk, 1)
    enrol(desk)
    leave(desk, demo)

    prepare(desk, 4)
    begin(desk, "library")
    type_pin(desk, "1234")
    wait_for(desk, "refused")
    expect_reached(desk, 4)
    leave(desk, demo)

    prepare(desk, 5)
    begin(desk, "facility-registration")
    type_pin(desk, demo.person("takako").pin)
    wait_for(desk, "consenting")
    kiosk_in(desk).locator("#agree").click()
    type_pin(desk, demo.person("takako").pin)
    wait_for(desk, "awaiting_text")
    kiosk_in(desk).locator("#text-other").click()
    kiosk_in(desk).locator("#pad").wait_for(timeout=STEP)
    desk.keyboard.type("5678")
    desk.keyboard.press("Enter")
    wait_for(desk, "basic_four_sent")
    expect_reached(desk, 5)
    expect(desk.frame_locator("#facility").locator("#name")).to_have_text("𠮷野　髙子", timeout=STEP)
    expect(desk.frame_locator("#facility").locator("#number")).to_have_text("30410001", timeout=STEP)
    leave(desk, demo)

    prepare(desk, 6)
    sign_in_at_home(desk, demo, "takako")
    expect(home.locator("#number")).to_have_text("30410001", timeout=STEP)
    expect(home.locator("#standing")).to_have_attribute("data-items", "good")
    expect_reached(desk, 6)
    home.locator("text=ログアウト").click()

    prepare(desk, 7)
    begin(desk, "facility")
    type_pin(desk, demo.person("nagisa").pin)
    wait_for(desk, "result")
    expect_reached(desk, 7)
    leave(desk, demo)
    prepare(desk, 7)
    sign_in_at_home(desk, demo, "nagisa")
    expect(home.locator("#standing")).to_have_attribute("data-items", "act", timeout=STEP)
    home.locator("#confirm").click()
    expect(home.locator("#recorded")).to_be_visible(timeout=STEP)

    prepare(desk, 8)
    begin(desk, "facility")
    wait_for(desk, "refused")
    expect_reached(desk, 8)
    leave(desk, demo)

    expect(desk.locator("#attendant-code")).not_to_have_text(used)  # each works once, for half a minute
    sign_in(desk)
    prepare(desk, 2)
    begin(desk, "library")
    demo.put_card("midori")
    wait_for(desk, "result")
    expect(library.locator("#number")).to_have_value(NUMBER, timeout=STEP)
    expect(library.locator("#name")).to_have_text("青葉　みどり", timeout=STEP)
    expect_reached(desk, 2)
    leave(desk, demo)
    kiosk_in(desk).locator("#staff-out").click()
    kiosk_in(desk).locator("#staff").wait_for(timeout=STEP)

    begin(desk, "library")
    demo.put_card("midori")
    wait_for(desk, "awaiting_pin")
    expect_reached(desk, 3)
    leave(desk, demo)

    for seen, state in enumerate(("refused", "refused", "result"), 1):
        prepare(desk, 9)
        begin(desk, "library")
        if state == "result":
            type_pin(desk, demo.person("taro").pin)
        wait_for(desk, state)
        expect(desk.locator("#step-9")).to_have_attribute("data-seen", str(seen), timeout=STEP)
        leave(desk, demo)
    expect_reached(desk, 9)
    prepare(desk, 10)
    kiosk_in(desk).locator("#help").click()
    expect_reached(desk, 10)


def test_each_neighbour_says_in_its_own_window_that_it_is_a_demo(page: Page, demo: RunningDemo) -> None:
    page.set_viewport_size({"width": 480, "height": 120})
    for address in (demo.library, demo.facility, demo.homepage):
        page.goto(address)
        ribbon = page.locator("body > .ribbon")
        expect(ribbon).to_have_text("デモ環境・架空のデータ / DEMO")
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.wait_for_function("scrollY > 0")
        where = ribbon.bounding_box()
        assert where is not None
        assert (where["x"], where["y"], where["width"]) == (0, 0, page.evaluate("document.body.clientWidth"))


def test_the_desk_in_english_has_its_neighbours_in_english(page: Page, demo: RunningDemo) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(f"{demo.desk}/?lang=en")
    expect(page.frame_locator("#library").locator("#message")).to_have_text("Scan a barcode or type a number.")
    expect(page.frame_locator("#facility").locator("h1")).to_have_text("Facility booking")
    expect(page.frame_locator("#homepage").locator("h1")).to_have_text("My page")
    expect(page.frame_locator("#tray").locator("[data-person='midori'] .tile-name").first).to_have_text("Midori Aoba")
    page.goto(f"{demo.library}/?lang=en")
    page.locator("#number").fill("2026041851")
    page.locator("#look-up button").first.click()
    expect(page.locator("#counts")).to_have_text("On loan: 1, reserved: 0")
    page.locator("#language").click()
    expect(page.locator("#message")).to_have_text("バーコードを読み取るか、番号を入力してください。")
