"""The edge of both listeners: Host, Origin, media type, body size, and what every answer tells the browser."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2
import pytest

from tests.support.kiosk_server import ORIGIN, Stand

pytestmark = pytest.mark.anyio
STATIC = Path(__file__).parents[3] / "static"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; font-src 'self'; "
    "connect-src 'self' ws://127.0.0.1:8481; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
EVENT = b'{"v":1,"seq":1,"event":{"type":"finished"}}'
JSON = {"Origin": ORIGIN, "Content-Type": "application/json"}


async def test_every_page_has_the_policy_without_an_exception(stand: Stand) -> None:
    async with stand.client() as client:
        for path in ("/", "/static/kiosk.css", "/healthz", "/nowhere", "/k/trouble/server_lost"):
            headers = (await client.get(path)).headers
            assert headers["content-security-policy"] == POLICY
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"


async def test_an_answer_to_a_crash_is_as_guarded_as_any_other(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    async def break_down(*_given: object) -> None:
        raise RuntimeError("a defect nobody foresaw")

    monkeypatch.setattr("kiosk_web.services.terminals.pages.TerminalService.find_page", break_down)
    async with stand.client() as client:
        answer = await client.get("/k/stream")
    assert answer.status_code == 500
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert "foresaw" not in answer.text


async def test_only_static_files_may_be_kept_by_the_browser(stand: Stand) -> None:
    async with stand.client() as client:
        assert (await client.get("/")).headers["cache-control"] == "no-store"
        assert (await client.get("/static/kiosk.css")).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "host",
    ["localhost:1", "127.0.0.1", "127.0.0.1:1", "[::1]:8480", "127.0.0.1:8480.", "evil.example:8480", "", "127.1:8480"],
)
async def test_any_other_host_is_refused(stand: Stand, host: str) -> None:
    async with stand.client() as client:
        assert (await client.get("/", headers={"Host": host})).status_code == 400


async def test_two_hosts_are_refused(stand: Stand) -> None:
    async with stand.client() as client:
        answer = await client.get("/", headers=[("Host", "127.0.0.1:8480"), ("Host", "127.0.0.1:8480")])
        assert answer.status_code == 400


async def test_localhost_is_sent_to_the_literal_address(stand: Stand) -> None:
    async with stand.client() as client:
        answer = await client.get("/", headers={"Host": "localhost:8480"})
        assert (answer.status_code, answer.headers["location"]) == (307, f"{ORIGIN}/")
        assert (await client.get("/k/stream", headers={"Host": "localhost:8480"})).status_code == 400


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://localhost:8480",
        "http://127.0.0.1",
        "https://127.0.0.1:8480",
        "http://127.0.0.1:8480.",
        "http://127.0.0.1:8480/",
        "HTTP://127.0.0.1:8480",
        "http://127.0.0.1:8480.evil.example",
    ],
)
async def test_a_foreign_origin_is_refused(stand: Stand, origin: str) -> None:
    async with stand.client() as client:
        headers = {**JSON, "Origin": origin}
        assert (await client.post("/k/events", content=EVENT, headers=headers)).status_code == 403
        assert (await client.post("/k/enrol", content=EVENT, headers=headers)).status_code == 403
        assert (await client.get("/k/stream", headers={"Origin": origin})).status_code == 403


async def test_a_post_of_a_page_has_an_origin(stand: Stand) -> None:
    async with stand.client() as client:
        answer = await client.post("/k/events", content=EVENT, headers={"Content-Type": "application/json"})
        assert answer.status_code == 403


async def test_a_request_started_by_another_site_is_refused(stand: Stand) -> None:
    async with stand.client() as client:
        answer = await client.get("/k/trouble/server_lost", headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/json; a=b", ""])
async def test_a_post_is_json(stand: Stand, kind: str) -> None:
    async with stand.client() as client:
        answer = await client.post("/k/events", content=EVENT, headers={**JSON, "Content-Type": kind})
        assert answer.status_code == 415


async def test_a_body_that_is_too_long_is_refused(stand: Stand) -> None:
    terminal = await stand.opened()
    answer = await terminal.client.post("/k/events", content=b" " * 70_000, headers=JSON)
    assert answer.status_code == 413


async def test_a_malformed_event_is_a_problem_and_the_next_one_works(stand: Stand) -> None:
    terminal = await stand.opened()
    answer = await terminal.client.post("/k/events", content=b'{"v":1,"v":1}', headers=JSON)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert answer.json() == {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "duplicate key"}
    assert (await terminal.send("service_chosen", service="library")).state == "awaiting_card"


async def test_the_resident_listener_serves_no_staff_page(stand: Stand) -> None:
    async with stand.client() as client:
        assert (await client.get("/stream")).status_code == 404
        assert (await client.get("/staff")).status_code == 404


async def test_the_health_of_the_parts_is_told(stand: Stand) -> None:
    async with stand.client() as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["parts"]) == (200, {"database": "ok", "anchors": "ok"})
        await stand.server.store.close()
        (stand.data / "kiosk.sqlite3").unlink()
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["parts"]["database"]) == (503, "failed")


def staff_client(stand: Stand) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(stand.server.staff), base_url="http://localhost:8482")


async def test_the_staff_page_has_its_own_listener(stand: Stand) -> None:
    async with staff_client(stand) as client:
        assert (await client.get("/")).status_code == 200
        assert (await client.get("/k/trouble/server_lost")).status_code == 404
        assert "ws://" not in (await client.get("/")).headers["content-security-policy"]
        assert (await client.get("/", headers={"Host": "evil.example:8482"})).status_code == 400


def test_no_script_of_the_residents_page_knows_an_address_to_leave_to() -> None:
    """The page leaves by one way, and where that leads the server alone says (docs/readings.md)."""
    scripts = [
        path.read_text(encoding="utf-8")
        for path in STATIC.glob("*.js")
        if path.name not in ("desk.js", "tray.js", "staff.js", "links.js")
    ]
    moves = [
        line.strip()
        for script in scripts
        for line in script.splitlines()
        if re.search(r"location\.(replace|assign|href *=[^=])|location *= |window\.open|\.submit\(|\.action *=", line)
    ]
    assert sorted(moves) == [
        "location.replace(RETURN);",
        'location.replace(location.href.replace("//localhost", "//127.0.0.1"));',
    ]
