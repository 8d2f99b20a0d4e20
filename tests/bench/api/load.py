"""Requests over connections that are kept, with nothing but sockets: the caller must not be what is measured."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

CONNECTIONS = 16


@dataclass(frozen=True)
class Caller:
    """`address` is `http://localhost:PORT`."""

    address: str
    token: str

    def build(self, path: str, body: bytes, kind: str = "application/json") -> bytes:
        head = (
            f"POST /api/v1/{path} HTTP/1.1\r\nHost: {self.address.removeprefix('http://')}\r\n"
            f"Authorization: Bearer {self.token}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def call(self, requests: Sequence[bytes]) -> tuple[list[Any], float]:
        """The bodies of all answers, and how many seconds it took. Raises RuntimeError for a refusal."""
        port = int(self.address.rpartition(":")[2])
        streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)]
        began = time.perf_counter()
        shares = [
            _call_in_turn(reader, writer, requests[number::CONNECTIONS])
            for number, (reader, writer) in enumerate(streams)
        ]
        answers = await asyncio.gather(*shares)
        seconds = time.perf_counter() - began
        for _, writer in streams:
            writer.close()
        return [json.loads(body) for share in answers for body in share], seconds

    async def stream(self, path: str, body: bytes) -> tuple[list[bytes], float]:
        """The lines of a batch and how many seconds it took; written and read at once."""
        port = int(self.address.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        began = time.perf_counter()

        async def send() -> None:
            writer.write(self.build(path, body, "application/x-ndjson"))
            await writer.drain()

        sending = asyncio.create_task(send())
        await reader.readuntil(b"\r\n\r\n")
        whole = bytearray()
        while size := int(await reader.readline(), 16):
            whole += await reader.readexactly(size)
            await reader.readexactly(2)
        await sending
        seconds = time.perf_counter() - began
        writer.close()
        return bytes(whole).splitlines(), seconds


async def _call_in_turn(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, requests: Sequence[bytes]
) -> list[bytes]:
    bodies = []
    for request in requests:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 20"):
            raise RuntimeError(f"refused: {head.splitlines()[0].decode()} {body[:200].decode()}")
        bodies.append(body)
    return bodies
