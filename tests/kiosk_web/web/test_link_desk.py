"""The link desk: exact matches only, JSON from our own page only, refusals in words, and no list of anybody."""

from __future__ import annotations

import re
from typing import Any

import httpx2
import pytest

from kiosk_web.errors import SettingsError
from kiosk_web.services.ports.kazashi import KazashiEnrolment
from kiosk_web.settings.server import load_settings
from tests.support.kiosk_server import Stand
from tests.support.numbers import number

pytestmark = pytest.mark.anyio
FIRST = number(1)
LIBRARY = "city-library"


def client(stand: Stand) -> httpx2.AsyncClient:
    address = f"http://localhost:{stand.server.settings.staff_port}"
    transport = httpx2.ASGITransport(stand.server.staff, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url=address, headers={"Origin": address})


async def post(desk: httpx2.AsyncClient, action: str, **fields: str) -> httpx2.Response:
    body: dict[str, Any] = {"v": 1, "system": LIBRARY, "number": "", "reference": "", "by": "鈴木", "reason": "desk"}
    return await desk.post(f"/links/{action}", json={**body, **fields})


def refusal(answer: httpx2.Response) -> str:
    found = re.search(r'data-refusal="([a-z_]*)"', answer.text)
    assert found is not None, answer.text
    return found.group(1)


async def visit(stand: Stand) -> str:
    terminal = await stand.opened()
    assert (await stand.identify(terminal, stand.card(1), "library")).state == "result"
    return (await stand.read_result(terminal)).visit.reference


async def test_staff_find_link_and_unlink(stand: Stand) -> None:
    reference = await visit(stand)
    async with client(stand) as desk:
        page = (await desk.get("/links")).text
        assert f'value="{LIBRARY}"' in page
        assert "facility-booking" not in page  # its links are kept by the municipality
        assert "まだ連携登録していません" in (await post(desk, "find", reference=reference)).text
        added = await post(desk, "add", reference=reference, number=FIRST)
        assert (refusal(added), FIRST in added.text) == ("", True)
        assert FIRST in (await post(desk, "find", reference=reference)).text
        found = await desk.post(
            "/links/find?lang=en",
            json={"v": 1, "system": LIBRARY, "number": FIRST, "reference": "", "by": "a", "reason": "b"},
        )
        assert "Linked since" in found.text
        assert refusal(await post(desk, "end", number=FIRST)) == ""
        assert refusal(await post(desk, "find", number=FIRST)) == "not_linked"


async def test_staff_end_kazashi_where_it_is_registered(stand: Stand) -> None:
    reference = await visit(stand)
    async with client(stand) as desk:
        assert 'data-action="kazashi"' in (await desk.get("/links")).text
        assert refusal(await post(desk, "kazashi", reference=reference)) == "kazashi_not_registered"
        async with stand.server.store.write() as transaction:
            seen = await transaction.links.find_visit(reference, stand.clock())
            assert seen is not None
            await transaction.kazashi.replace(
                KazashiEnrolment(b"\1" * 32, seen.person, b"key", stand.clock(), stand.clock())
            )
        answer = await post(desk, "kazashi", reference=reference)
        assert refusal(answer) == ""
        assert "暗証番号を入力してもらいます" in answer.text
        assert refusal(await post(desk, "kazashi", reference=reference)) == "kazashi_not_registered"


async def test_a_refusal_is_told_in_words_with_its_name(stand: Stand) -> None:
    async with client(stand) as desk:
        answer = await post(desk, "add", reference="AAAA-AAAA", number=FIRST)
        assert refusal(answer) == "visit_unknown"
        assert "もう一度、端末で受付をしてください" in answer.text
        assert refusal(await post(desk, "find", number="12")) == "number_malformed"
        assert refusal(await post(desk, "find", number=FIRST, reason="")) == "reason_missing"
        assert refusal(await post(desk, "find", number=FIRST, by=" ")) == "name_missing"
        assert "<b>" not in (await post(desk, "find", number="<b>")).text


async def test_part_of_a_number_or_a_pattern_finds_nobody(stand: Stand) -> None:
    reference = await visit(stand)
    async with client(stand) as desk:
        await post(desk, "add", reference=reference, number=FIRST)
        for text in (FIRST[:9], "%", "__________", "*", ".*", ""):
            assert refusal(await post(desk, "find", number=text)) != ""


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "text/plain"},
    ],
)
async def test_another_site_cannot_ask(stand: Stand, headers: dict[str, str]) -> None:
    async with client(stand) as desk:
        body = {"v": 1, "system": LIBRARY, "number": FIRST, "reference": "", "by": "a", "reason": "b"}
        answer = await desk.post("/links/find", json=body, headers=headers)
        assert answer.status_code in (403, 415)
        assert (await desk.get("/links/find")).status_code == 405
        async with stand.server.store.read() as transaction:
            assert await transaction.staff_audit.list_latest(1) == ()


async def test_a_body_out_of_form_is_refused(stand: Stand) -> None:
    async with client(stand) as desk:
        for body in ({}, {"v": 1}, {"v": 1, "system": LIBRARY, "number": 5, "reference": "", "by": "", "reason": ""}):
            assert (await desk.post("/links/find", json=body)).status_code == 400
        assert (await post(desk, "find", number="1\n2")).status_code == 400
        assert (await post(desk, "find", extra="1")).status_code == 400


async def test_residents_have_no_desk(stand: Stand) -> None:
    async with stand.client() as page:
        assert (await page.get("/links")).status_code == 404


def test_production_serves_it_on_the_loopback_address_only() -> None:
    with pytest.raises(SettingsError, match="staff_host"):
        load_settings({"deployment": "production", "staff_host": "0.0.0.0"}, {})
