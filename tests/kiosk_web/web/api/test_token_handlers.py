"""Signing in: assertions, tokens, and how they end."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta
from typing import Any

import pytest

from kiosk_web.wiring.api import run_clients
from tests.support.api_client import (
    API,
    ORIGIN,
    SYSTEM,
    ApiClient,
    count,
    dump_public,
    later,
    problem,
    register,
)
from tests.support.jpki import NOW, ec_key, rsa_key
from tests.support.kiosk_server import Stand

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(ec_key("client", "secp256r1"), "ES256"), (rsa_key("client"), "PS256")],
    ids=["ES256", "PS256"],
)
async def test_every_kind_of_key_buys_a_token(stand: Stand, key: Any, algorithm: str) -> None:
    client = await register(stand, key=key, algorithm=algorithm)
    answer = await client.ask_token(client_id="portal")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"], len(body["access_token"])) == ("Bearer", 300, 43)


async def test_an_assertion_counts_once_also_when_it_comes_twice_at_once(stand: Stand) -> None:
    client = await register(stand)
    assertion = client.sign_assertion()
    answers = await asyncio.gather(*(client.ask_token(assertion) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]
    (refused, *_) = [answer for answer in answers if answer.status_code == 401]
    assert problem(refused) == (401, "assertion_refused")
    assert refused.json()["detail"] == "this `jti` was used before"
    assert refused.json()["error"] == "invalid_client"


async def test_unknown_revoked_and_foreign_clients_are_refused_alike(stand: Stand) -> None:
    client, other = await register(stand), await register(stand, "other")
    revoked = await register(stand, "gone")
    await run_clients(stand.server.settings, stand.clock, lambda clients: clients.revoke_client("gone"))
    stranger = ApiClient(stand, "stranger", client.http)
    posing = ApiClient(stand, "portal", client.http, other.key)
    answers = [await who.ask_token() for who in (stranger, posing, revoked)]
    answers.append(await client.ask_token(client_id="other"))
    answers.append(await client.ask_token("no.assertion.at-all"))
    bodies = [{name: value for name, value in answer.json().items() if name != "instance"} for answer in answers]
    assert [problem(answer) for answer in answers] == [(401, "client_unproven")] * 5
    assert all(body == bodies[0] for body in bodies)


async def test_claims_are_judged_by_the_servers_clock(stand: Stand) -> None:
    client = await register(stand)
    for changes, detail in (
        ({"aud": f"{API}/api/v1"}, "`aud`"),
        ({"exp": later(NOW, 61)}, "more than 60 seconds"),
        ({"exp": later(NOW, -1)}, "`exp` has passed"),
    ):
        answer = await client.ask_token(client.sign_assertion(**changes))
        assert problem(answer) == (401, "assertion_refused")
        assert detail in answer.json()["detail"]
    assert await count(stand, "api_tokens") == await count(stand, "api_assertions") == 0


async def test_the_form_is_read_strictly(client: ApiClient) -> None:
    refused = [
        (await client.ask_token(grant_type="authorization_code"), (400, "grant_type_unsupported")),
        (await client.ask_token(grant_type=None), (400, "token_request_malformed")),
        (await client.ask_token(client_assertion_type="jwt"), (400, "token_request_malformed")),
    ]
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for content, wanted in (
        (b"grant_type=a&grant_type=b", 400),
        ("図=書".encode(), 400),
        (b"", 400),
        (b"x" * 70_000, 413),
    ):
        answer = await client.http.post("/api/v1/token", content=content, headers=form)
        assert answer.status_code == wanted
    answer = await client.http.post("/api/v1/token", json={"grant_type": "client_credentials"})
    refused.append((answer, (415, "media_type_refused")))
    for answer, wanted_problem in refused:
        assert problem(answer) == wanted_problem


async def test_a_token_ends_with_its_time_its_client_and_its_key(stand: Stand, client: ApiClient) -> None:
    async def is_admitted(token: str) -> bool:
        client.token = token
        answer = await client.post("challenges", {"system": SYSTEM, "origin": ORIGIN})
        if answer.status_code != 201:
            assert problem(answer) == (401, "token_refused")
            assert answer.headers["www-authenticate"].startswith("Bearer ")
        return answer.status_code == 201

    old = client.token
    assert await is_admitted(old)
    assert not await is_admitted(old[:-1] + ("A" if old[-1] != "A" else "B"))
    assert not await is_admitted("")
    fresh = rsa_key("rotated")
    await run_clients(
        stand.server.settings,
        stand.clock,
        lambda clients: clients.rotate_key("portal", dump_public(fresh), timedelta(hours=1)),
    )
    assert await is_admitted(old)
    stand.clock.advance(299)
    assert await is_admitted(old)
    stand.clock.advance(1)
    assert not await is_admitted(old)
    before = (await client.ask_token()).json()["access_token"]
    stand.clock.advance(3600 - 301)
    before = (await client.ask_token()).json()["access_token"]
    assert await is_admitted(before)
    stand.clock.advance(1)  # the old key's hour is over, its newest token is not
    assert not await is_admitted(before)
    assert problem(await client.ask_token()) == (401, "client_unproven")
    client.key, client.algorithm = fresh, "PS256"
    newest = (await client.ask_token()).json()["access_token"]
    assert await is_admitted(newest)
    await run_clients(stand.server.settings, stand.clock, lambda clients: clients.revoke_client("portal"))
    assert not await is_admitted(newest)


async def test_a_client_that_asks_too_often_is_told_when_to_come_again(stand: Stand) -> None:
    client = await (await register(stand, rate=3)).sign_in()
    body = {"system": SYSTEM, "origin": ORIGIN}
    assert [(await client.post("challenges", body)).status_code for _ in range(2)] == [201, 201]
    answer = await client.post("challenges", body)
    assert problem(answer) == (429, "too_many_requests")
    assert answer.headers["retry-after"] == "20"
    stand.clock.advance(20)
    assert (await client.post("challenges", body)).status_code == 201
    assert problem(await client.ask_token()) == (429, "too_many_requests")


async def test_neither_token_nor_assertion_is_stored_as_it_is(stand: Stand, client: ApiClient) -> None:
    connection = sqlite3.connect(stand.data / "kiosk.sqlite3")
    dump = "\n".join(connection.iterdump())
    connection.close()
    assert "portal" in dump
    assert client.token not in dump
    assert "jti-" not in dump
