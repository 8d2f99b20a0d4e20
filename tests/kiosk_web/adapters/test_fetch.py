"""The fetcher against a real peer on 127.0.0.1 that misbehaves in every way: a failure is a value, no exception."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from kiosk_web.adapters.fetch import HttpFetcher
from kiosk_web.pki.plan import FetchFailure
from tests.support.ocsp_responder import Exchange, serve

BODY = b"\x30\x03\x0a\x01\x03"
REQUEST = b"\x30\x00request"

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def good(exchange: Exchange) -> None:
    await exchange.send(BODY)


async def reset(exchange: Exchange) -> None:
    exchange.reset()


async def silence(_exchange: Exchange) -> None:
    await asyncio.Event().wait()


async def drip(exchange: Exchange) -> None:
    await exchange.send_raw(f"HTTP/1.1 200 OK\r\nContent-Type: {'application/ocsp-response'}\r\n\r\n".encode())
    while True:
        await exchange.send_raw(b"\x30")
        await asyncio.sleep(0.01)


async def endless(exchange: Exchange) -> None:
    await exchange.send_raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n\r\n")
    while True:
        await exchange.send_raw(bytes(65536))


async def huge_by_its_own_word(exchange: Exchange) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\nContent-Length: 1000000000\r\n\r\n"
    await exchange.send_raw(head.encode())


async def dies_mid_answer(exchange: Exchange) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\nContent-Length: 100\r\n\r\n"
    await exchange.send_raw(head.encode() + BODY)
    exchange.writer.close()


async def not_http(exchange: Exchange) -> None:
    await exchange.send_raw(b"220 mail.example ESMTP\r\n\r\n")


async def redirect(exchange: Exchange) -> None:
    await exchange.send(b"", status="302 Found", headers="Location: /elsewhere\r\n")


async def status_500(exchange: Exchange) -> None:
    await exchange.send(BODY, status="500 Internal Server Error")


async def web_page(exchange: Exchange) -> None:
    await exchange.send(BODY, content_type="text/html; charset=utf-8")


async def compressed(exchange: Exchange) -> None:
    await exchange.send(BODY, headers="Content-Encoding: gzip\r\n")


async def test_the_body_of_a_proper_answer_comes_back() -> None:
    async with serve(good) as served, HttpFetcher() as fetcher:
        assert await fetcher.fetch_ocsp(served.url, REQUEST) == BODY
        assert served.requests == [REQUEST]
    head = served.heads[0].lower()
    assert head.startswith("post /ocsp http/1.1")
    assert "content-type: application/ocsp-request" in head
    assert "cookie" not in head


async def test_the_connection_is_kept() -> None:
    async with serve(good) as served, HttpFetcher() as fetcher:
        for _ in range(5):
            assert await fetcher.fetch_ocsp(served.url, REQUEST) == BODY
        assert (len(served.requests), served.connections) == (5, 1)


@pytest.mark.parametrize(
    ("handler", "failure"),
    [
        (reset, "reset"),
        (dies_mid_answer, "reset"),
        (not_http, "reset"),
        (redirect, "redirect"),
        (status_500, "http_status"),
        (web_page, "content_type"),
        (compressed, "content_type"),
        (endless, "too_large"),
        (huge_by_its_own_word, "too_large"),
    ],
)
async def test_every_misbehaviour_has_its_name(handler: Callable[[Exchange], Awaitable[None]], failure: str) -> None:
    async with serve(handler) as served, HttpFetcher() as fetcher:
        result = await fetcher.fetch_ocsp(served.url, REQUEST)
    assert isinstance(result, FetchFailure)
    assert result.kind == failure
    assert "request" not in result.detail


@pytest.mark.parametrize("handler", [silence, drip])
async def test_slowness_ends_with_the_budget(handler: Callable[[Exchange], Awaitable[None]]) -> None:
    async with serve(handler) as served, HttpFetcher(phase=30, budget=0.2) as fetcher:
        result = await fetcher.fetch_ocsp(served.url, REQUEST)
        assert result == FetchFailure("timeout", "budget")


async def test_a_phase_that_takes_too_long_is_tried_once_more() -> None:
    async with serve(silence) as served, HttpFetcher(phase=0.1, budget=30) as fetcher:
        assert await fetcher.fetch_ocsp(served.url, REQUEST) == FetchFailure("timeout", "ReadTimeout")
        assert len(served.requests) == 2


async def test_a_refused_connection_has_its_name() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port, and nobody answers
        async with HttpFetcher() as fetcher:
            result = await fetcher.fetch_ocsp(f"http://127.0.0.1:{held.getsockname()[1]}/", REQUEST)
    assert result == FetchFailure("refused", "ConnectError")


async def test_a_failed_transport_is_tried_once_more_and_not_twice() -> None:
    async with serve(reset, good) as served, HttpFetcher() as fetcher:
        assert await fetcher.fetch_ocsp(served.url, REQUEST) == BODY
        assert len(served.requests) == 2
    async with serve(reset, reset, good) as served, HttpFetcher() as fetcher:
        assert isinstance(await fetcher.fetch_ocsp(served.url, REQUEST), FetchFailure)
        assert len(served.requests) == 2


@pytest.mark.parametrize("handler", [status_500, redirect, web_page])
async def test_an_answer_is_not_asked_for_twice(handler: Callable[[Exchange], Awaitable[None]]) -> None:
    async with serve(handler, good) as served, HttpFetcher() as fetcher:
        assert isinstance(await fetcher.fetch_ocsp(served.url, REQUEST), FetchFailure)
        assert len(served.requests) == 1


async def test_after_a_failure_the_next_question_is_answered() -> None:
    async with serve(endless, dies_mid_answer, dies_mid_answer, good) as served, HttpFetcher() as fetcher:
        assert isinstance(await fetcher.fetch_ocsp(served.url, REQUEST), FetchFailure)
        assert isinstance(await fetcher.fetch_ocsp(served.url, REQUEST), FetchFailure)
        assert await fetcher.fetch_ocsp(served.url, REQUEST) == BODY


@pytest.mark.parametrize(
    "address", ["ftp://127.0.0.1/", "nonsense", "http://", "http://[::1", "http://127.0.0.1:99999/"]
)
async def test_an_address_that_is_none_is_a_failure_too(address: str) -> None:
    async with HttpFetcher() as fetcher:
        result = await fetcher.fetch_ocsp(address, REQUEST)
    assert isinstance(result, FetchFailure)
    assert result.kind == "address"


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with serve(good) as served, HttpFetcher() as fetcher:
        assert await fetcher.fetch_ocsp(served.url, REQUEST) == BODY


async def test_a_cancelled_question_is_cancelled() -> None:
    asked = asyncio.Event()

    async def hold(_exchange: Exchange) -> None:
        asked.set()
        await asyncio.Event().wait()

    async with serve(hold) as served, HttpFetcher() as fetcher:
        task = asyncio.create_task(fetcher.fetch_ocsp(served.url, REQUEST))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
