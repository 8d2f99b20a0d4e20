"""The HTTP client of every fetcher: aiohttp, with nothing of the environment, with nothing kept but connections, and
with an end to what a peer can make us read.

No proxy variables, no `.netrc`, no cookies, no cache of names, no unpacking; redirects are not followed (each request
says so). A kept connection is of use only while it is silent: bytes that nobody asked for end it, so that they are
never taken for the answer to the next question.
"""

from __future__ import annotations

import asyncio
from collections.abc import Container
from functools import lru_cache
from typing import Any, Literal, cast

import aiohttp
from aiohttp import hdrs
from aiohttp.abc import AbstractResolver
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.resolver import ThreadedResolver
from multidict import CIMultiDictProxy
from yarl import URL

KEPT_SECONDS = 60.0
"""How long a connection without a question is kept."""

MAX_HEADERS = 64
MAX_LINE = 4096
"""Of the status line, and of a header's name and value together."""

Trouble = Literal["address", "refused", "reset", "timeout"]


class ShortBody(bytes):
    """A body that goes in one piece with the head of its request.

    On Python 3.11 aiohttp writes a body in a task of its own, which costs a turn of the loop and a tenth of the time
    of a question to a responder near by. What it takes from aiohttp is watched by `test_http_session.py`.
    """


@lru_cache(maxsize=4096)
def read_address(text: str) -> URL | None:
    """An `http` or `https` address that can be dialled, or None. A port out of range or a label too long, for two,
    would be found by the operating system alone.
    """
    try:
        address = URL(text)
        host, port = address.raw_host, address.port
        (host or "").encode("idna")
    except ValueError:
        return None
    return address if address.scheme in ("http", "https") and host and port else None


def open_session(
    *,
    phase: float,
    connections: int,
    headers: dict[str, str],
    most: int | None,
    resolver: AbstractResolver | None = None,
) -> aiohttp.ClientSession:
    """A session of the running loop. `phase`: the longest wait in seconds for a connection, and for the next bytes.

    `most`: bytes that are taken for one answer in all, heads, answers of 1xx and chunk sizes included; None where the
    body is counted anyway and may be large. `resolver`: what finds the addresses of a name, if not the system alone.
    """

    class MeteredRequest(_MeteredRequest):
        allowance = most

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=connections,
            keepalive_timeout=KEPT_SECONDS,
            use_dns_cache=False,
            resolver=resolver or ThreadedResolver(),
        ),
        timeout=aiohttp.ClientTimeout(total=None, connect=phase, sock_read=phase),
        headers={"Accept-Encoding": "identity", "User-Agent": "mynumber-kiosk", **headers},
        request_class=MeteredRequest,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        max_line_size=MAX_LINE,
        max_field_size=MAX_LINE,
        max_headers=MAX_HEADERS,
    )


def name_trouble(error: aiohttp.ClientError) -> tuple[Trouble, str]:
    """What failed, and at what. Nothing is quoted: neither the address nor the peer."""
    if isinstance(error, aiohttp.InvalidURL):
        return "address", ""
    if isinstance(error, aiohttp.ServerTimeoutError):
        return "timeout", "connect" if isinstance(error, aiohttp.ConnectionTimeoutError) else "read"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "refused", "connect"
    return "reset", "protocol" if isinstance(error, aiohttp.ClientResponseError) else "closed"


def is_plain(response: aiohttp.ClientResponse, types: Container[str]) -> bool:
    """Is the body of one of these types, by the one header that says so, and not packed?"""
    headers = response.headers
    kinds = headers.getall(hdrs.CONTENT_TYPE, ())
    return (
        len(kinds) == 1
        and kinds[0].partition(";")[0].strip().lower() in types
        and _says_only(headers, hdrs.CONTENT_ENCODING, "identity")
        and _says_only(headers, hdrs.TRANSFER_ENCODING, "chunked")
    )


def is_longer(response: aiohttp.ClientResponse, limit: int) -> bool:
    """Does the body have more than `limit` bytes by the peer's own word?"""
    lengths = response.headers.getall(hdrs.CONTENT_LENGTH, ())
    return any(length.isdecimal() and int(length[:20]) > limit for length in lengths)


def _says_only(headers: CIMultiDictProxy[str], name: str, value: str) -> bool:
    return name not in headers or all(said.strip().lower() == value for said in headers.getall(name))


class _MeteredRequest(ClientRequest):
    """A request that is not sent where something came before it."""

    allowance: int | None = None
    beside_head = True
    """False once aiohttp has been seen to write a head by other means; short bodies go its ordinary way then."""

    _short: bytes = b""

    def update_body_from_data(self, body: object, *rest: Any, **more: Any) -> None:
        """Keep a `ShortBody` back: aiohttp sends the head of a request without a body at once."""
        if isinstance(body, ShortBody) and _MeteredRequest.beside_head:
            self._short, body = body, None
            self.headers[hdrs.CONTENT_LENGTH] = str(len(self._short))
        super().update_body_from_data(body, *rest, **more)

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        protocol, transport = conn.protocol, conn.transport
        if protocol is None or transport is None or protocol.should_close or protocol.writing_paused:
            raise aiohttp.ServerDisconnectedError
        meter = transport.get_protocol()
        if not isinstance(meter, _Meter):
            meter = _Meter(transport, cast("asyncio.Protocol", meter))
            transport.set_protocol(meter)
        meter.left = self.allowance
        conn.add_callback(meter.expect_silence)
        if not self._short:
            return await super().send(conn)
        joining = _JoiningTransport(transport, self._short)
        protocol.transport = cast("asyncio.Transport", joining)
        try:
            response = await super().send(conn)
        finally:
            protocol.transport = transport
        if not joining.joined:
            _MeteredRequest.beside_head = False
            raise aiohttp.ServerDisconnectedError  # whoever asks once more is answered
        return response


class _JoiningTransport:
    """Stands for a transport while the head of a request is written, and sends `body` in the same piece."""

    def __init__(self, transport: asyncio.Transport, body: bytes) -> None:
        self._transport = transport
        self._body = body
        self.joined = False

    def write(self, head: bytes) -> None:
        self._transport.write(head if self.joined else head + self._body)
        self.joined = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _Meter(asyncio.Protocol):
    """Stands between a connection and aiohttp, and ends the connection after `left` more bytes; None counts none."""

    def __init__(self, transport: asyncio.Transport, reader: asyncio.Protocol) -> None:
        self._transport = transport
        self._reader = reader
        self.left: int | None = None

    def expect_silence(self) -> None:
        self.left = 0

    def data_received(self, data: bytes) -> None:
        if self.left == 0:
            self._transport.abort()
            return
        if self.left is not None:
            self.left = max(0, self.left - len(data))
        self._reader.data_received(data)

    def eof_received(self) -> bool | None:
        return self._reader.eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        self._reader.connection_lost(error)

    def pause_writing(self) -> None:
        self._reader.pause_writing()

    def resume_writing(self) -> None:
        self._reader.resume_writing()
