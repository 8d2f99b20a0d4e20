"""The whole way of a number: card, browser, server, signed ticket, bridge, and the window of the library's own program.
Then the narrow window at a counter: a real window manager, a browser with a real window, and the library's window that
keeps the keyboard.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserType, Page, expect

from kiosk_web.adapters.clock import read_clock
from kiosk_web.adapters.store.database import SqlStore
from tests.e2e.conftest import build_arguments, find_chromium
from tests.e2e.kiosk_page import STEP_MILLISECONDS, KioskPage
from tests.e2e.test_kazashi import add_staff, attend, enrol
from tests.support import x11, x11_desk
from tests.support.demo import RunningDemo, start_demo
from tests.support.x11_desk import Desk, FocusWatch

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.x11,
    pytest.mark.long,
    pytest.mark.skipif(
        x11_desk.find_missing_program() is not None, reason=f"{x11_desk.find_missing_program()} is missing"
    ),
]

NUMBER = "2026041828"
WIDTH, HEIGHT = 1920, 1080
NARROW = 420
PLACE = (WIDTH - NARROW, 0, NARROW, HEIGHT)
WINDOW_CLASS = "kiosk-resident"
RULES = 'output = "wedge"\n[[windows]]\nprocess = "xterm"\ntitle = "Loans*"\n'
OTHER_DESKTOPS = ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE")
TITLE = "マイナンバーカード受付"  # the end of every screen's
NO_BAR = "--test-type"  # else a bar above the page warns of the missing sandbox of root
COUNT_KEYS = "() => { window.keys = 0; addEventListener('keydown', () => { window.keys += 1; }, true); }"


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter PC: its screen, the library system in front, and the demo behind the page."""

    display: str
    desk: Desk
    library: x11.Window
    demo: RunningDemo

    def click_library(self) -> None:
        """As the librarian does, into the field."""
        x, y, width, height = self.desk.place_of(self.library.id)
        self.desk.click(x + width // 2, y + height // 2)
        x11.wait_for(lambda: self.desk.active == self.library.id)

    def touch(self, page: Page, window: int, selector: str) -> None:
        """As the resident does, with the mouse or a finger where the page shows it."""
        target = page.locator(selector).first
        target.click(trial=True)  # waits until nothing moves any more
        box = target.bounding_box()
        assert box is not None
        x, y, _, height = self.desk.place_of(window)
        above = height - page.evaluate("innerHeight")  # what the browser itself shows there
        self.desk.click(round(x + box["x"] + box["width"] / 2), round(y + above + box["y"] + box["height"] / 2))


@contextmanager
def demo_with(folder: Path, rules: str, display: str = "") -> Iterator[RunningDemo]:
    """A demo whose bridge has these rules of hand-over."""
    state = folder / "data" / "bridge"
    state.mkdir(parents=True, mode=0o700)
    (state / "output.toml").write_text(rules, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("XDG_SESSION_TYPE", raising=False)
        with start_demo(folder, display=display) as running:
            yield running


def visit_library(kiosk: KioskPage, demo: RunningDemo, person: str = "midori") -> None:
    """Up to the result; the card stays."""
    kiosk.choose("library")
    demo.put_card(person)
    kiosk.wait_for("awaiting_pin").type_pin(demo.person(person).pin).wait_for("result")


def link_visitor(kiosk: KioskPage, demo: RunningDemo) -> None:
    """As the link desk does it, by the reference number on the screen."""
    reference = kiosk.stage.locator("#reference").inner_text()

    async def link() -> None:
        store = SqlStore(demo.data / "kiosk")
        try:
            async with store.write() as transaction:
                visit = await transaction.links.find_visit(reference, read_clock())
                assert visit is not None
                await transaction.links.add(visit.system, visit.person, NUMBER, "desk", read_clock())
        finally:
            await store.close()

    # Playwright has this thread's event loop
    with ThreadPoolExecutor(1) as beside:
        beside.submit(lambda: asyncio.run(link())).result()


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Counter]:
    """With one person whose number is linked."""
    folder = tmp_path_factory.mktemp("counter")
    with (
        x11.running_server(f"{WIDTH}x{HEIGHT}") as display,
        x11_desk.running_manager(display) as desk,
        closing(x11.Window(display, folder, "Loans desk 1")) as library,
        demo_with(folder, RULES, display) as demo,
    ):
        page = browser.new_page()
        kiosk = KioskPage(page, demo.kiosk).open()
        visit_library(kiosk, demo)
        link_visitor(kiosk, demo)
        page.close()
        yield Counter(display, desk, library, demo)


def shows(browser: str, page: str) -> bool:
    """Has the browser got it? Its address is named as soon as it is asked for, its title once it is there.

    Who connects in between may wait for an answer for good.
    """
    with urlopen(f"{browser}/json/list", timeout=STEP_MILLISECONDS / 1000) as answer:
        return any(
            target["type"] == "page" and target["url"].startswith(page) and target["title"].endswith(TITLE)
            for target in json.load(answer)
        )


@contextmanager
def narrow_window(counter: Counter, browser_type: BrowserType) -> Iterator[Page]:
    """The page in the window that `kiosk-bridge window` keeps."""
    state = counter.demo.data / "bridge"
    environment = {name: value for name, value in os.environ.items() if name not in OTHER_DESKTOPS}
    command = [sys.executable, "-m", "bridge", "window", f"--state={state}", f"--width={NARROW}"]
    command += [f"--browser={found}"] if (found := find_chromium()) else []
    program = subprocess.Popen(
        [*command, "--", "--remote-debugging-port=0", NO_BAR, *build_arguments()],
        env={**environment, "DISPLAY": counter.display},
        stderr=subprocess.DEVNULL,
    )
    port = state / "browser" / "DevToolsActivePort"
    try:
        x11.wait_for(lambda: counter.desk.place_of(counter.desk.find(WINDOW_CLASS)) == PLACE)
        x11.wait_for(lambda: port.exists() and port.read_text().count("\n") > 0)
        address = f"http://127.0.0.1:{port.read_text().split()[0]}"
        x11.wait_for(lambda: shows(address, counter.demo.kiosk))
        started = browser_type.connect_over_cdp(address)
        x11.wait_for(lambda: started.contexts[0].pages)
        yield started.contexts[0].pages[0]
    finally:
        program.send_signal(signal.SIGTERM)
        assert program.wait(x11.PATIENCE_SECONDS) == 0


@contextmanager
def ordinary_window(counter: Counter, browser_type: BrowserType, folder: Path) -> Iterator[Page]:
    """The page in a window as any program opens one."""
    context = browser_type.launch_persistent_context(
        folder,
        headless=False,
        executable_path=find_chromium(),
        env={**os.environ, "DISPLAY": counter.display},
        no_viewport=True,
        args=[
            *build_arguments(),
            NO_BAR,
            f"--app={counter.demo.kiosk}",
            "--class=kiosk-ordinary",
            f"--window-size={NARROW},{HEIGHT}",
            f"--window-position={WIDTH - NARROW},0",
        ],
    )
    yield context.pages[0]
    context.close()


def type_pin(counter: Counter, page: Page, window: int, pin: str) -> None:
    for typed, digit in enumerate(pin, start=1):
        counter.touch(page, window, f"[data-digit='{digit}']")
        expect(page.locator("#pin-dots .is-filled")).to_have_count(typed, timeout=STEP_MILLISECONDS)
    counter.touch(page, window, "[data-key='confirm']")


def visit(counter: Counter, kiosk: KioskPage, window: int) -> None:
    """Up to the result, by touch alone; the card stays."""
    counter.touch(kiosk.page, window, "[data-service='library']")
    kiosk.wait_for("awaiting_card")
    counter.demo.put_card("midori")
    kiosk.wait_for("awaiting_pin")
    type_pin(counter, kiosk.page, window, counter.demo.person("midori").pin)
    kiosk.wait_for("result")


def expect_status(page: Page, status: str) -> None:
    expect(page.locator("#number")).to_have_attribute("data-status", status, timeout=STEP_MILLISECONDS)


def test_the_number_types_itself_into_the_librarys_window(counter: Counter, page: Page, tmp_path: Path) -> None:
    library, demo = counter.library, counter.demo
    demo.restore()
    before = library.typed
    with closing(x11.Window(counter.display, tmp_path, "Mail")) as mail:
        x11.wait_for(lambda: counter.desk.active == mail.id)
        kiosk = KioskPage(page, demo.kiosk).open()
        visit_library(kiosk, demo)
        expect_status(page, "ready")
        counter.click_library()  # the librarian comes back to the library system
        expect_status(page, "sent")
        library.await_typed(before + NUMBER + "\r")
        assert mail.typed == ""
        assert NUMBER not in page.content()
        page.locator("#number-show").click()
        expect(page.locator("#number-shown svg")).to_be_visible()
        demo.lift_card()
        kiosk.wait_for("choosing_service")
        assert page.locator("#number-shown").count() == 0
        assert NUMBER not in demo.read_logs()


def test_the_narrow_window_is_always_seen_and_never_takes_the_keyboard(counter: Counter, browser: Browser) -> None:
    desk, library, demo = counter.desk, counter.library, counter.demo
    demo.restore()
    before = library.typed
    counter.click_library()
    with narrow_window(counter, browser.browser_type) as page:
        kiosk = KioskPage(page, demo.kiosk).wait_for("choosing_service")
        window = desk.find(WINDOW_CLASS)
        x11.wait_for(lambda: desk.active == library.id and desk.place_of(window) == PLACE)
        x11.wait_for(lambda: page.evaluate("[innerWidth, innerHeight]") == [NARROW, HEIGHT])
        with closing(FocusWatch(counter.display, library.id)) as watch:
            visit(counter, kiosk, window)
            expect_status(page, "sent")  # nobody touched the library's window
            library.await_typed(before + NUMBER + "\r")
            enrol(kiosk)
            demo.lift_card()
            kiosk.wait_for("choosing_service")
            attend(kiosk, add_staff(demo))
            counter.touch(page, window, "[data-service='library']")
            demo.put_card("midori")  # a tap
            kiosk.wait_for("result")
            expect_status(page, "sent")
            library.await_typed(before + 2 * (NUMBER + "\r"))
            assert watch.count_losses() == 0
        assert desk.active == library.id
        placed = desk.place_of(library.id)
        desk.maximise(library.id)  # what the library system fills ends where the narrow window begins
        x11.wait_for(lambda: WIDTH - NARROW - 20 < sum(desk.place_of(library.id)[::2]) <= WIDTH - NARROW)
        counter.click_library()
        assert desk.stacking[-1] == window
        desk.maximise(library.id, on=False)
        x11.wait_for(lambda: desk.place_of(library.id) == placed)
        demo.lift_card()
        kiosk.wait_for("choosing_service")
        page.locator("#staff-out").click()
        page.locator("#staff").wait_for()


def test_an_ordinary_window_takes_it_with_a_touch_and_the_number_waits_for_the_librarian(
    counter: Counter, browser: Browser, tmp_path: Path
) -> None:
    desk, library, demo = counter.desk, counter.library, counter.demo
    demo.restore()
    before = library.typed
    with ordinary_window(counter, browser.browser_type, tmp_path) as page:
        kiosk = KioskPage(page, demo.kiosk).wait_for("choosing_service")
        window = desk.find("kiosk-ordinary")
        counter.click_library()
        with closing(FocusWatch(counter.display, library.id)) as watch:
            laid = page.locator("#scene-choosing_service .notice--good")
            demo.put_card("midori")
            expect(laid).to_have_count(1, timeout=STEP_MILLISECONDS)
            assert watch.count_losses() == 0  # a card alone brings no window to the front
            demo.lift_card()
            expect(laid).to_have_count(0, timeout=STEP_MILLISECONDS)
        visit(counter, kiosk, window)
        assert desk.active == window
        page.evaluate(COUNT_KEYS)
        expect_status(page, "ready")
        assert library.typed == before
        counter.click_library()
        expect_status(page, "sent")
        library.await_typed(before + NUMBER + "\r")
        assert page.evaluate("window.keys") == 0
        demo.lift_card()
        kiosk.wait_for("choosing_service")
