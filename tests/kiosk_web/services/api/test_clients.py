"""Clients of the API as the operator keeps them: what is taken, and what is refused with words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.errors import ClientError
from kiosk_web.services.api.clients import ClientService, find_api_systems, read_origins
from kiosk_web.settings.server import Settings
from tests.support.api_client import dump_public
from tests.support.database import lay_database
from tests.support.jpki import NOW
from tests.support.kiosk_server import Clock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def clients(tmp_path: Path, anyio_backend: str) -> AsyncIterator[ClientService]:
    lay_database(tmp_path)
    store = SqlStore(tmp_path)
    yield ClientService(store=store, systems={"online", "facility"}, clock=Clock())
    await store.close()


def key() -> bytes:
    return dump_public(Ed25519PrivateKey.generate())


async def add(clients: ClientService, name: str = "portal", pem: bytes | None = None, **changes: Any) -> None:
    usual: dict[str, Any] = {"systems": ["online"], "methods": ["ocsp"], "origins": ["https://www.example.lg.jp"]}
    await clients.add_client(name, pem or key(), **{**usual, **changes})


async def test_a_client_is_kept_as_it_was_added(clients: ClientService) -> None:
    await add(clients, systems=["online", "facility", "online"], methods=["crl", "ocsp"], origins=[], rate=5)
    (record,) = await clients.list_clients()
    assert (record.name, record.systems, record.methods) == ("portal", ("online", "facility"), ("crl", "ocsp"))
    assert (record.origins, record.rate, record.created_at, record.revoked_at) == ((), 5, NOW, None)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "Portal"}, "small letters"),
        ({"name": "p"}, "2 to 32"),
        ({"name": "portal\n"}, "small letters"),
        ({"systems": []}, "at least one system"),
        ({"systems": ["library"]}, "There are: facility, online"),
        ({"methods": []}, "ocsp, crl, ocsp-then-crl"),
        ({"methods": ["ocsp", "none"]}, "ocsp, crl, ocsp-then-crl"),
        ({"rate": 0}, "requests a minute"),
        ({"rate": 100_001}, "requests a minute"),
        ({"pem": b"nothing"}, "The key is not taken"),
        ({"origins": ["https://a.example"] * 21}, "at most 20"),
    ],
)
async def test_what_cannot_be_is_refused_with_what_to_change(
    clients: ClientService, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ClientError, match=words):
        await add(clients, **changes)
    assert await clients.list_clients() == ()


@pytest.mark.parametrize(
    "origin",
    [
        "https://www.example.lg.jp/",
        "https://www.example.lg.jp:443",
        "https://WWW.example.lg.jp",
        "https://www.example.lg.jp/page",
        "https://user@www.example.lg.jp",
        "http://www.example.lg.jp",
        "https://",
        "https://a:b",
        "https://図書館.example",
        "null",
        "*",
        "",
    ],
)
def test_an_origin_is_written_as_a_browser_sends_it(origin: str) -> None:
    with pytest.raises(ClientError, match="is not an origin"):
        read_origins([origin])


def test_origins_of_this_computer_may_be_plain() -> None:
    given = ["http://127.0.0.1:8486", "http://localhost:8486", "http://[::1]:8486", "https://a.example:8443"]
    assert read_origins(given) == tuple(given)


async def test_a_name_and_a_key_are_used_once_for_ever(clients: ClientService) -> None:
    first, second = key(), key()
    await add(clients, "portal", first)
    with pytest.raises(ClientError, match="Choose another name"):
        await add(clients, "portal", second)
    with pytest.raises(ClientError, match="has this key"):
        await add(clients, "other", first)
    await clients.rotate_key("portal", second, timedelta(0))
    with pytest.raises(ClientError, match="has this key"):
        await clients.rotate_key("portal", first, timedelta(0))
    await clients.revoke_client("portal")
    with pytest.raises(ClientError, match="Choose another name"):
        await add(clients, "portal", key())
    with pytest.raises(ClientError, match="in force"):
        await clients.rotate_key("portal", key(), timedelta(0))


async def test_nobody_unknown_is_changed(clients: ClientService) -> None:
    with pytest.raises(ClientError, match="no client"):
        await clients.revoke_client("portal")
    with pytest.raises(ClientError, match="no client"):
        await clients.rotate_key("portal", key(), timedelta(0))
    with pytest.raises(ClientError, match="30 days"):
        await clients.rotate_key("portal", key(), timedelta(days=31))


def test_a_system_of_the_library_alone_is_not_for_the_api() -> None:
    assert find_api_systems(Settings().build_offer()) == {"facility-booking"}
