"""The register over HTTP: what it answers is read strictly, and whatever goes wrong is silence with a name."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any

import pytest
from aiohttp import web

from kiosk_web.adapters.register_http import HttpRegister
from kiosk_web.identity.persons import CertificateName
from kiosk_web.identity.standing import HolderStanding
from kiosk_web.services.persons.register import Predecessor, RegisterSilent
from tests.support.web_server import serve

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
KEY = bytes(range(20))
SINCE = date(2026, 11, 1)
GOOD: dict[str, Any] = {"renewed_to": None, "signature_certificate": "valid", "items_changed_at": None}


@asynccontextmanager
async def serve_register(
    answer: Callable[[web.Request], Awaitable[web.Response]], budget: float = 5
) -> AsyncIterator[HttpRegister]:
    """A real server on 127.0.0.1, and the adapter that asks it."""
    async with (
        serve(answer) as port,
        HttpRegister(f"http://127.0.0.1:{port}/services/", budget=budget, clock=lambda: NOW) as register,
    ):
        yield register


def always(content: object, status: int = 200) -> AbstractAsyncContextManager[HttpRegister]:
    async def answer(request: web.Request) -> web.Response:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return web.Response(status=status, body=body, content_type="application/json")

    return serve_register(answer)


async def test_a_question_names_the_certificate_and_nothing_else() -> None:
    asked: list[tuple[str, Any]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.path, await request.json()))
        return web.json_response({"predecessor": {"issuer_key_id": "0a0b", "serial": 7}, **GOOD})

    async with serve_register(answer) as register:
        assert await register.find_predecessor(KEY, 9) == Predecessor(CertificateName(b"\n\x0b", 7))
        assert await register.fetch_standing(KEY, 9, SINCE) == HolderStanding("valid", "unchanged", SINCE, NOW)
    question = {"issuer_key_id": KEY.hex(), "serial": 9}
    assert asked == [
        ("/services/predecessor", question),
        ("/services/standing", question),
    ]


@pytest.mark.parametrize(
    ("changed_at", "since", "items"),
    [
        (None, SINCE, "unchanged"),
        ("2026-10-31T14:59:59+00:00", SINCE, "unchanged"),  # 23:59:59 of the day before, in Japan
        ("2026-10-31T15:00:00+00:00", SINCE, "changed"),
        ("2026-11-20T00:00:00+09:00", SINCE, "changed"),
        ("2026-11-20T00:00:00+09:00", None, "unknown"),
        (None, None, "unknown"),
    ],
)
async def test_a_change_since_the_last_confirmation(changed_at: str | None, since: date | None, items: str) -> None:
    async with always({**GOOD, "items_changed_at": changed_at}) as register:
        assert (await register.fetch_standing(KEY, 9, since)).items == items


@pytest.mark.parametrize("state", ["valid", "revoked", "expired", "none_issued"])
async def test_each_state_of_the_signature_certificate(state: str) -> None:
    async with always({**GOOD, "signature_certificate": state}) as register:
        assert (await register.fetch_standing(KEY, 9, SINCE)).signature == state


BROKEN: list[object] = [
    b"",
    b"not json",
    b"[" * 3000,
    [],
    {},
    {**GOOD, "signature_certificate": "good"},
    {**GOOD, "signature_certificate": "unknown"},
    {**GOOD, "signature_certificate": None},
    {**GOOD, "items_changed_at": "yesterday"},
    {**GOOD, "items_changed_at": "2026-11-20T00:00:00"},
    {**GOOD, "items_changed_at": 5},
    {"signature_certificate": "valid"},
    {**GOOD, "more": "x" * 5000},
]


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
async def test_an_answer_out_of_form_is_unknown_in_both_respects(content: object) -> None:
    async with always(content) as register:
        assert await register.fetch_standing(KEY, 9, SINCE) == HolderStanding(since=SINCE, why="malformed")


@pytest.mark.parametrize(
    "predecessor",
    [{}, [], 5, {"issuer_key_id": "zz", "serial": 1}, {"issuer_key_id": "aa", "serial": True},
     {"issuer_key_id": "aa", "serial": 0}, {"issuer_key_id": "aa", "serial": "1"}, {"serial": 1}],
)  # fmt: skip
async def test_a_predecessor_out_of_form_is_none(predecessor: object) -> None:
    async with always({"predecessor": predecessor}) as register:
        assert await register.find_predecessor(KEY, 9) == RegisterSilent("malformed")


@pytest.mark.parametrize(("status", "why"), [(404, "unknown_certificate"), (500, "refused"), (302, "refused")])
async def test_another_status_is_silence(status: int, why: str) -> None:
    async with always({**GOOD, "predecessor": None}, status) as register:
        assert (await register.fetch_standing(KEY, 9, SINCE)).why == why
        answer = await register.find_predecessor(KEY, 9)
        assert isinstance(answer, RegisterSilent)
        assert answer.why == why


async def test_a_register_that_is_not_there_or_never_answers_is_silence() -> None:
    waiting = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await waiting.wait()
        return web.json_response(GOOD)

    async with serve_register(hang, budget=0.05) as register:
        assert await register.fetch_standing(KEY, 9, SINCE) == HolderStanding(since=SINCE, why="timeout")
        waiting.set()
    for url in ("http://127.0.0.1:9/", "http://", "ftp://x"):
        async with HttpRegister(url, budget=5, clock=lambda: NOW) as register:
            assert await register.find_predecessor(KEY, 9) == RegisterSilent("unreachable")


async def test_an_answer_of_another_type_or_packed_is_not_read() -> None:
    async def text(request: web.Request) -> web.Response:
        return web.Response(text=json.dumps(GOOD))

    async def packed(request: web.Request) -> web.Response:
        headers = {"Content-Encoding": "br", "Content-Type": "application/json"}
        return web.Response(body=json.dumps(GOOD).encode(), headers=headers)

    for answer in (text, packed):
        async with serve_register(answer) as register:
            assert (await register.fetch_standing(KEY, 9, SINCE)).why == "malformed"


async def test_a_certificate_that_replaced_none_is_an_answer_and_the_first_serial_is_one() -> None:
    async with always({"predecessor": None}) as register:
        assert await register.find_predecessor(KEY, 9) == Predecessor(None)
    async with always({"predecessor": {"issuer_key_id": "aa", "serial": 1}}) as register:
        assert await register.find_predecessor(KEY, 9) == Predecessor(CertificateName(b"\xaa", 1))


async def test_a_redirect_is_followed_nowhere() -> None:
    asked: list[str] = []

    async def send_on(request: web.Request) -> web.Response:
        asked.append(request.path)
        if request.path == "/elsewhere":
            return web.json_response({"predecessor": None, **GOOD})
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with serve_register(send_on) as register:
        assert await register.find_predecessor(KEY, 9) == RegisterSilent("refused")
    assert asked == ["/services/predecessor"]


@pytest.mark.parametrize("content", ["predecessor signature_certificate items_changed_at", 5, None, True])
async def test_an_answer_that_is_no_object_is_out_of_form(content: object) -> None:
    async with always(content) as register:
        assert await register.find_predecessor(KEY, 9) == RegisterSilent("malformed")


@pytest.mark.parametrize(("length", "why"), [(4096, ""), (4097, "malformed")])
async def test_an_answer_that_does_not_say_its_length_is_counted(length: int, why: str) -> None:
    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(json.dumps(GOOD).encode().ljust(length))
        return response

    async with serve_register(stream) as register:  # type: ignore[arg-type]  # a response, too
        assert (await register.fetch_standing(KEY, 9, SINCE)).why == why
