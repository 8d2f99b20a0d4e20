"""The fetcher against a real peer on 127.0.0.1 that misbehaves in every way: a failure is a value, no exception."""

from __future__ import annotations

import asyncio
import socket
import ssl
import tracemalloc
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import connector
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kiosk_web.adapters.fetch import CONNECTIONS, HttpFetcher
from kiosk_web.pki.plan import FetchFailure
from tests.support.hostile_responder import (
    BAD,
    BODY,
    FOLLOWED,
    GOOD,
    SLOW,
    Behaviour,
    Counted,
    count_written,
    reset,
    silence,
)
from tests.support.jpki import ec_key
from tests.support.ocsp_responder import Exchange, serve

REQUEST = b"\x30\x00request"

pytestmark = pytest.mark.anyio


async def good(exchange: Exchange) -> None:
    await exchange.send(BODY)


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


@pytest.mark.parametrize(("behaviour", "word"), BAD.values(), ids=BAD.keys())
async def test_every_misbehaviour_has_its_name(behaviour: Behaviour, word: str) -> None:
    """And its bounds: little is held in memory, and little is taken from the peer, however much it has to say."""
    counted = Counted()

    async def count(exchange: Exchange) -> None:
        with count_written(exchange, counted):
            await behaviour(exchange)

    async with serve(count) as served, HttpFetcher() as fetcher:
        tracemalloc.start()
        try:
            result = await fetcher.fetch_ocsp(served.url, REQUEST)
            held = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert isinstance(result, FetchFailure)
    assert result.kind == word
    assert "request" not in result.detail
    assert held < 4 * 1024 * 1024
    assert counted.octets < 64 * 1024 * 1024


@pytest.mark.parametrize("behaviour", GOOD.values(), ids=GOOD.keys())
async def test_every_proper_form_of_an_answer_is_understood(behaviour: Behaviour) -> None:
    async with serve(behaviour) as served, HttpFetcher() as fetcher:
        assert [await fetcher.fetch_ocsp(served.url, REQUEST) for _ in range(3)] == [BODY] * 3


@pytest.mark.parametrize("behaviour", FOLLOWED.values(), ids=FOLLOWED.keys())
async def test_bytes_that_nobody_asked_for_are_no_answer_to_the_next_question(behaviour: Behaviour) -> None:
    async with serve(behaviour) as served, HttpFetcher() as fetcher:
        assert [await fetcher.fetch_ocsp(served.url, REQUEST) for _ in range(4)] == [BODY] * 4


async def test_a_connection_on_which_bytes_came_out_of_turn_is_not_used_again() -> None:
    answered = asyncio.Event()

    async def speak_out_of_turn(exchange: Exchange) -> None:
        async def speak() -> None:
            await answered.wait()
            await exchange.send(b"\x30\x03\x0a\x01\x00")

        speaking.append(asyncio.create_task(speak()))
        await exchange.send(BODY)

    speaking: list[asyncio.Task[None]] = []
    async with serve(speak_out_of_turn, good) as served, HttpFetcher() as fetcher:
        assert await fetcher.fetch_ocsp(served.url, REQUEST) == BODY
        answered.set()
        await served.left.wait()
        assert await fetcher.fetch_ocsp(served.url, REQUEST) == BODY
        assert (served.connections, len(served.requests)) == (2, 2)
        await asyncio.gather(*speaking)


async def test_a_connection_that_the_responder_closed_meanwhile_costs_no_answer() -> None:
    async def answer_and_close(exchange: Exchange) -> None:
        await exchange.send(BODY)
        exchange.writer.close()

    async with serve(answer_and_close) as served, HttpFetcher() as fetcher:
        assert [await fetcher.fetch_ocsp(served.url, REQUEST) for _ in range(5)] == [BODY] * 5


@pytest.mark.parametrize("behaviour", SLOW.values(), ids=SLOW.keys())
async def test_slowness_ends_with_the_budget(behaviour: Behaviour) -> None:
    async with serve(behaviour) as served, HttpFetcher(phase=30, budget=0.2) as fetcher:
        assert await fetcher.fetch_ocsp(served.url, REQUEST) == FetchFailure("timeout", "budget")


async def test_many_at_once_share_the_connections_there_may_be() -> None:
    async with serve(good) as served, HttpFetcher() as fetcher:
        for _ in range(2):
            answers = await asyncio.gather(*(fetcher.fetch_ocsp(served.url, REQUEST) for _ in range(100)))
            assert answers == [BODY] * 100
        assert len(served.requests) == 200
        assert served.connections <= CONNECTIONS


async def test_a_phase_that_takes_too_long_is_tried_once_more() -> None:
    async with serve(silence) as served, HttpFetcher(phase=0.1, budget=30) as fetcher:
        assert await fetcher.fetch_ocsp(served.url, REQUEST) == FetchFailure("timeout", "read")
        assert len(served.requests) == 2


async def test_a_refused_connection_has_its_name() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets the port, and nobody answers
        async with HttpFetcher() as fetcher:
            result = await fetcher.fetch_ocsp(f"http://127.0.0.1:{held.getsockname()[1]}/", REQUEST)
    assert result == FetchFailure("refused", "connect")


async def test_a_failed_transport_is_tried_once_more_and_not_twice() -> None:
    async with serve(reset, good) as served, HttpFetcher() as fetcher:
        assert await fetcher.fetch_ocsp(served.url, REQUEST) == BODY
        assert len(served.requests) == 2
    async with serve(reset, reset, good) as served, HttpFetcher() as fetcher:
        assert isinstance(await fetcher.fetch_ocsp(served.url, REQUEST), FetchFailure)
        assert len(served.requests) == 2


@pytest.mark.parametrize("name", ["out of order", "redirect", "a web page", "no content"])
async def test_an_answer_is_not_asked_for_twice(name: str) -> None:
    async with serve(BAD[name][0], good) as served, HttpFetcher() as fetcher:
        assert isinstance(await fetcher.fetch_ocsp(served.url, REQUEST), FetchFailure)
        assert len(served.requests) == 1


async def test_after_a_failure_the_next_question_is_answered() -> None:
    async with (
        serve(BAD["body without end"][0], *[BAD["dies mid-answer"][0]] * 2, good) as served,
        HttpFetcher() as fetcher,
    ):
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


def build_tls(folder: Path) -> ssl.SSLContext:
    """A server's context with a certificate for 127.0.0.1 that nobody trusts; it lies in `folder/server.pem`."""
    key = ec_key("tls", "secp256r1")
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "responder")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.pem").write_bytes(certificate.public_bytes(Encoding.PEM) + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


async def test_over_tls_the_peer_must_be_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trusting = ssl.create_default_context(cafile=None)
    async with serve(good, tls=build_tls(tmp_path)) as served, HttpFetcher() as fetcher:
        assert served.url.startswith("https://")
        assert await fetcher.fetch_ocsp(served.url, REQUEST) == FetchFailure("refused", "connect")
        assert served.requests == []
        trusting.load_verify_locations(tmp_path / "server.pem")
        monkeypatch.setattr(connector, "_SSL_CONTEXT_VERIFIED", trusting)
        assert [await fetcher.fetch_ocsp(served.url, REQUEST) for _ in range(3)] == [BODY] * 3
        assert len(served.requests) == 3
