"""Sealed readings by webhook: signed, retried, at most until the end of their life, each receiver for itself."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import text

from kiosk_web.identity.standing import derive_day
from kiosk_web.services.ports.links import RecentVisit
from kiosk_web.services.readings.delivery import ReadingDelivery, derive_wait
from kiosk_web.settings.services import SystemSettings, WordsSettings
from tests.kiosk_web.services.readings.test_basic_four import FOUR, OTHER_REFERENCE, REFERENCE, load, record
from tests.support.api_client import OTHER_SYSTEM, SYSTEM, register
from tests.support.kiosk_server import Stand, run_stand
from tests.support.receiver import build_systems, unseal
from tests.support.web_server import serve

pytestmark = pytest.mark.anyio


@pytest.fixture
async def stand(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stand]:
    other = SystemSettings(id=OTHER_SYSTEM, name=WordsSettings(ja="健康ポイント", en="Health points"))
    async with run_stand(tmp_path, systems=(*build_systems(), other)) as running:
        yield running


class Receiver:
    """Plays the system: a real HTTP server that says what it is told."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.heard: list[tuple[Mapping[str, str], bytes]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.heard.append((request.headers, await request.read()))
        status = self.statuses.pop(0) if self.statuses else 204
        return web.Response(status=status, headers={"Location": "/elsewhere"} if status == 307 else {})


@pytest.fixture
async def receiver(anyio_backend: str) -> AsyncIterator[tuple[Receiver, str]]:
    played = Receiver()
    async with serve(played.answer) as port:
        yield played, f"http://127.0.0.1:{port}/readings"


def read_signature(stand: Stand, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """As a receiver does that has pinned the identity key."""
    identity = Ed25519PublicKey.from_public_bytes(stand.server.keys.identity_public)
    options = {"verify_aud": False, "verify_iat": False, "verify_exp": False, "verify_nbf": False}
    statement = jwt.decode(headers["Kiosk-Key"], identity, algorithms=["EdDSA"], options=options)
    raw = jwt.utils.base64url_decode(statement["x"])
    key = Ed25519PublicKey.from_public_bytes(raw)
    claims = jwt.decode(headers["Kiosk-Signature"], key, algorithms=["EdDSA"], options=options)
    assert jwt.get_unverified_header(headers["Kiosk-Signature"])["typ"] == "kiosk-webhook+jwt"
    assert claims["body_sha256"] == hashlib.sha256(body).hexdigest()
    return dict(claims)


async def test_a_webhook_is_signed_retried_and_ends_with_the_first_yes(
    tmp_path: Path, receiver: tuple[Receiver, str]
) -> None:
    played, url = receiver
    played.statuses = [500, 307]
    async with run_stand(tmp_path, systems=build_systems(webhook_url=url)) as stand:
        reading = await record(stand)
        for longest in (2, 4):
            await stand.server.delivery.sweep()
            await stand.server.delivery.sweep()  # nothing is due yet
            wait = ((await load(stand, reading)).next_attempt_at - stand.clock.now).total_seconds()
            assert longest / 2 <= wait <= longest
            stand.clock.advance(wait)
        await stand.server.delivery.sweep()
        assert len(played.heard) == 3  # a redirect is not followed
        headers, body = played.heard[-1]
        assert read_signature(stand, headers, body) == {
            "iss": "kiosk",
            "aud": SYSTEM,
            "jti": reading,
            "iat": int(stand.clock.now.timestamp()),
            "exp": int(stand.clock.now.timestamp()) + 60,
            "body_sha256": hashlib.sha256(body).hexdigest(),
        }
        assert json.loads(unseal(body.decode())[1])["basic_four"]["address"] == FOUR.address
        kept = await load(stand, reading)
        assert (kept.jwe, kept.attempts) == ("", 3)
        stand.clock.advance(3600)
        await stand.server.delivery.sweep()
        assert len(played.heard) == 3


async def test_what_a_stopped_server_had_not_sent_is_sent_after_the_start(
    tmp_path: Path, receiver: tuple[Receiver, str]
) -> None:
    played, url = receiver
    systems = build_systems(webhook_url=url)
    async with run_stand(tmp_path, systems=systems) as stand:
        reading = await record(stand)
    async with run_stand(tmp_path, systems=systems) as stand:
        await stand.server.delivery.sweep()
        assert len(played.heard) == 1
        assert (await load(stand, reading)).jwe == ""


async def test_a_receiver_that_is_not_there_costs_nothing_but_attempts(tmp_path: Path) -> None:
    systems = build_systems(webhook_url="http://127.0.0.1:9/readings")
    async with run_stand(tmp_path, systems=systems) as stand:
        reading = await record(stand)
        await stand.server.delivery.sweep()
        kept = await load(stand, reading)
        assert (kept.attempts, kept.jwe != "") == (1, True)
        assert stand.clock.now + timedelta(seconds=1) <= kept.next_attempt_at <= stand.clock.now + timedelta(seconds=2)
        stand.clock.advance(600)
        await stand.server.delivery.sweep()
        assert (await load(stand, reading)).jwe == ""


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_webhook_waits_for_the_receipt_of_a_pick_up_and_goes_on_without(
    tmp_path: Path, receiver: tuple[Receiver, str], arrived: bool
) -> None:
    played, url = receiver
    played.statuses = [500]
    async with run_stand(tmp_path, systems=build_systems(webhook_url=url)) as stand:
        reading = await record(stand)
        await stand.server.delivery.sweep()
        client = await (await register(stand)).sign_in()
        taken = await client.post("sealed-readings", {"system": SYSTEM, "reference": REFERENCE})
        stand.clock.advance(119)
        await stand.server.delivery.sweep()
        assert len(played.heard) == 1
        if arrived:
            assert (await client.post("receipts", {"receipt": taken.json()["receipt"]})).status_code == 204
        stand.clock.advance(1)
        await stand.server.delivery.sweep()
        assert len(played.heard) == (1 if arrived else 2)
        kept = await load(stand, reading)
        assert (kept.jwe, kept.delivered_at is None) == ("", False)
        if not arrived:
            assert played.heard[-1][1].decode() == taken.json()["jwe"]


async def test_only_the_first_hand_over_is_a_confirmation_because_a_card_may_not_be_rewritten_yet(
    tmp_path: Path, receiver: tuple[Receiver, str]
) -> None:
    played, url = receiver
    async with run_stand(tmp_path, systems=build_systems(webhook_url=url)) as stand:
        client = await (await register(stand)).sign_in()
        ppid = (await client.validate(stand.card()))["ppid"]
        read_on, long_ago = derive_day(stand.clock.now), date(2020, 1, 1)
        async with stand.server.store.write() as transaction:
            person = await transaction.persons.find_by_ppid(ppid, SYSTEM)
            assert person is not None
            for reference in (REFERENCE, OTHER_REFERENCE):
                visit = RecentVisit(reference, person, SYSTEM, "pin", stand.clock.now + timedelta(minutes=30))
                await transaction.links.add_visit(visit)

        async def confirmed() -> date | None:
            async with stand.server.store.read() as transaction:
                return await transaction.confirmations.find(person, SYSTEM)

        played.statuses = [500]
        sent = await record(stand)
        await stand.server.delivery.sweep()
        assert await confirmed() is None, "the receiver did not take it"
        stand.clock.advance(2)
        await stand.server.delivery.sweep()
        assert (await load(stand, sent)).jwe == "", "the receiver took it"
        assert await confirmed() == read_on

        async with stand.server.store.write() as transaction:
            await transaction.confirmations.record(person, SYSTEM, long_ago)
        played.statuses = [500]
        await record(stand, OTHER_REFERENCE)
        await stand.server.delivery.sweep()
        answer = await client.post("sealed-readings", {"system": SYSTEM, "reference": OTHER_REFERENCE})
        assert (await client.post("receipts", {"receipt": answer.json()["receipt"]})).status_code == 204
        assert await confirmed() == long_ago

        taken_over = await client.post("confirmations", {"system": SYSTEM, "ppid": ppid})
        assert taken_over.is_success
        assert await confirmed() == derive_day(stand.clock.now)


def test_the_wait_between_attempts_grows_to_a_minute() -> None:
    """And is drawn between its half and its whole, so that what failed together does not come again together."""
    assert [derive_wait(number, 0).total_seconds() for number in (1, 2, 3, 5, 6, 600)] == [2, 4, 8, 32, 60, 60]
    assert [derive_wait(number, 255).total_seconds() for number in (1, 2, 3, 5, 6, 600)] == [1, 2, 4, 16, 30, 30]
    assert derive_wait(6, 51).total_seconds() == 54


class HeldReceivers:
    """Plays the network: the first system's receiver does not answer until it is let, every other one takes at once."""

    def __init__(self) -> None:
        self.let, self.asked = asyncio.Event(), asyncio.Event()
        self.taken: list[str] = []

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> str:
        if url == "https://slow.example/":
            self.asked.set()
            await self.let.wait()
        self.taken.append(url)
        return ""


def build_delivery(stand: Stand, webhook: HeldReceivers) -> ReadingDelivery:
    urls = {SYSTEM: "https://slow.example/", OTHER_SYSTEM: "https://quick.example/"}
    server = stand.server
    return ReadingDelivery(
        store=server.store, webhook=webhook, urls=urls, keys=server.keys, clock=stand.clock, entropy=secrets.token_bytes
    )


async def make_due(stand: Stand, reading: str, system: str = SYSTEM) -> None:
    async with stand.server.store.write() as transaction:
        await transaction.connection.execute(
            text("UPDATE sealed_readings SET next_attempt_at = created_at, system = :system WHERE id = :id"),
            {"system": system, "id": reading},
        )


async def test_a_receiver_that_does_not_answer_delays_no_other(stand: Stand) -> None:
    held = HeldReceivers()
    delivery = build_delivery(stand, held)
    await make_due(stand, await record(stand))
    quick = await record(stand, OTHER_REFERENCE)
    await make_due(stand, quick, OTHER_SYSTEM)
    running = asyncio.create_task(delivery.run())
    await held.asked.wait()
    while (await load(stand, quick)).jwe:
        await asyncio.sleep(0)
    assert held.taken == ["https://quick.example/"]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("meanwhile", ["picked up", "over"])
async def test_what_was_picked_up_or_ended_while_others_were_sent_is_not_sent(stand: Stand, meanwhile: str) -> None:
    held = HeldReceivers()
    delivery = build_delivery(stand, held)
    await make_due(stand, await record(stand))
    await make_due(stand, await record(stand, OTHER_REFERENCE))
    mine = await (await register(stand)).sign_in()
    sweeping = asyncio.create_task(delivery.sweep())
    await held.asked.wait()
    if meanwhile == "over":
        stand.clock.advance(600)
    else:
        taken = await mine.post("sealed-readings", {"system": SYSTEM, "reference": OTHER_REFERENCE})
        assert taken.status_code == 200
    held.let.set()
    await sweeping
    assert held.taken == ["https://slow.example/"]


async def test_after_a_change_of_keys_the_next_attempt_is_signed_with_the_key_that_was_announced(
    tmp_path: Path, receiver: tuple[Receiver, str]
) -> None:
    played, url = receiver
    async with run_stand(tmp_path, systems=build_systems(webhook_url=url)) as stand:
        announced = stand.server.keys.following
        played.statuses = [500]
        await record(stand)
        await stand.server.delivery.sweep()
        before = jwt.get_unverified_header(played.heard[-1][0]["Kiosk-Signature"])["kid"]
        stand.server.keys.rotate(announced, stand.server.keys.current)
        stand.clock.advance(2)
        await stand.server.delivery.sweep()
        headers, body = played.heard[-1]
        assert jwt.get_unverified_header(headers["Kiosk-Signature"])["kid"] == announced.kid != before
        read_signature(stand, headers, body)
