"""Small real HTTP responders on 127.0.0.1: one that a test scripts answer by answer, and OpenSSL's own.

`serve(handler)` speaks just enough HTTP/1.1 for one client and lets a test misbehave in any way a peer can.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.jpki import Issued, Root, choose_hash

CONTENT_TYPE = "application/ocsp-response"


@dataclass
class Exchange:
    """One request as it arrived, and the ways to answer it."""

    head: str
    body: bytes
    writer: asyncio.StreamWriter

    async def send(
        self, body: bytes, *, status: str = "200 OK", content_type: str = CONTENT_TYPE, headers: str = ""
    ) -> None:
        """A proper answer; the connection stays open."""
        head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        await self.send_raw(head.encode() + body)

    async def send_raw(self, data: bytes) -> None:
        """Any bytes."""
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Drop the connection without a word."""
        self.writer.transport.abort()


Handler = Callable[[Exchange], Awaitable[None]]


@dataclass
class Served:
    """A running responder: its address, and what arrived."""

    url: str
    requests: list[bytes] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    connections: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a client has ended a connection."""


@contextlib.asynccontextmanager
async def serve(*handlers: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Served]:
    """Answer the n-th request with the n-th handler, and all later ones with the last."""
    served = Served("")
    writers: list[asyncio.StreamWriter] = []

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.connections += 1
        writers.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lengths = [line[15:] for line in head.split("\r\n") if line.lower().startswith("content-length")]
                body = await reader.readexactly(int(lengths[0]) if lengths else 0)
                served.requests.append(body)
                served.heads.append(head)
                await handlers[min(len(served.requests), len(handlers)) - 1](Exchange(head, body, writer))
        served.left.set()
        writer.close()

    server = await asyncio.start_server(connect, "127.0.0.1", 0, ssl=tls)
    served.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}/ocsp"
    try:
        yield served
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await server.wait_closed()


def write_openssl_index(path: Path, entries: list[tuple[int, str, datetime | None]]) -> None:
    """The CA database of `openssl ocsp`: (serial, "V" or "R,reason", time of revocation)."""
    lines = []
    for serial, status, at in entries:
        flag, _, reason = status.partition(",")
        number = f"{serial:X}"
        number = number.zfill(len(number) + len(number) % 2)
        revoked = f"{at:%y%m%d%H%M%SZ}{',' + reason if reason else ''}" if at else ""
        lines.append(f"{flag}\t330101000000Z\t{revoked}\t{number}\tunknown\t/CN=nobody\n")
    path.write_text("".join(lines))
    path.with_suffix(".txt.attr").write_text("unique_subject = no\n")


@contextlib.contextmanager
def run_openssl_responder(folder: Path, root: Root, signer: Issued, *, minutes: int | None = 15) -> Iterator[str]:
    """`openssl ocsp` with the index in `folder/index.txt`; yields its address. A responder nobody here wrote."""
    (folder / "ca.pem").write_bytes(root.certificate.public_bytes(Encoding.PEM))
    (folder / "signer.pem").write_bytes(signer.certificate.public_bytes(Encoding.PEM))
    (folder / "signer.key").write_bytes(signer.key_pem)
    command = ["openssl", "ocsp", "-port", "0", "-index", "index.txt", "-CA", "ca.pem"]
    command += ["-rsigner", "signer.pem", "-rkey", "signer.key", "-rmd", choose_hash(signer.key).name, "-ignore_err"]
    command += ["-nmin", str(minutes)] if minutes else []
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        try:
            accepting = next((line for line in process.stdout if line.startswith("ACCEPT")), None)
            assert accepting is not None, "openssl ocsp ended"
            yield f"http://127.0.0.1:{accepting.split()[1].rpartition(':')[2]}/"
        finally:
            process.terminate()
            process.wait()
