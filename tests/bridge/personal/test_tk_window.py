"""The real bridge with its real window under a real X server, and a hand at the keyboard."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("Xlib", reason="the extra `wedge` is not installed")
pytest.importorskip("tkinter", reason="this Python has no Tk")

from tests.support import x11
from tests.support.personal import (
    HOME_PAGE,
    Hand,
    RunningBridge,
    asking,
    build_identify,
    running_bridge,
)
from tests.support.profiles import PIN, write_profile, write_reader

pytest_plugins = ["tests.support.desktop"]
pytestmark = [
    pytest.mark.x11,
    pytest.mark.skipif(x11.find_missing_program() is not None, reason=f"{x11.find_missing_program()} is missing"),
]
IDN = "https://xn--mihon-x43ik6d.example"


@pytest.fixture
def bridge(display: str, tmp_path: Path) -> Iterator[RunningBridge]:
    write_profile(tmp_path, "taro")
    write_reader(tmp_path, 1, None)
    with running_bridge(tmp_path, display=display) as running:
        yield running


def test_the_window_names_the_page_takes_the_pin_and_goes(bridge: RunningBridge, hand: Hand, tmp_path: Path) -> None:
    async def story() -> None:
        assert bridge.window == "", "the bridge's own window, and no page"
        async with asking(bridge.bridge) as page:
            await page.say(build_identify())
            assert (await page.hear())["type"] == "window_open"
            title = await asyncio.to_thread(hand.await_window, "本人確認の求め")
            assert title == f"本人確認の求め — {HOME_PAGE}"
            await asyncio.to_thread(hand.click_button)
            await asyncio.to_thread(hand.await_window, "カードを置いてください")
            write_reader(tmp_path, 2, "cards/taro")
            await asyncio.to_thread(hand.await_window, "暗証番号を入力してください")
            await asyncio.to_thread(hand.await_button)
            await asyncio.to_thread(hand.press, *PIN, "Return")
            assert await page.hear_end() == ""
        await asyncio.to_thread(hand.await_no_window)

    asyncio.run(story())
    assert PIN not in bridge.log.read_text()


def test_keys_meant_for_another_window_agree_to_nothing(bridge: RunningBridge, hand: Hand) -> None:
    async def story() -> None:
        async with asking(bridge.bridge, IDN) as page:
            await page.say(build_identify(IDN))
            await page.hear()
            assert (await asyncio.to_thread(hand.await_window, "本人確認の求め")).endswith(IDN)
            await asyncio.to_thread(hand.press, *PIN, "Return", "space", "Return")
            await asyncio.to_thread(hand.press, "Escape")
            assert await page.hear_end() == "cancelled"
        await asyncio.to_thread(hand.await_no_window)

    asyncio.run(story())


def test_a_page_that_goes_closes_the_window(bridge: RunningBridge, hand: Hand) -> None:
    async def story() -> None:
        async with asking(bridge.bridge) as page:
            await page.say(build_identify())
            await page.hear()
            await asyncio.to_thread(hand.await_window, "本人確認の求め")
        await asyncio.to_thread(hand.await_no_window)

    asyncio.run(story())


def test_without_a_desktop_it_does_not_start(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bridge", "personal", "--pcsc", "--port=0"]
    ended = subprocess.run(command, capture_output=True, text=True, env={"PATH": "/usr/bin"}, check=False)
    assert ended.returncode == 3
    assert ended.stderr.startswith("kiosk-bridge: no window can be opened: start the bridge inside the desktop session")
