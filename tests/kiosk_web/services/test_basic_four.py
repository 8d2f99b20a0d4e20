"""Sealed at once, kept as ciphertext only, handed over once, then gone: through the whole server and its API."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from kiosk_web.identity.basic_four import BasicFour
from kiosk_web.identity.standing import derive_day
from kiosk_web.services.ports.links import RecentVisit
from kiosk_web.services.reading_delivery import derive_wait
from kiosk_web.settings.services import SystemSettings, WordsSettings
from tests.support.api_client import OTHER_SYSTEM, SYSTEM, register
from tests.support.jpki import NOW, build_root
from tests.support.kiosk_server import Stand, build_settings, run_stand
from tests.support.receiver import build_systems, dump_pem, unseal

pytestmark = pytest.mark.anyio
FOUR = BasicFour("𠮷野\u3000髙子", "みほん県みほん市大字●●" + "長い番地" * 20, "19800217", "2")
REFERENCE, OTHER_REFERENCE = "7KQP-29XA", "8MRS-45YB"
PLAIN = (FOUR.name, FOUR.address, FOUR.birth, "長い番地")


@pytest.fixture
async def stand(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stand]:
    other = SystemSettings(id=OTHER_SYSTEM, name=WordsSettings(ja="健康ポイント", en="Health points"))
    async with run_stand(tmp_path, systems=(*build_systems(), other)) as running:
        yield running


async def record(stand: Stand, reference: str = REFERENCE) -> str:
    async with stand.server.store.write() as transaction:
        sealed = await stand.server.basic_four.record_reading(
            transaction, SYSTEM, reference, "PPID", FOUR, stand.clock.now
        )
        return sealed.id


def find_plain(folder: Path) -> list[str]:
    """Files of the server with an item of FOUR in them, in UTF-8, UTF-16 or as JSON escapes."""
    found = []
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for item in PLAIN:
            forms = (item.encode(), item.encode("utf-16-le"), json.dumps(item).strip('"').encode())
            found += [f"{path.name}: {item}" for form in forms if form in content]
    return found


async def load(stand: Stand, reading: str) -> Any:
    async with stand.server.store.read() as transaction:
        return await transaction.readings.find(reading)


@pytest.mark.parametrize("kind", ["rsa", "ec"])
async def test_only_the_receiver_reads_it_and_the_header_binds_it(tmp_path: Path, kind: str) -> None:
    async with run_stand(tmp_path, systems=build_systems(kind)) as stand:
        reading = await record(stand)
        kept = await load(stand, reading)
        header, statement = unseal(kept.jwe, kind)
        assert json.loads(statement) == {
            "basic_four": {"name": FOUR.name, "address": FOUR.address, "birth": FOUR.birth, "sex": FOUR.sex},
            "ppid": "PPID",
            "read_at": int(NOW.timestamp()),
        }
        assert {name: header[name] for name in ("reading", "reference", "system", "exp", "cty", "enc")} == {
            "reading": reading,
            "reference": REFERENCE,
            "system": SYSTEM,
            "exp": int(NOW.timestamp()) + 600,
            "cty": "application/json",
            "enc": "A256GCM",
        }
        head, _, rest = kept.jwe.partition(".")
        with pytest.raises(Exception, match=r"."):
            unseal(f"{head[:-4]}AAAA.{rest}", kind)
        assert find_plain(tmp_path) == []
    assert find_plain(tmp_path) == []


async def test_a_reading_that_was_not_committed_left_nothing(stand: Stand, tmp_path: Path) -> None:
    """As when the server dies in the middle: the files hold neither the items nor the reading."""

    class Died(Exception):
        pass

    async def record_and_die() -> None:
        async with stand.server.store.write() as transaction:
            await stand.server.basic_four.record_reading(transaction, SYSTEM, REFERENCE, "PPID", FOUR, stand.clock.now)
            assert find_plain(tmp_path) == []
            raise Died

    with pytest.raises(Died):
        await record_and_die()
    async with stand.server.store.read() as transaction:
        assert await transaction.readings.find_waiting(SYSTEM, REFERENCE, stand.clock.now) is None
    assert find_plain(tmp_path) == []


async def test_it_is_picked_up_once_by_the_system_alone(stand: Stand) -> None:
    reading = await record(stand)
    mine = await (await register(stand)).sign_in()
    theirs = await (await register(stand, "points", systems=[OTHER_SYSTEM])).sign_in()
    for client, system, status, code in (
        (theirs, SYSTEM, 403, "system_not_permitted"),
        (theirs, OTHER_SYSTEM, 409, "reading_not_available"),
        (mine, OTHER_SYSTEM, 403, "system_not_permitted"),
    ):
        refused = await client.post("sealed-readings", {"system": system, "reference": REFERENCE})
        assert (refused.status_code, refused.json()["code"]) == (status, code)
    taken = await mine.post("sealed-readings", {"system": SYSTEM, "reference": REFERENCE})
    assert taken.status_code == 200
    assert taken.json()["reading"] == reading
    assert json.loads(unseal(taken.json()["jwe"])[1])["basic_four"]["name"] == FOUR.name
    assert (await mine.post("receipts", {"receipt": taken.json()["receipt"]})).status_code == 204
    again = await mine.post("sealed-readings", {"system": SYSTEM, "reference": REFERENCE})
    assert (again.status_code, again.json()["code"]) == (409, "reading_not_available")
    kept = await load(stand, reading)
    assert (kept.jwe, kept.delivered_at) == ("", stand.clock.now)


async def test_of_clients_that_ask_at_once_one_gets_it(stand: Stand) -> None:
    await record(stand)
    clients = [await (await register(stand, f"client-{number}")).sign_in() for number in range(4)]
    asked = [client.post("sealed-readings", {"system": SYSTEM, "reference": REFERENCE}) for client in clients * 2]
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*asked))
    assert statuses == [200] * 2 + [409] * 6


async def test_at_the_end_of_its_life_it_is_gone_and_a_day_later_forgotten(stand: Stand) -> None:
    reading = await record(stand)
    mine = await (await register(stand)).sign_in()
    stand.clock.advance(600)
    late = await mine.post("sealed-readings", {"system": SYSTEM, "reference": REFERENCE})
    assert late.status_code in (401, 409)  # the access token is as old
    await stand.server.delivery.sweep()
    kept = await load(stand, reading)
    assert (kept.jwe, kept.delivered_at) == ("", None)
    stand.clock.advance(24 * 3600)
    await stand.server.delivery.sweep()
    assert await load(stand, reading) is None


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
    app = web.Application()
    app.router.add_post("/{path}", played.answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield played, f"http://127.0.0.1:{runner.addresses[0][1]}/readings"
    await runner.cleanup()


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
        for wait in (0, 1, 1, 3, 1):
            stand.clock.advance(wait)
            await stand.server.delivery.sweep()
        assert len(played.heard) == 3  # at 0, 2 and 6 seconds; a redirect is not followed
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
        assert kept.next_attempt_at == stand.clock.now + derive_wait(1)
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
    assert [derive_wait(number).total_seconds() for number in (1, 2, 3, 5, 6, 600)] == [2, 4, 8, 32, 60, 60]


@pytest.mark.parametrize(
    ("system", "why"),
    [
        ({"webhook_url": "https://a.example/", "receiver_key": None}, "not sealed"),
        ({"webhook_url": "ftp://a.example/", "receiver_key": dump_pem("ec")}, "address such as"),
        ({"webhook_url": "https://user@a.example/", "receiver_key": dump_pem("ec")}, "address such as"),
        ({"receiver_key": "-----BEGIN PRIVATE KEY-----"}, "private key"),
    ],
)
def test_a_receiver_that_cannot_be_is_refused_at_the_start(system: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        SystemSettings(id="a", name=WordsSettings(ja="a", en="a"), **system)


def test_a_library_has_no_receiver_and_production_sends_over_https_alone(tmp_path: Path) -> None:
    root = build_root(2023)
    booking, library = build_systems()
    with pytest.raises(ValidationError, match="basic_four_without_type1"):
        build_settings(tmp_path, root, systems=(booking, library.model_copy(update={"receiver_key": dump_pem("ec")})))
    with pytest.raises(ValidationError, match="https:// only"):
        build_settings(
            tmp_path, root, deployment="production", systems=build_systems(webhook_url="http://a.example/readings")
        )
