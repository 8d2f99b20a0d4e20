"""Whole visits through the socket, on the virtual card."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_der_x509_certificate

from bridge.evidence import build_card_digest, build_certificate_evidence, build_result_evidence
from bridge.strict_json import decode_base64url
from tests.bridge.page import Page, expect_failure, page_with_card, running_bridge
from tests.support.profiles import PIN, make_certificate


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
            await expect_failure(page, "cancelled")
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
            failed = await expect_failure(page, "pin_tries_used")
            assert failed["tries_left"] == page.bridge.tries_left() == 1
            # neither asking again nor a new page makes the bridge forget
            await page.say("read_certificate", ticket=page.challenge())
            await expect_failure(page, "pin_tries_used")
            async with Page.verified(page.bridge) as other:
                await other.expect_card("ours")
                await other.say("read_certificate", ticket=other.challenge())
                await expect_failure(other, "pin_tries_used")
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
            assert (await expect_failure(page, "pin_locked"))["tries_left"] == 0

    asyncio.run(visit())


def test_the_last_wrong_pin_locks(tmp_path: Path) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path, auth_pin={"value": PIN, "tries": 3, "left": 1}) as page:
            certificate, _ = await page.read_certificate()
            await page.say("authenticate")
            await page.say("confirm_last_try")
            await page.enter_pin("9999", certificate["challenge"])
            assert (await expect_failure(page, "pin_locked"))["tries_left"] == 0

    asyncio.run(visit())


@pytest.mark.parametrize("pin", ["123", "12345", "12A4", "１２３４", "12\x0034"])
def test_a_pin_of_another_form_costs_no_try(tmp_path: Path, pin: str) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path) as page:
            certificate, _ = await page.read_certificate()
            await page.say("authenticate")
            await page.enter_pin(pin, certificate["challenge"])
            await expect_failure(page, "pin_malformed")
            assert not (tmp_path / "cards/taro/counters.json").exists()

    asyncio.run(visit())


def test_a_pin_for_another_message_or_card_cannot_be_opened(tmp_path: Path) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path) as page:
            await page.read_certificate()
            await page.say("authenticate")
            await page.enter_pin(PIN, "another challenge")
            await expect_failure(page, "pin_undecryptable")

    asyncio.run(visit())


def test_a_challenge_for_another_laying_is_refused_before_the_card_is_asked(tmp_path: Path) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path) as page:
            before = page.reader["instance"]
            page.bridge.lay("cards/taro")
            while page.reader["instance"] == before:
                await page.expect("reader")
            await page.say("read_certificate", ticket=page.challenge(card=before))
            await expect_failure(page, "card_swapped")
            page.bridge.lay(None)
            await page.expect_card("none")
            await page.say("read_certificate", ticket=page.challenge(card=before))
            await expect_failure(page, "card_removed")

    asyncio.run(visit())


def test_a_challenge_is_used_once(tmp_path: Path) -> None:
    async def visit() -> None:
        async with page_with_card(tmp_path) as page:
            ticket = page.challenge()
            await page.say("read_certificate", ticket=ticket)
            await page.expect("need_pin")
            await page.say("cancel")
            await expect_failure(page, "cancelled")
            await page.say("read_certificate", ticket=ticket)
            failed = await expect_failure(page, "ticket_refused")
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
