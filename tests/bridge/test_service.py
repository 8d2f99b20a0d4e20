"""Whole visits through the socket, on the virtual card."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_der_x509_certificate

from bridge.card.transport import CardConnection, ReaderSnapshot, ReadersSnapshot, ReaderState
from bridge.errors import NotMyNumberCard
from bridge.evidence import build_card_digest, build_certificate_evidence, build_result_evidence
from bridge.strict_json import decode_base64url
from tests.bridge.page import Page, running_bridge
from tests.support.profiles import PIN, make_certificate, write_profile


@asynccontextmanager
async def page_with_card(folder: Path, **card: Any) -> AsyncIterator[Page]:
    """A verified page and the card `cards/taro` on the reader, recognised."""
    async with running_bridge(folder, **card) as bridge, Page.verified(bridge) as page:
        bridge.lay("cards/taro")
        await page.expect_card("ours")
        yield page


def claims_of(ticket: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(decode_base64url(ticket.split(".")[1]))
    return claims


def test_a_visit_ends_with_a_signature_that_only_this_card_and_terminal_can_make(tmp_path: Path) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path) as page:
            ticket = page.challenge()
            await page.say("read_certificate", ticket=ticket)
            certificate, need_pin = await page.expect("certificate"), await page.expect("need_pin")
            der, claims = decode_base64url(certificate["certificate"]), claims_of(ticket)
            assert der == make_certificate("taro-auth")
            assert (certificate["challenge"], certificate["tries_left"]) == (claims["jti"], 3)
            terminal_key = page.bridge.authority.terminal_key.public_key()
            evidence = build_certificate_evidence(
                ticket=ticket, certificate=der, method="pin", tries_left=3, counter=certificate["counter"]
            )
            terminal_key.verify(decode_base64url(certificate["signature"]), evidence)
            assert (need_pin["min"], need_pin["max"], need_pin["confirm"]) == (4, 4, False)

            await page.enter_pin(PIN, claims["jti"])
            await page.say("authenticate")
            result = await page.expect("result")
            signature = decode_base64url(result["card_signature"])
            digest = build_card_digest(
                method="pin",
                purpose="identify",
                origin=claims["origin"],
                terminal=claims["terminal"],
                session=claims["session"],
                service=claims["service"],
                nonce=decode_base64url(claims["nonce"]),
                certificate=der,
                consent=b"",
                lease="",
            )
            public_key = load_der_x509_certificate(der).public_key()
            assert isinstance(public_key, RSAPublicKey)
            public_key.verify(signature, digest, PKCS1v15(), Prehashed(SHA256()))
            evidence = build_result_evidence(
                ticket=ticket, certificate=der, method="pin", card_signature=signature, counter=result["counter"]
            )
            terminal_key.verify(decode_base64url(result["signature"]), evidence)
            assert result["counter"] == certificate["counter"] + 1

    asyncio.run(visit())


def test_the_pin_waits_for_the_server_whichever_comes_first(tmp_path: Path) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path) as page:
            certificate, _ = await page.read_certificate()
            await page.say("authenticate")
            await page.enter_pin(PIN, certificate["challenge"])
            await page.expect("result")

    asyncio.run(visit())


def test_without_the_servers_word_no_try_is_used(tmp_path: Path) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path) as page:
            certificate, _ = await page.read_certificate()
            await page.enter_pin("9999", certificate["challenge"])
            await page.say("cancel")
            await _expect_failure(page, "cancelled")
            await page.read_certificate()  # the card is free again, and was not asked
            assert not (tmp_path / "cards/taro/counters.json").exists()

    asyncio.run(visit())


def test_a_wrong_pin_and_then_the_right_one(tmp_path: Path) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path) as page:
            certificate, _ = await page.read_certificate()
            await page.say("authenticate")
            await page.enter_pin("9999", certificate["challenge"])
            refused = await page.expect("pin_refused")
            assert (refused["tries_left"], page.bridge.tries_left()) == (2, 2)
            await page.enter_pin(PIN, certificate["challenge"])
            await page.expect("result")
            assert page.bridge.tries_left() == 3

    asyncio.run(visit())


def test_two_wrong_pins_are_all_that_one_laying_takes(tmp_path: Path) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path) as page:
            certificate, _ = await page.read_certificate()
            await page.say("authenticate")
            await page.enter_pin("9999", certificate["challenge"])
            await page.expect("pin_refused")
            await page.enter_pin("8888", certificate["challenge"])
            failed = await _expect_failure(page, "pin_tries_used")
            assert failed["tries_left"] == page.bridge.tries_left() == 1
            # neither asking again nor a new page makes the bridge forget
            await page.say("read_certificate", ticket=page.challenge())
            await _expect_failure(page, "pin_tries_used")
            async with Page.verified(page.bridge) as other:
                await other.expect_card("ours")
                await other.say("read_certificate", ticket=other.challenge())
                await _expect_failure(other, "pin_tries_used")
                page.bridge.lay(None)
                await other.expect_card("none")
                page.bridge.lay("cards/taro")
                await other.expect_card("ours")
                _, need_pin = await other.read_certificate()
                assert need_pin["confirm"] is True

    asyncio.run(visit())


def test_the_last_try_is_used_only_after_it_was_confirmed(tmp_path: Path) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path, auth_pin={"value": PIN, "tries": 3, "left": 1}) as page:
            certificate, need_pin = await page.read_certificate()
            assert need_pin["confirm"] is True
            await page.say("authenticate")
            await page.enter_pin(PIN, certificate["challenge"])
            seq = await page.say("ping")
            assert (await page.expect("pong"))["seq"] == seq
            assert not (tmp_path / "cards/taro/counters.json").exists()
            await page.say("confirm_last_try")
            await page.expect("result")

    asyncio.run(visit())


def test_a_locked_card_is_told_with_its_certificate_and_never_asked(tmp_path: Path) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path, auth_pin={"value": PIN, "tries": 3, "left": 0}) as page:
            await page.say("read_certificate", ticket=page.challenge())
            assert (await page.expect("certificate"))["tries_left"] == 0
            assert (await _expect_failure(page, "pin_locked"))["tries_left"] == 0

    asyncio.run(visit())


def test_the_last_wrong_pin_locks(tmp_path: Path) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path, auth_pin={"value": PIN, "tries": 3, "left": 1}) as page:
            certificate, _ = await page.read_certificate()
            await page.say("authenticate")
            await page.say("confirm_last_try")
            await page.enter_pin("9999", certificate["challenge"])
            assert (await _expect_failure(page, "pin_locked"))["tries_left"] == 0

    asyncio.run(visit())


@pytest.mark.parametrize("pin", ["123", "12345", "12A4", "１２３４", "12\x0034"])
def test_a_pin_of_another_form_costs_no_try(tmp_path: Path, pin: str) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path) as page:
            certificate, _ = await page.read_certificate()
            await page.say("authenticate")
            await page.enter_pin(pin, certificate["challenge"])
            await _expect_failure(page, "pin_malformed")
            assert not (tmp_path / "cards/taro/counters.json").exists()

    asyncio.run(visit())


def test_a_pin_for_another_message_or_card_cannot_be_opened(tmp_path: Path) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path) as page:
            await page.read_certificate()
            await page.say("authenticate")
            await page.enter_pin(PIN, "another challenge")
            await _expect_failure(page, "pin_undecryptable")

    asyncio.run(visit())


@pytest.mark.parametrize(
    ("switches", "code"),
    [
        ({"garbage": "truncated_certificate"}, "card_data_malformed"),
        ({"garbage": "not_der"}, "card_data_malformed"),
        ({"garbage": "wrong_length"}, "card_data_malformed"),
        ({"swap_after": {"exchanges": 4, "profile": "cards/hanako"}}, "card_swapped"),
        ({"remove_after": 4}, "card_removed"),
    ],
)
def test_trouble_while_reading_has_its_name_and_the_next_visit_works(
    tmp_path: Path, switches: dict[str, Any], code: str
) -> None:
    async def visit() -> None:
        write_profile(tmp_path, "hanako")
        async with page_with_card(tmp_path, switches=switches) as page:
            await page.say("read_certificate", ticket=page.challenge())
            await _expect_failure(page, code)
            await _lay_and_succeed(page, "cards/hanako")

    asyncio.run(visit())


@pytest.mark.parametrize(
    ("switches", "code"),
    [
        ({"remove_on": "verify"}, "card_removed"),
        ({"remove_on": "sign"}, "card_removed"),
        ({"swap_on": {"command": "verify", "profile": "cards/hanako"}}, "card_swapped"),
        ({"swap_on": {"command": "sign", "profile": "cards/hanako"}}, "card_swapped"),
    ],
)
def test_a_card_that_goes_after_the_pin_leaves_no_signature(
    tmp_path: Path, switches: dict[str, Any], code: str
) -> None:
    async def visit() -> None:
        write_profile(tmp_path, "hanako")
        async with page_with_card(tmp_path, switches=switches) as page:
            certificate, _ = await page.read_certificate()
            await page.say("authenticate")
            await page.enter_pin(PIN, certificate["challenge"])
            await _expect_failure(page, code)
            await _lay_and_succeed(page, "cards/hanako")

    asyncio.run(visit())


@pytest.mark.parametrize(("profile", "code"), [(None, "card_removed"), ("cards/hanako", "card_swapped")])
def test_a_card_that_goes_while_the_pin_is_typed_is_noticed_at_once(
    tmp_path: Path, profile: str | None, code: str
) -> None:
    async def visit() -> None:
        write_profile(tmp_path, "hanako")
        async with page_with_card(tmp_path) as page:
            await page.read_certificate()
            page.bridge.lay(profile)
            await _expect_failure(page, code)
            await _lay_and_succeed(page, "cards/hanako")

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
            await _expect_failure(page, codes[word])

    asyncio.run(visit())


def test_a_card_with_an_old_first_command_is_still_ours(tmp_path: Path) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path, switches={"first_command_6f00": True}) as page:
            certificate, _ = await page.read_certificate()
            await page.say("authenticate")
            await page.enter_pin(PIN, certificate["challenge"])
            await page.expect("result")

    asyncio.run(visit())


def test_a_challenge_for_another_laying_is_refused_before_the_card_is_asked(tmp_path: Path) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path) as page:
            before = page.reader["instance"]
            page.bridge.lay("cards/taro")
            while page.reader["instance"] == before:
                await page.expect("reader")
            await page.say("read_certificate", ticket=page.challenge(card=before))
            await _expect_failure(page, "card_swapped")
            page.bridge.lay(None)
            await page.expect_card("none")
            await page.say("read_certificate", ticket=page.challenge(card=before))
            await _expect_failure(page, "card_removed")

    asyncio.run(visit())


def test_a_challenge_is_used_once(tmp_path: Path) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path) as page:
            ticket = page.challenge()
            await page.say("read_certificate", ticket=ticket)
            await page.expect("need_pin")
            await page.say("cancel")
            await _expect_failure(page, "cancelled")
            await page.say("read_certificate", ticket=ticket)
            failed = await _expect_failure(page, "ticket_refused")
            assert failed["challenge"] == ""

    asyncio.run(visit())


def test_a_card_that_lay_there_before_the_page_came_is_shown(tmp_path: Path) -> None:
    async def visit() -> None:
        async with running_bridge(tmp_path) as bridge:
            bridge.lay("cards/taro")
            async with Page.verified(bridge) as page:
                await page.expect_card("ours")

    asyncio.run(visit())


def test_the_newest_verified_page_wins_and_takes_the_card_over(tmp_path: Path) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path) as old:
            await old.read_certificate()
            async with Page.verified(old.bridge) as new:
                await old.socket.wait_closed()
                assert old.socket.close_code == 4409
                await new.expect_card("ours")
                certificate, _ = await new.read_certificate()
                await new.say("authenticate")
                await new.enter_pin(PIN, certificate["challenge"])
                await new.expect("result")

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


async def _expect_failure(page: Page, code: str) -> dict[str, Any]:
    failed = await page.expect("failed")
    assert failed["code"] == code
    return failed


async def _lay_and_succeed(page: Page, profile: str) -> None:
    page.bridge.lay(None)
    await page.expect_card("none")
    page.bridge.lay(profile)
    await page.expect_card("ours")
    certificate, _ = await page.read_certificate()
    await page.say("authenticate")
    await page.enter_pin(PIN, certificate["challenge"])
    await page.expect("result")


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
