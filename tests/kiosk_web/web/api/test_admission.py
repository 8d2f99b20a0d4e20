"""What every operation begins with: the body within its limits, the work done once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.support.api_client import (
    API_SYSTEMS,
    ORIGIN,
    SYSTEM,
    ApiClient,
    count,
    open_http,
    problem,
    register,
)
from tests.support.kiosk_server import Stand, run_stand
from tests.support.redirects import REDIRECT, open_asker

pytestmark = pytest.mark.anyio

KEY = "5f1d7c86-2a0e-4a53-9e2b-0d8c2f6b7a11"


async def test_the_same_request_gets_the_same_answer_and_is_done_once(stand: Stand, client: ApiClient) -> None:
    challenge = await client.challenge()
    body = client.build_validation(challenge, stand.card())
    first = await client.post("validations", body, Idempotency_Key=KEY)
    again = await client.post("validations", body, Idempotency_Key=f'"{KEY}"')
    assert (first.status_code, again.status_code, first.text) == (200, 200, again.text)
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert await count(stand, "remote_visits") == 1
    problem_again = [await client.post("validations", body, Idempotency_Key="0123456789abcdef") for _ in range(2)]
    assert [answer.status_code for answer in problem_again] == [409, 409]
    assert problem_again[0].json() == problem_again[1].json()
    stand.clock.advance(601)
    await client.sign_in()
    assert problem(await client.post("validations", body, Idempotency_Key=KEY)) == (409, "challenge_not_usable")


async def test_a_key_is_for_one_request_of_one_client(stand: Stand, client: ApiClient) -> None:
    other = await (await register(stand, "other")).sign_in()
    body = {"system": SYSTEM, "origin": ORIGIN}
    mine = await client.post("challenges", body, Idempotency_Key=KEY)
    theirs = await other.post("challenges", body, Idempotency_Key=KEY)
    assert mine.json()["challenge"] != theirs.json()["challenge"]
    answer = await client.post("challenges", {**body, "method": "pin"}, Idempotency_Key=KEY)
    assert problem(answer) == (422, "idempotency_key_reused")
    assert problem(await client.post("challenges", body, Idempotency_Key="short")) == (400, "malformed_request")


async def test_a_request_that_is_still_running_is_not_done_twice(stand: Stand, client: ApiClient) -> None:
    challenge = await client.challenge()
    body = client.build_validation(challenge, stand.card())
    stand.responder.gate.clear()
    first = asyncio.create_task(client.post("validations", body, Idempotency_Key=KEY))
    while stand.responder.questions == 0:
        await asyncio.sleep(0)
    assert problem(await client.post("validations", body, Idempotency_Key=KEY)) == (409, "request_running")
    stand.responder.gate.set()
    assert (await first).json()["accepted"] is True
    assert (await client.post("validations", body, Idempotency_Key=KEY)).json() == (await first).json()


async def test_an_answer_that_comes_late_is_not_given_to_another_request(stand: Stand, client: ApiClient) -> None:
    """A minute later (or where the clock was put forward) the key is free for another request, and the first one ends
    all the same.
    """
    validation = client.build_validation(await client.challenge(), stand.card())
    stand.responder.gate.clear()
    late = asyncio.create_task(client.post("validations", validation, Idempotency_Key=KEY))
    while stand.responder.questions == 0:
        await asyncio.sleep(0)
    stand.clock.advance(61)
    body = {"system": SYSTEM, "origin": ORIGIN}
    challenge = await client.post("challenges", body, Idempotency_Key=KEY)
    stand.responder.gate.set()
    assert (await late).json()["accepted"] is True
    again = await client.post("challenges", body, Idempotency_Key=KEY)
    assert (again.status_code, again.text) == (201, challenge.text)


async def test_what_is_over_is_forgotten(stand: Stand, client: ApiClient) -> None:
    await client.post("challenges", {"system": SYSTEM, "origin": ORIGIN}, Idempotency_Key=KEY)
    tables = ("api_tokens", "api_assertions", "remote_challenges", "kept_replies")
    assert [await count(stand, table) for table in tables] == [1, 1, 1, 1]
    stand.clock.advance(700)
    await stand.server.upkeep.tidy(stand.clock.now)
    assert [await count(stand, table) for table in tables] == [0, 0, 0, 0]


async def test_an_answer_is_kept_for_who_brings_the_key_again_and_for_nobody_who_has_the_files(tmp_path: Path) -> None:
    """A PPID, and the handle with which a browser opens a reading: in no file but where the person's own row is."""
    async with run_stand(tmp_path, systems=API_SYSTEMS) as stand:
        await stand.terminal("library-1")
        asker = await open_asker(stand)
        client = asker.api
        challenge = await client.challenge()
        verdict = await client.post(
            "validations", client.build_validation(challenge, stand.card()), Idempotency_Key=KEY
        )
        body = {"system": SYSTEM, "service": "facility", "terminal": "library-1", "nonce": "n" * 16}
        asked = await client.post("readings", {**body, "redirect": REDIRECT}, Idempotency_Key=KEY[::-1])
        async with stand.server.store.read() as transaction:
            rows = (await transaction.connection.execute(text("SELECT * FROM kept_replies"))).all()
        kept = repr([tuple(row) for row in rows])
        assert len(rows) == 2
        handle = asked.json()["authorization_uri"][-43:]
        secrets = (verdict.json()["ppid"], verdict.json()["reference"], handle, KEY, KEY[::-1])
        assert [secret for secret in secrets if secret in kept] == []
        files = b"".join(path.read_bytes() for path in stand.data.rglob("*") if path.is_file())
        assert [secret for secret in (handle, KEY, KEY[::-1]) if secret.encode() in files] == []
        again = await client.post("readings", {**body, "redirect": REDIRECT}, Idempotency_Key=KEY[::-1])
        assert again.text == asked.text
    async with run_stand(tmp_path, stand.clock, systems=API_SYSTEMS) as restarted:
        client.http = open_http(restarted)
        after = await client.post("readings", {**body, "redirect": REDIRECT}, Idempotency_Key=KEY[::-1])
        assert (after.text, after.headers["idempotency-replayed"]) == (asked.text, "true")
