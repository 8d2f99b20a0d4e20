"""What `http_session.py` takes from the inside of aiohttp: a new version that changes it is seen here first."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ClientRequest
from aiohttp.http_writer import StreamWriter

from kiosk_web.adapters import http_session
from kiosk_web.adapters.fetch import HttpFetcher
from tests.support.hostile_responder import BODY
from tests.support.ocsp_responder import Exchange, serve

REQUEST = b"\x30\x00request"

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def beside_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_session._MeteredRequest, "beside_head", True)


async def good(exchange: Exchange) -> None:
    await exchange.send(BODY)


async def test_a_short_body_goes_in_one_piece_with_its_head_and_without_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces: list[bytes] = []
    write = http_session._JoiningTransport.write

    def note(joining: Any, head: bytes) -> None:
        pieces.append(head)
        write(joining, head)

    monkeypatch.setattr(http_session._JoiningTransport, "write", note)
    monkeypatch.setattr(ClientRequest, "write_bytes", None)
    async with serve(good) as served, HttpFetcher() as fetcher:
        assert [await fetcher.fetch_ocsp(served.url, REQUEST) for _ in range(3)] == [BODY] * 3
        assert (served.requests, served.connections) == ([REQUEST] * 3, 1)
    assert [piece.decode() for piece in pieces] == served.heads
    assert http_session._MeteredRequest.beside_head
    for head in served.heads:
        assert head.lower().count(f"content-length: {len(REQUEST)}\r\n") == 1
        assert "transfer-encoding" not in head.lower()


async def test_a_head_that_is_written_by_other_means_costs_one_attempt_and_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(StreamWriter, "set_eof", lambda writer: None)
    async with serve(good) as served, HttpFetcher() as fetcher:
        assert [await fetcher.fetch_ocsp(served.url, REQUEST) for _ in range(3)] == [BODY] * 3
        assert served.requests == [REQUEST] * 3
    assert not http_session._MeteredRequest.beside_head


async def test_an_aiohttp_that_asks_elsewhere_for_the_body_sends_it_the_ordinary_way() -> None:
    async with (
        serve(good) as served,
        aiohttp.ClientSession() as session,
        session.post(served.url, data=http_session.ShortBody(REQUEST)) as response,
    ):
        assert await response.read() == BODY
        assert served.requests == [REQUEST]


async def test_a_connection_whose_peer_does_not_read_is_not_used_again() -> None:
    async with serve(good) as served, HttpFetcher() as fetcher:
        assert await fetcher.fetch_ocsp(served.url, REQUEST) == BODY
        assert fetcher._session is not None
        assert fetcher._session.connector is not None
        ((protocol, _),) = next(iter(fetcher._session.connector._conns.values()))
        protocol.pause_writing()
        assert await fetcher.fetch_ocsp(served.url, REQUEST) == BODY
        assert (served.requests, served.connections) == ([REQUEST] * 2, 2)
