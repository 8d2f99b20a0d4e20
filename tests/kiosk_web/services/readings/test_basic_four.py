"""Sealed at once, kept as ciphertext only, handed over once, then gone: through the whole server and its API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from kiosk_web.identity.basic_four import BasicFour
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


@pytest.mark.parametrize(
    ("system", "why"),
    [
        ({"webhook_url": "https://a.example/", "receiver_key": None}, "not sealed"),
        ({"webhook_url": "ftp://a.example/", "receiver_key": dump_pem("ec")}, "address such as"),
        ({"webhook_url": "https://user@a.example/", "receiver_key": dump_pem("ec")}, "address such as"),
        ({"webhook_url": "https://169.254.169.254/", "receiver_key": dump_pem("ec")}, "leads to no receiver"),
        ({"webhook_url": "https://[fe80::1]/", "receiver_key": dump_pem("ec")}, "leads to no receiver"),
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
