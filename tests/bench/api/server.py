"""The server of the measurement, in a process of its own: the API as it is wired, a list in force, and beside it an
endpoint that does nothing.

`python -m tests.bench.api.server FOLDER` prints one line of JSON (address, token, certificate, key), then serves until
its standard input ends.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvloop
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kiosk_web.wiring import crl_index
from tests.support.api_client import encode, register
from tests.support.api_server import serve_api
from tests.support.crl_stand import ORDINARY, SilentWatcher, offer, town_point
from tests.support.crl_writer import build_list, encode_entry
from tests.support.kiosk_server import Stand

ENTRIES = 10_000
HOUR = timedelta(hours=1)


async def do_nothing(request: Request) -> Response:
    """Reads JSON, answers JSON: how much time on the processor this process has used."""
    json.loads(await request.body())
    return JSONResponse({"processor": time.process_time()})


async def take_list_in(stand: Stand) -> None:
    now = stand.clock.now.replace(microsecond=0)
    shape = replace(ORDINARY, point=town_point(), this_update=now - HOUR, next_update=now + 24 * HOUR)
    entries = [encode_entry(serial) for serial in range(1_000_000, 1_000_000 + ENTRIES)]
    await crl_index.import_lists(
        stand.server.settings, [offer(build_list(stand.root, entries, shape))], SilentWatcher(), clock=stand.clock
    )


async def serve(folder: Path) -> None:
    async with serve_api(folder) as (stand, address):
        await take_list_in(stand)
        client = await register(stand, methods=["crl"], rate=100_000)
        client.http.headers["Host"] = address.removeprefix("http://")
        answer = await client.ask_token(client.sign_assertion(aud=f"{address}/api/v1/token"))
        api: Any = stand.server.staff
        api.api.app.app.router.routes.append(Route("/api/v1/nothing", do_nothing, methods=["POST"]))
        gc.collect()
        gc.freeze()  # as `kiosk serve` does once all is built
        card = stand.card()
        pem = card.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        told = {"address": address, "token": answer.json()["access_token"], "certificate": encode(card.der)}
        print(json.dumps({**told, "key": pem.decode()}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1])))
