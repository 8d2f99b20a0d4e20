"""What a responder, or somebody in its place, can do to a client: each way with the word it must end in.

Handlers for `ocsp_responder.serve`. `BODY` is an answer that says `tryLater`, for what still counts as an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from tests.support.ocsp_responder import CONTENT_TYPE, Exchange

BODY = b"\x30\x03\x0a\x01\x03"
OK = f"HTTP/1.1 200 OK\r\nContent-Type: {CONTENT_TYPE}\r\n"
GIGABYTE = 10**9

Behaviour = Callable[[Exchange], Awaitable[None]]


def say(*pieces: str | bytes, then_close: bool = False) -> Behaviour:
    """Send these pieces, one write each; the connection stays open, or not."""

    async def handle(exchange: Exchange) -> None:
        for piece in pieces:
            await exchange.send_raw(piece.encode() if isinstance(piece, str) else piece)
        if then_close:
            exchange.writer.close()

    return handle


def repeat(first: str | bytes, again: str | bytes, pause: float = 0) -> Behaviour:
    """Send `first`, then `again` for ever, with a pause of so many seconds in between."""
    head, piece = (part.encode() if isinstance(part, str) else part for part in (first, again))

    async def handle(exchange: Exchange) -> None:
        await exchange.send_raw(head)
        while True:
            await exchange.send_raw(piece)
            await asyncio.sleep(pause)

    return handle


async def reset(exchange: Exchange) -> None:
    exchange.reset()


async def silence(_exchange: Exchange) -> None:
    await asyncio.Event().wait()


def chunked(*chunks: bytes, end: str = "0\r\n\r\n") -> str:
    """A whole answer in chunks."""
    parts = "".join(f"{len(chunk):x}\r\n{chunk.decode('latin-1')}\r\n" for chunk in chunks)
    return f"{OK}Transfer-Encoding: chunked\r\n\r\n{parts}{end}"


def sized(body: bytes, length: int | str, extra: str = "") -> bytes:
    """A whole answer whose Content-Length says `length`."""
    return f"{OK}Content-Length: {length}\r\n{extra}\r\n".encode() + body


BAD: dict[str, tuple[Behaviour, str]] = {
    "reset": (reset, "reset"),
    "closes without a word": (say(then_close=True), "reset"),
    "dies in the status line": (say("HTTP/1.", then_close=True), "reset"),
    "dies in the head": (say(OK, then_close=True), "reset"),
    "dies mid-answer": (say(sized(BODY, 100), then_close=True), "reset"),
    "dies mid-chunk": (say(f"{OK}Transfer-Encoding: chunked\r\n\r\n64\r\nabc", then_close=True), "reset"),
    "dies between chunks": (say(chunked(BODY, end=""), then_close=True), "reset"),
    "another protocol": (say("220 mail.example ESMTP\r\n\r\n"), "reset"),
    "TLS on a plain port": (say(bytes.fromhex("15030300020228"), then_close=True), "reset"),
    "HTTP/2": (say(bytes.fromhex("000000040000000000"), then_close=True), "reset"),
    "HTTP/0.9": (say(BODY, then_close=True), "reset"),
    "status that is no number": (say("HTTP/1.1 2OO OK\r\n\r\n"), "reset"),
    "a head without end": (repeat(OK, "X-More: and more\r\n"), "reset"),
    "one header without end": (repeat(OK + "X-More: ", "and more"), "reset"),
    "header without a colon": (say(OK + "no colon here\r\n\r\n"), "reset"),
    "NUL in a header": (say(OK + "X: a\0b\r\n\r\n"), "reset"),
    "100 Continue for ever": (repeat("", "HTTP/1.1 100 Continue\r\n\r\n"), "reset"),
    "switches protocols": (
        say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"),
        "http_status",
    ),
    "length below zero": (say(sized(BODY, -5)), "reset"),
    "length with a sign": (say(sized(BODY, "+5")), "reset"),
    "length that is no number": (say(sized(BODY, "five")), "reset"),
    "length beyond all": (say(sized(BODY, "9" * 40)), "reset"),
    "two lengths": (say(sized(BODY, 5, "Content-Length: 6\r\n")), "reset"),
    "length and chunks": (say(sized(b"5\r\nabcde\r\n0\r\n\r\n", 15, "Transfer-Encoding: chunked\r\n")), "reset"),
    "chunk size that is no number": (say(f"{OK}Transfer-Encoding: chunked\r\n\r\nxyz\r\n"), "reset"),
    "chunk size beyond all": (say(f"{OK}Transfer-Encoding: chunked\r\n\r\n{'f' * 40}\r\n"), "reset"),
    "a longer body than said": (say(sized(BODY + b"more than that", 5)), "reset"),
    "bytes after the last chunk": (say(chunked(BODY), b"more than that"), "reset"),
    "chunk longer than it says": (say(f"{OK}Transfer-Encoding: chunked\r\n\r\n2\r\nabcdef\r\n0\r\n\r\n"), "reset"),
    "gzip as transfer encoding": (say(f"{OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), "content_type"),
    "body without end": (repeat(OK + "\r\n", bytes(65536)), "too_large"),
    "a gigabyte by its own word": (say(sized(b"", GIGABYTE)), "too_large"),
    "a gigabyte": (repeat(sized(b"", 20 * 1024), bytes(65536)), "reset"),
    "a gigabyte in one chunk": (
        repeat(f"{OK}Transfer-Encoding: chunked\r\n\r\n{GIGABYTE:x}\r\n", bytes(65536)),
        "too_large",
    ),
    "chunks without end": (
        repeat(f"{OK}Transfer-Encoding: chunked\r\n\r\n", "400\r\n" + "x" * 1024 + "\r\n"),
        "too_large",
    ),
    "chunks of one byte": (
        repeat(f"{OK}Transfer-Encoding: chunked\r\n\r\n", "1;" + "x" * 60 + "\r\n0\r\n"),
        "reset",
    ),
    "trailer without end": (repeat(chunked(BODY, end="0\r\n"), "X-More: and more\r\n"), "reset"),
    "compressed": (
        say(sized(gzip.compress(BODY), len(gzip.compress(BODY)), "Content-Encoding: gzip\r\n")),
        "content_type",
    ),
    "compressed twice": (say(sized(BODY, 5, "Content-Encoding: identity\r\nContent-Encoding: br\r\n")), "content_type"),
    "two content types": (say(sized(BODY, 5, "Content-Type: text/html\r\n")), "content_type"),
    "a web page": (
        say("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>"),
        "content_type",
    ),
    "no content type": (say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", BODY), "content_type"),
    "no content": (say("HTTP/1.1 204 No Content\r\n\r\n"), "http_status"),
    "part of a content": (say(f"HTTP/1.1 206 Partial Content\r\nContent-Type: {CONTENT_TYPE}\r\n\r\n"), "http_status"),
    "not modified": (say("HTTP/1.1 304 Not Modified\r\n\r\n"), "redirect"),
    "redirect": (
        say("HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"),
        "redirect",
    ),
    "out of order": (
        say("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"),
        "http_status",
    ),
    "asks for a password": (
        say('HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="x"\r\n\r\n'),
        "http_status",
    ),
}
"""Each ends in the word beside it."""

SLOW: dict[str, Behaviour] = {
    "silence": silence,
    "silence after the head": say(sized(b"", 100)),
    "a shorter body than said": say(sized(BODY, 6)),
    "drips its head": repeat(OK, "X: y\r\n", 0.01),
    "drips its body": repeat(OK + "\r\n", b"\x30", 0.01),
    "drips chunks": repeat(f"{OK}Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", 0.01),
    "drips 100 Continue": repeat("", "HTTP/1.1 100 Continue\r\n\r\n", 0.01),
}
"""Each ends with the budget."""

GOOD: dict[str, Behaviour] = {
    "as it should be": say(sized(BODY, 5)),
    "in two pieces": say(sized(BODY[:2], 5), BODY[2:]),
    "byte by byte": say(*(bytes([octet]) for octet in sized(BODY, 5))),
    "in chunks": say(chunked(BODY[:1], BODY[1:])),
    "in chunks with extensions and a trailer": say(
        f"{OK}Transfer-Encoding: chunked\r\n\r\n5;a=b\r\n{BODY.decode('latin-1')}\r\n0\r\nX: y\r\n\r\n"
    ),
    "after 100 Continue": say("HTTP/1.1 100 Continue\r\n\r\n", sized(BODY, 5)),
    "after early hints": say("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", sized(BODY, 5)),
    "HTTP/1.0 that closes": say(
        f"HTTP/1.0 200 OK\r\nContent-Type: {CONTENT_TYPE}\r\n\r\n".encode() + BODY, then_close=True
    ),
    "without a length, and closes": say(OK.encode() + b"\r\n" + BODY, then_close=True),
    "with a length, and closes": say(sized(BODY, 5, "Connection: close\r\n"), then_close=True),
    "content type with parameters": say(
        f"HTTP/1.1 200 OK\r\nContent-Type: {CONTENT_TYPE.upper()}; charset=x\r\nContent-Length: 5\r\n\r\n", BODY
    ),
    "with an empty line after it": say(sized(BODY, 5) + b"\r\n"),
    "identity by name": say(sized(BODY, 5, "Content-Encoding: identity\r\n")),
}
"""Each brings `BODY` back."""

FOLLOWED: dict[str, Behaviour] = {
    "another answer at once": say(sized(BODY, 5) + sized(b"\x30\x03\x0a\x01\x00", 5)),
    "another answer afterwards": say(sized(BODY, 5), sized(b"\x30\x03\x0a\x01\x00", 5)),
}
"""Each brings `BODY` back and nothing of what follows it, now or with the next question."""


@dataclass
class Counted:
    """How many bytes were written to a client."""

    octets: int = 0


@contextlib.contextmanager
def count_written(exchange: Exchange, counted: Counted) -> Iterator[None]:
    """Count what a behaviour writes while it lasts."""
    write = exchange.writer.write

    def counting(data: bytes) -> None:
        counted.octets += len(data)
        write(data)

    exchange.writer.write = counting  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        exchange.writer.write = write  # type: ignore[method-assign]
