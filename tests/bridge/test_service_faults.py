"""Cards that go, change or answer nonsense, pages that vanish, and what is left afterwards."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from bridge.card.transport import CardConnection, ReaderSnapshot, ReadersSnapshot, ReaderState
from bridge.errors import NotMyNumberCard
from bridge.strict_json import decode_base64url
from tests.bridge.page import Page, expect_failure, lay_and_succeed, page_with_card, running_bridge
from tests.support.profiles import PIN, write_profile


@pytest.mark.parametrize(
    ("switches", "code"),
    [
        ({"garbage": "truncated_certificate"}, "card_data_malformed"),
        ({"garbage": "not_der"}, "card_data_malformed"),
        ({"garbage": "wrong_length"}, "card_data_malformed"),
        ({"swap_after": {"exchanges": 4, "profile": "cards/midori"}}, "card_swapped"),
        ({"remove_after": 4}, "card_removed"),
    ],
)
def test_trouble_while_reading_has_its_name_and_the_next_visit_works(
    tmp_path: Path, switches: dict[str, Any], code: str
) -> None:
    async def visit() -> None:
        write_profile(tmp_path, "midori")
        async with page_with_card(tmp_path, switches=switches) as page:
            await page.say("read_certificate", ticket=page.challenge())
            await expect_failure(page, code)
            await lay_and_succeed(page, "cards/midori")

    asyncio.run(visit())


@pytest.mark.parametrize(
    ("switches", "code"),
    [
        ({"remove_on": "verify"}, "card_removed"),
        ({"remove_on": "sign"}, "card_removed"),
        ({"swap_on": {"command": "verify", "profile": "cards/midori"}}, "card_swapped"),
        ({"swap_on": {"command": "sign", "profile": "cards/midori"}}, "card_swapped"),
    ],
)
def test_a_card_that_goes_after_the_pin_leaves_no_signature(
    tmp_path: Path, switches: dict[str, Any], code: str
) -> None:
    async def visit() -> None:
        write_profile(tmp_path, "midori")
        async with page_with_card(tmp_path, switches=switches) as page:
            certificate, _ = await page.read_certificate()
            await page.say("authenticate")
            await page.enter_pin(PIN, certificate["challenge"])
            await expect_failure(page, code)
            await lay_and_succeed(page, "cards/midori")

    asyncio.run(visit())


@pytest.mark.parametrize(("profile", "code"), [(None, "card_removed"), ("cards/midori", "card_swapped")])
def test_a_card_that_goes_while_the_pin_is_typed_is_noticed_at_once(
    tmp_path: Path, profile: str | None, code: str
) -> None:
    async def visit() -> None:
        write_profile(tmp_path, "midori")
        async with page_with_card(tmp_path) as page:
            await page.read_certificate()
            page.bridge.lay(profile)
            await expect_failure(page, code)
            await lay_and_succeed(page, "cards/midori")

    asyncio.run(visit())


@pytest.mark.parametrize(
    ("switches", "word"),
    [({"foreign": True}, "unknown"), ({"mute": True}, "mute"), ({"garbage": "truncated_label"}, "unknown")],
)
def test_what_lies_there_is_told_apart(tmp_path: Path, switches: dict[str, Any], word: str) -> None:
    async def visit() -> None:
        codes = {"unknown": "not_my_number_card", "mute": "card_mute"}
        async with running_bridge(tmp_path, switches=switches) as bridge, Page.verified(bridge) as page:
            bridge.lay("cards/taro")
            instance = await page.expect_card(word)
            assert len(decode_base64url(instance)) == 16
            await page.say("read_certificate", ticket=page.challenge())
            await expect_failure(page, codes[word])

    asyncio.run(visit())


def test_a_card_with_an_old_first_command_is_still_ours(tmp_path: Path) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path, switches={"first_command_6f00": True}) as page:
            certificate, _ = await page.read_certificate()
            await page.say("authenticate")
            await page.enter_pin(PIN, certificate["challenge"])
            await page.expect("result")

    asyncio.run(visit())


def test_a_page_that_vanishes_lets_the_card_go(tmp_path: Path) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path) as page:
            await page.read_certificate()
            page.socket.transport.abort()
            async with Page.verified(page.bridge) as next_page:
                await next_page.expect_card("ours")
                await next_page.read_certificate()

    asyncio.run(visit())


def test_stopping_in_the_middle_of_a_visit_closes_the_page_and_ends_the_threads(tmp_path: Path) -> None:
    async def visit() -> None:
        async with running_bridge(tmp_path) as bridge, Page.verified(bridge) as page:
            bridge.lay("cards/taro")
            await page.expect_card("ours")
            await page.read_certificate()
            await bridge.service.stop()
            await page.socket.wait_closed()
            assert page.socket.close_code == 1001
            names = {thread.name for thread in threading.enumerate()}
            assert not names & {"card-worker", "reader-monitor"}

    asyncio.run(visit())


class CarouselSource:
    """A reader in memory on which a card can be laid as fast as a test can count; every card is a foreign one."""

    virtual = True

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._snapshot = ReadersSnapshot(ReaderState.READY, (ReaderSnapshot("R", False, False, 0, b""),), 0)
        self._closed = False

    def lay(self, count: int) -> None:
        with self._changed:
            reader = ReaderSnapshot("R", count % 2 == 1, False, count, b"")
            self._snapshot = ReadersSnapshot(ReaderState.READY, (reader,), 0)
            self._changed.notify_all()

    def wait_for_change(self, previous: ReadersSnapshot | None, timeout_seconds: float) -> ReadersSnapshot:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._snapshot != previous, timeout_seconds)
            return self._snapshot

    def connect(self, reader_name: str) -> CardConnection:
        raise NotMyNumberCard(reader_name)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()


def test_hundreds_of_cards_leave_no_thread_and_no_file_behind(tmp_path: Path) -> None:
    async def soak() -> None:
        source = CarouselSource()
        async with running_bridge(tmp_path, source=source) as bridge, Page.verified(bridge) as page:
            instances = set()
            for count in range(1, 601):
                source.lay(count)
                if count % 2:
                    instances.add(await page.expect_card("unknown"))
                else:
                    await page.expect_card("none")
                if count == 100:
                    before = (threading.active_count(), _open_files())
            assert len(instances) == 300
            assert (threading.active_count(), _open_files()) == before

    asyncio.run(soak())


def _open_files() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0
