"""A whole bridge hands a number over: signed ticket in, keys or bytes out, and nothing of it in the log."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

pytest.importorskip("serial", reason="the extra `serial` is not installed")

from bridge.errors import CardRemoved
from bridge.output.desk import OutputDesk, open_no_keyboard
from bridge.output.errors import WindowLost
from bridge.output.keyboard import Allow, FocusedWindow, Keyboard
from bridge.output.settings import OutputSettings, WindowRule
from bridge.output.typist import OutputEnded, Typist
from tests.bridge.page import Bridge, Message, Page, running_bridge

NUMBER = "20260418AZ"
LIBRARY = OutputSettings(kind="wedge", inter_key_ms=0, windows=(WindowRule("loans", "Loans*"),))


class Desktop:
    """Stands for the desktop. `typed` is what the window got; `on_key` runs before each key."""

    def __init__(self) -> None:
        self.focus: FocusedWindow | None = FocusedWindow(1, "loans", "Loans - desk 1")
        self.typed = ""
        self.closed = False
        self.looked: asyncio.Event | None = None
        self.stays_for = 10**6

    def read_focus(self) -> FocusedWindow | None:
        return self.focus

    def prepare(self, keys: str) -> None:
        assert keys

    def press(self, key: str, _window: int, allow: Allow) -> bool:
        if len(self.typed) >= self.stays_for or self.focus is None or not allow(self.focus.process, self.focus.title):
            raise WindowLost
        self.typed += key
        return True

    def close(self) -> None:
        self.closed = True


@asynccontextmanager
async def page_on(folder: Path, settings: OutputSettings, desktop: Keyboard | None = None) -> AsyncIterator[Page]:
    def open_keyboard() -> Keyboard:
        return desktop if desktop is not None else open_no_keyboard()

    outputs = OutputDesk(settings, open_keyboard=open_keyboard)
    async with running_bridge(folder, outputs=outputs) as bridge, Page.verified(bridge) as page:
        bridge.lay("cards/taro")
        await page.expect_card("ours")
        yield page


async def hand_over(page: Page, **claims: Any) -> Message:
    ticket = page.bridge.authority.output(page.reader["instance"], NUMBER, **claims)
    await page.say("hand_over", ticket=ticket)
    return await page.expect("handed_over")


def test_the_serial_port_gets_the_number_as_from_a_barcode_reader(tmp_path: Path, cable: tuple[int, str]) -> None:
    theirs, device = cable

    async def check() -> None:
        settings = OutputSettings(kind="serial", device=device, prefix="A", trailer="A")
        async with page_on(tmp_path, settings) as page:
            answer = await hand_over(page)
            assert (answer["code"], answer["sent"]) == ("", len(NUMBER) + 3)
            assert await asyncio.to_thread(os.read, theirs, 100) == f"A{NUMBER}A\r".encode()

    asyncio.run(check())


def test_the_window_gets_the_number_and_the_log_does_not(tmp_path: Path) -> None:
    desktop = Desktop()

    async def check() -> None:
        async with page_on(tmp_path, LIBRARY, desktop) as page:
            answer = await hand_over(page, kind="wedge")
            assert (answer["code"], answer["sent"]) == ("", len(NUMBER) + 1)

    with capture_logs() as events:
        asyncio.run(check())
    assert desktop.typed == f"{NUMBER}\r"
    assert desktop.closed
    log = repr(events)  # before the net that masks: the code itself hands nothing over
    assert "output_ended" in log
    assert NUMBER not in log
    assert "Loans" not in log


def test_a_lost_focus_is_told_with_a_count(tmp_path: Path) -> None:
    desktop = Desktop()
    desktop.stays_for = 4

    async def check() -> None:
        async with page_on(tmp_path, LIBRARY, desktop) as page:
            answer = await hand_over(page, kind="wedge")
            assert (answer["code"], answer["sent"]) == ("output_window_lost", 4)

    asyncio.run(check())
    assert desktop.typed == NUMBER[:4]


@pytest.mark.parametrize(
    ("settings", "kind"),
    [(OutputSettings(), "wedge"), (OutputSettings(), "serial"), (LIBRARY, "serial")],
    ids=["none-wedge", "none-serial", "wedge-serial"],
)
def test_a_ticket_widens_nothing_that_this_computer_allows(tmp_path: Path, settings: OutputSettings, kind: str) -> None:
    desktop = Desktop()

    async def check() -> None:
        async with page_on(tmp_path, settings, desktop) as page:
            answer = await hand_over(page, kind=kind)
            assert (answer["code"], answer["sent"]) == ("output_not_allowed", 0)

    asyncio.run(check())
    assert desktop.typed == ""


async def _take_card(page: Page) -> None:
    page.bridge.lay(None)


async def _cancel(page: Page) -> None:
    await page.say("cancel")


@pytest.mark.parametrize(("end", "code"), [(_take_card, "card_removed"), (_cancel, "cancelled")])
def test_waiting_for_the_window_ends_with_the_card_and_with_the_page(tmp_path: Path, end: Any, code: str) -> None:
    desktop = Desktop()
    desktop.focus = FocusedWindow(2, "mail", "Inbox")

    async def check() -> None:
        async with page_on(tmp_path, LIBRARY, desktop) as page:
            ticket = page.bridge.authority.output(page.reader["instance"], NUMBER, kind="wedge")
            await page.say("hand_over", ticket=ticket)
            await end(page)
            answer = await page.expect("handed_over")
            assert (answer["code"], answer["sent"]) == (code, 0)

    asyncio.run(check())
    assert desktop.typed == ""


def test_before_each_key_it_is_asked_whether_the_card_still_lies_there() -> None:
    desktop = Desktop()

    def check() -> None:
        if len(desktop.typed) == 3:
            raise CardRemoved

    typist = Typist(desktop, LIBRARY, check=check, clock=lambda: 0.0, sleep=lambda _seconds: None)
    with pytest.raises(OutputEnded) as ended:
        typist.type_text(NUMBER)
    assert (ended.value.sent, ended.value.error.code, desktop.typed) == (3, "card_removed", NUMBER[:3])


def test_a_bridge_that_stops_types_no_further(tmp_path: Path) -> None:
    desktop = Desktop()
    desktop.focus = None
    stopped: list[Bridge] = []

    async def check() -> None:
        async with page_on(tmp_path, LIBRARY, desktop) as page:
            ticket = page.bridge.authority.output(page.reader["instance"], NUMBER, kind="wedge")
            await page.say("hand_over", ticket=ticket)
            await page.say("ping")
            await page.expect("pong")  # the ticket before it was taken in
            stopped.append(page.bridge)

    asyncio.run(check())
    assert stopped
    assert desktop.closed
    assert desktop.typed == ""
