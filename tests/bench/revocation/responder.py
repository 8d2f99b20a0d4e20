"""A responder that computes nothing: one answer to every question, so that only the transport is left.

`python -m tests.bench.revocation.responder HEX` prints its address and serves until it is ended.
"""

from __future__ import annotations

import asyncio
import sys

from tests.support.ocsp_responder import Exchange, serve


async def run(response: bytes) -> None:
    async def reply(exchange: Exchange) -> None:
        await exchange.send(response)

    async with serve(reply) as served:
        print(served.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(run(bytes.fromhex(sys.argv[1])))
