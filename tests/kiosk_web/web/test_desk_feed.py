"""The demo desk at the server: who may frame the pages, what the desk is told, and that without it there is neither."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from tests.support.kiosk_server import Stand, run_stand

pytestmark = pytest.mark.anyio
DESK = "http://127.0.0.1:8485"
STAFF = "http://127.0.0.1:8482"


def staff_client(stand: Stand) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=stand.server.staff), base_url=STAFF)


async def test_the_desk_alone_may_frame_the_pages(tmp_path: Path) -> None:
    async with run_stand(tmp_path, desk_origin=DESK) as stand, stand.client() as resident, staff_client(stand) as staff:
        for client in (resident, staff):
            headers = (await client.get("/")).headers
            assert f"frame-ancestors {DESK}; base-uri 'none'" in headers["content-security-policy"]
            assert "x-frame-options" not in headers


async def test_without_a_desk_nobody_frames_a_page_and_nothing_is_told(stand: Stand) -> None:
    async with stand.client() as resident, staff_client(stand) as staff:
        for client in (resident, staff):
            headers = (await client.get("/")).headers
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["x-frame-options"] == "DENY"
        assert (await staff.get("/demo/terminals")).status_code == 404


async def test_the_desk_is_told_of_terminals_that_are_connected_and_of_no_person(tmp_path: Path) -> None:
    async with run_stand(tmp_path, desk_origin=DESK) as stand, staff_client(stand) as staff, stand.client() as resident:
        assert (await staff.get("/demo/terminals")).json() == {"terminals": [], "links": 0}
        assert (await resident.get("/demo/terminals")).status_code == 404
        terminal = await stand.opened()
        with stand.server.monitoring.attend(terminal.id):
            told = (await staff.get("/demo/terminals")).json()["terminals"]
    assert [(one["state"], one["attended"], one["code"]) for one in told] == [("choosing_service", False, "")]
    assert not {"identifier", "reference", "person", "name"} & told[0].keys()
