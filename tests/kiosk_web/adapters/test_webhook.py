"""A webhook goes to the receiver of the settings and nowhere else, whatever the receiver or its name server answers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from kiosk_web.adapters.webhook import HttpWebhook, ReceiverResolver
from tests.support.web_server import Answer, serve

pytestmark = pytest.mark.anyio
NAME = "booking.example.lg.jp"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class PlayedNames(AbstractResolver):
    """A name server that answers what it is told."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host=one, port=port, family=2, proto=0, flags=0) for one in self.addresses]

    async def close(self) -> None:
        pass


@asynccontextmanager
async def receive(answer: Answer) -> AsyncIterator[tuple[int, list[str]]]:
    """Port, and the paths that were asked for."""
    heard: list[str] = []

    async def take(request: web.Request) -> web.StreamResponse:
        heard.append(request.path)
        return await answer(request)

    async with serve(take) as port:
        yield port, heard


async def accept(request: web.Request) -> web.Response:
    assert await request.read() == b"sealed"
    return web.Response(status=202, text="thanks")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_receiver_on_this_computer_is_sent_to_where_the_settings_name_it(host: str) -> None:
    names = PlayedNames("127.0.0.1")
    async with receive(accept) as (port, heard), HttpWebhook(resolver=names) as webhook:
        assert await webhook.send(f"http://{host}:{port}/readings", b"sealed", {"Kiosk-Signature": "s"}) == ""
    assert heard == ["/readings"]


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "0.0.0.0"])
async def test_a_name_that_was_turned_round_to_this_computer_or_its_link_is_not_dialled(address: str) -> None:
    async with receive(accept) as (port, heard), HttpWebhook(resolver=PlayedNames(address)) as webhook:
        assert await webhook.send(f"http://{NAME}:{port}/readings", b"sealed", {}) == "refused"
    assert heard == []


@pytest.mark.parametrize("host", ["0.0.0.0", "０.０.０.０", "[::ffff:0.0.0.0]", "169.254.169.254"])
async def test_an_address_that_is_no_receiver_is_not_dialled_however_it_is_written(host: str) -> None:
    """No name server is asked about it."""
    async with receive(accept) as (port, heard), HttpWebhook() as webhook:
        assert await webhook.send(f"http://{host}:{port}/readings", b"sealed", {}) == "address"
    assert heard == []


async def test_of_several_addresses_the_receivers_alone_are_dialled_and_each_question_is_judged_anew() -> None:
    names = PlayedNames("192.0.2.7", "127.0.0.1", "169.254.169.254")
    guarded = ReceiverResolver(names)
    assert [one["host"] for one in await guarded.resolve(NAME, 443)] == ["192.0.2.7"]
    names.addresses = ("127.0.0.1",)
    with pytest.raises(OSError, match="no receiver"):
        await guarded.resolve(NAME, 443)


async def test_a_redirect_is_a_refusal_wherever_it_leads() -> None:
    async with receive(accept) as (elsewhere, untouched):

        async def send_on(request: web.Request) -> web.Response:
            return web.Response(status=307, headers={"Location": f"http://127.0.0.1:{elsewhere}/metadata"})

        async with receive(send_on) as (port, heard), HttpWebhook() as webhook:
            assert await webhook.send(f"http://127.0.0.1:{port}/readings", b"sealed", {}) == "status_307"
    assert (heard, untouched) == (["/readings"], [])


async def test_an_answer_that_is_too_long_or_never_comes_costs_its_budget_and_no_more() -> None:
    async def keep_silent(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    async def announce(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"HTTP/1.1 102 Processing\r\n\r\n" * 1000)
                await writer.drain()

    server = await asyncio.start_server(announce, "127.0.0.1", 0)
    async with server, HttpWebhook() as webhook:
        port = server.sockets[0].getsockname()[1]
        assert await webhook.send(f"http://127.0.0.1:{port}/", b"sealed", {}) == "reset"
    async with receive(keep_silent) as (port, _), HttpWebhook(budget=0.1) as webhook:
        assert await webhook.send(f"http://127.0.0.1:{port}/", b"sealed", {}) == "timeout"


async def test_what_is_no_address_and_who_is_not_there_are_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with HttpWebhook() as webhook:
            assert await webhook.send(f"http://127.0.0.1:{taken.getsockname()[1]}/", b"sealed", {}) == "refused"
            assert await webhook.send("http://127.0.0.1:99999/", b"sealed", {}) == "address"


@pytest.mark.parametrize(
    ("status", "said"), [(200, ""), (299, ""), (300, "status_300"), (404, "status_404"), (500, "status_500")]
)
async def test_only_a_success_is_a_yes_and_the_signature_goes_along(status: int, said: str) -> None:
    heard: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append(request.headers["Kiosk-Signature"])
        return web.Response(status=status)

    async with receive(answer) as (port, _), HttpWebhook() as webhook:
        assert await webhook.send(f"http://127.0.0.1:{port}/", b"sealed", {"Kiosk-Signature": "s"}) == said
    assert heard == ["s"]
