"""The whole way of a number: card, browser, server, signed ticket, bridge, and the library's own window."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kiosk_web.adapters.clock import read_clock
from kiosk_web.adapters.store.database import SqlStore
from tests.e2e.kiosk_page import STEP_MILLISECONDS, KioskPage
from tests.support import x11
from tests.support.demo import RunningDemo, start_demo

pytestmark = pytest.mark.e2e
NUMBER = "2026041828"


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


def test_the_number_types_itself_into_the_librarys_window(page: Page, tmp_path: Path) -> None:
    missing = x11.find_missing_program()
    if missing is not None:
        pytest.skip(f"{missing} is missing")
    rules = 'output = "wedge"\n[[windows]]\nprocess = "xterm"\ntitle = "Loans*"\n'
    with x11.running_server() as display, ExitStack() as windows:
        loans, mail = (
            windows.enter_context(closing(x11.Window(display, tmp_path, title))) for title in ("Loans desk 1", "Mail")
        )
        with demo_with(tmp_path, rules, display) as demo:
            kiosk = KioskPage(page, demo.kiosk)
            kiosk.open()
            visit_library(kiosk, demo)
            link_visitor(kiosk, demo)
            demo.lift_card()
            kiosk.wait_for("choosing_service")
            mail.focus()
            visit_library(kiosk, demo)
            expect(page.locator("#number")).to_have_attribute("data-status", "ready", timeout=STEP_MILLISECONDS)
            loans.focus()  # the librarian comes back to the library system
            expect(page.locator("#number")).to_have_attribute("data-status", "sent", timeout=STEP_MILLISECONDS)
            loans.await_typed(NUMBER + "\r")
            assert mail.typed == ""
            assert NUMBER not in page.content()
            page.locator("#number-show").click()
            expect(page.locator("#number-shown svg")).to_be_visible()
            demo.lift_card()
            kiosk.wait_for("choosing_service")
            assert page.locator("#number-shown").count() == 0
            assert NUMBER not in demo.read_logs()
