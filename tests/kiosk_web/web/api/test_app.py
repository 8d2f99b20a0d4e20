"""The gate of the API, its place beside the staff pages, and what it says when something breaks."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from kiosk_web.log import configure_log
from kiosk_web.services.api.validation import RemoteValidationService
from kiosk_web.web.render import STATIC
from tests.support.api_client import API, ORIGIN, SYSTEM, ApiClient, open_http, problem, register, set_body_seconds
from tests.support.kiosk_server import Stand, run_stand

pytestmark = pytest.mark.anyio


async def test_the_residents_listener_has_no_api(stand: Stand) -> None:
    async with stand.client() as resident:
        assert (await resident.get("/api/v1/openapi.json")).status_code == 404
        assert (await resident.get("/api/v1/docs")).status_code == 404


async def test_the_staff_pages_stay_as_they_are(stand: Stand) -> None:
    async with open_http(stand) as http:
        page = await http.get("/")
        assert (page.status_code, "text/html" in page.headers["content-type"]) == (200, True)
        assert (await http.get("/api/v1")).status_code == 404
        assert (await http.get("/healthz")).json() == {"status": "ok"}


async def test_every_answer_has_a_name_and_the_same_headers(client: ApiClient) -> None:
    answers = [
        await client.http.get("/api/v1/docs"),
        await client.http.get("/api/v1/openapi.json"),
        await client.http.get("/api/v1/nothing"),
        await client.http.get("/api/v1/challenges"),
        await client.post("challenges", {"system": SYSTEM, "origin": ORIGIN}),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 404, 405, 201]
    assert len({answer.headers["request-id"] for answer in answers}) == 5
    for answer in answers:
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert problem(answers[2]) == (404, "not_found")
    assert problem(answers[3]) == (405, "method_not_allowed")
    assert answers[3].headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ([("Host", "evil.example")], "host_refused"),
        ([("Host", "localhost")], "host_refused"),
        ([("Host", "localhost:8482"), ("Host", "localhost:8482")], "host_refused"),
        ([("Host", "localhost:8482"), ("Origin", "http://localhost:8482")], "browser_refused"),
        ([("Host", "localhost:8482"), ("Origin", "null")], "browser_refused"),
    ],
)
async def test_another_host_and_every_web_page_are_refused(
    client: ApiClient, headers: list[tuple[str, str]], code: str
) -> None:
    request = httpx2.Request("POST", f"{API}/api/v1/challenges", headers=headers, content=b"{}")
    assert problem(await client.http.send(request))[1] == code


async def test_the_page_for_people_gets_its_fonts(client: ApiClient) -> None:
    """Chromium sends an Origin with them, though they are the page's own."""
    font = next(STATIC.glob("fonts/*-400-*.woff2")).name
    path = f"{API}/api/v1/static/fonts/{font}"
    assert (await client.http.get(path, headers={"Origin": API})).status_code == 200
    refused = await client.http.get(path.replace("localhost", "evil.example"), headers={"Origin": API})
    assert problem(refused)[1] == "host_refused"


async def test_production_has_no_api_unless_it_is_configured(tmp_path: Path) -> None:
    async with run_stand(tmp_path) as stand:
        demo = stand.server.settings
    assert demo.api_url == "http://localhost:8482"
    production = demo.model_copy(update={"deployment": "production"})
    assert production.api_url is None
    public = "https://kiosk-api.example.lg.jp"
    async with run_stand(tmp_path, api={"url": public}) as stand:
        client = await register(stand)
        assert problem(await client.ask_token())[1] == "host_refused"
        client.http.base_url = httpx2.URL(public)
        at_home = await client.ask_token()
        assert problem(at_home) == (401, "assertion_refused")  # signed for another token endpoint
        answer = await client.ask_token(client.sign_assertion(aud=f"{public}/api/v1/token"))
        assert answer.status_code == 200
        assert (await client.http.get("/api/v1/openapi.json")).json()["servers"] == [{"url": public}]


async def test_a_crash_is_answered_by_name_and_told_in_the_log_without_values(
    client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_down(*arguments: object) -> None:
        raise RuntimeError("with a secret value")

    monkeypatch.setattr(RemoteValidationService, "issue_challenge", break_down)
    stream = io.StringIO()
    configure_log(stream)
    key = "0123456789abcdef"
    answer = await client.post("challenges", {"system": SYSTEM, "origin": ORIGIN}, Idempotency_Key=key)
    assert problem(answer) == (500, "internal")
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line["error"], line["request"]) for line in told] == [
        ("api", "RuntimeError", answer.headers["request-id"])
    ]
    assert "secret" not in stream.getvalue() + answer.text
    monkeypatch.undo()
    again = await client.post("challenges", {"system": SYSTEM, "origin": ORIGIN}, Idempotency_Key=key)
    assert again.status_code == 201  # the failure took no place


async def test_a_body_that_does_not_arrive_is_given_up(stand: Stand, client: ApiClient) -> None:
    """The body's time is over as soon as it began: what counts is that nobody waits for the rest."""
    set_body_seconds(stand, 0.0)
    never = asyncio.Event()

    async def drip() -> Any:
        yield b'{"system":'
        await never.wait()

    headers = {"Authorization": f"Bearer {client.token}", "Content-Type": "application/json"}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/challenges",
        "raw_path": b"/api/v1/challenges",
        "query_string": b"",
        "headers": [
            (name.lower().encode(), value.encode()) for name, value in {"Host": "localhost:8482", **headers}.items()
        ],
    }
    sent: list[Any] = []
    chunks = drip()

    async def receive() -> Any:
        return {"type": "http.request", "body": await anext(chunks), "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    await stand.server.staff(scope, receive, send)
    assert sent[0]["status"] == 408
    assert dict(sent[0]["headers"])[b"connection"] == b"close"
    assert json.loads(sent[1]["body"])["code"] == "request_too_slow"
