"""The head of a request on a real socket: as long and as slow as a program needs, and no longer."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from kiosk_web import listener
from kiosk_web.listener import MOST_HEAD, build_listener, open_socket

pytestmark = pytest.mark.anyio
BEGIN = b"GET / HTTP/1.1\r\nHost: here\r\n"


@pytest.fixture
async def address(anyio_backend: str) -> AsyncIterator[tuple[str, int]]:
    with open_socket("127.0.0.1", 0, "port") as opened:
        serving = build_listener(PlainTextResponse("served"))
        running = asyncio.create_task(serving.serve([opened]))
        await serving.answers.wait()
        yield opened.getsockname()
        serving.should_exit = True
        await running


@contextlib.asynccontextmanager
async def connected(address: tuple[str, int]) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(*address, family=socket.AF_INET)
    try:
        yield reader, writer
    finally:
        writer.close()


async def read_to_the_end(reader: asyncio.StreamReader) -> bytes:
    with contextlib.suppress(ConnectionError):
        return await reader.read()
    return b""


async def test_a_head_in_two_parts_is_served_and_the_connection_used_again(address: tuple[str, int]) -> None:
    async with connected(address) as (reader, writer):
        for _ in range(2):
            writer.write(BEGIN)
            await writer.drain()
            writer.write(b"X: " + b"a" * 1000 + b"\r\n\r\n")
            assert (await reader.readuntil(b"served")).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("piece", [b"a" * 4096, b"X: a\r\n" * 700], ids=["one field", "many fields"])
async def test_a_head_that_does_not_end_is_cut_off(address: tuple[str, int], piece: bytes) -> None:
    async with connected(address) as (reader, writer):
        writer.write(BEGIN + b"X: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(100 * MOST_HEAD // len(piece)):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)  # the server's turn
            pytest.fail("three megabytes of one head were taken")
        assert await read_to_the_end(reader) == b""


@pytest.mark.parametrize("sent", [b"", BEGIN, BEGIN + b"\r\n" + BEGIN], ids=["nothing", "half", "a second half"])
async def test_a_head_that_does_not_come_is_not_waited_for(
    address: tuple[str, int], sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "HEAD_SECONDS", 0.05)
    async with connected(address) as (reader, writer):
        writer.write(sent)
        answer = await read_to_the_end(reader)
        assert answer.count(b"200 OK") == sent.count(b"\r\n\r\n")


LATE = asyncio.Event()


async def play(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body, at `/late` once it may; at `/stream` the answer has no end, at `/much` it is more than
    anybody's buffers.
    """
    if scope["path"] == "/late":
        await LATE.wait()
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/stream":
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        await receive()
    body = bytes(16_000_000) if scope["path"] == "/much" else b"served"
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def narrow(anyio_backend: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[str, int]]:
    """A listener for eight connections."""
    monkeypatch.setattr(listener, "MOST_CONNECTIONS", 8)
    monkeypatch.setattr(listener, "ROOM", 2)
    with open_socket("127.0.0.1", 0, "port") as opened:
        serving = build_listener(play)
        running = asyncio.create_task(serving.serve([opened]))
        await serving.answers.wait()
        yield opened.getsockname()
        serving.should_exit = True
        await running


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        BEGIN,
        b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 5\r\n\r\nx",
        BEGIN + b"\r\n",
        b"GET /much HTTP/1.1\r\nHost: here\r\n\r\n",
    ],
    ids=["nothing", "half a head", "half a body", "a request, and nothing more", "nothing is read"],
)
async def test_many_who_let_the_server_wait_keep_nobody_out(narrow: tuple[str, int], sent: bytes) -> None:
    async with contextlib.AsyncExitStack() as stack:
        stream, asking = await stack.enter_async_context(connected(narrow))
        asking.write(b"GET /stream HTTP/1.1\r\nHost: here\r\n\r\n")
        await stream.readuntil(b"begun")
        idle = []
        for _ in range(20):
            reader, writer = await stack.enter_async_context(connected(narrow))
            writer.write(sent)
            if sent.startswith(b"GET /") and sent.endswith(b"\r\n\r\n"):
                await reader.readuntil(b"\r\n\r\n")  # the answer has begun
            idle.append(reader)
        async with connected(narrow) as (reader, writer):
            writer.write(BEGIN + b"\r\n")
            assert (await reader.readuntil(b"served")).startswith(b"HTTP/1.1 200 OK")
        await read_to_the_end(idle[0])  # the first of them is cut
        assert not stream.at_eof()  # what is being answered is not


async def test_an_upload_that_waits_for_the_server_is_not_cut(narrow: tuple[str, int]) -> None:
    body = bytes(200_000)  # more than is read ahead
    LATE.clear()
    async with contextlib.AsyncExitStack() as stack:
        answer, upload = await stack.enter_async_context(connected(narrow))
        upload.write(b"POST /late HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        for _ in range(20):
            await stack.enter_async_context(connected(narrow))
        LATE.set()
        assert (await answer.readuntil(b"served")).startswith(b"HTTP/1.1 200 OK")
