"""The server of the measurement, in a process of its own: the API as it is wired, a list in force, and beside it an
endpoint that does nothing.

`python -m tests.bench.api.server FOLDER` prints one line of JSON (address, token, certificate, key), then serves until
its standard input ends.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvloop
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kiosk_web.adapters.crl_files import CrlShelf
from kiosk_web.pki.crl_status import judge_crl_status
from kiosk_web.pki.crl_trust import CrlPolicy
from kiosk_web.pki.status import name_outcome
from kiosk_web.pki.trust import TrustedCertificate, TrustPolicy, TrustStore, judge_trust_of_bytes
from kiosk_web.server import settle_memory
from kiosk_web.wiring import crl_index
from tests.support.api_client import encode, register
from tests.support.api_server import serve_api
from tests.support.crl_stand import ORDINARY, SilentWatcher, offer, town_point
from tests.support.crl_writer import build_list, encode_entry
from tests.support.kiosk_server import Clock, Stand

ENTRIES = 10_000
HOUR = timedelta(hours=1)


async def do_nothing(request: Request) -> Response:
    """Reads JSON, answers JSON: how much time on the processor this process has used."""
    json.loads(await request.body())
    return JSONResponse({"processor": time.process_time()})


@dataclass(frozen=True)
class BareCheck:
    """What the sheet's authors measured beside the no-op: load, path to the anchor, look-up; nothing else is done."""

    clock: Clock
    anchors: TrustStore
    shelf: CrlShelf
    trust_policy: TrustPolicy = field(default_factory=TrustPolicy)
    list_policy: CrlPolicy = field(default_factory=CrlPolicy)

    async def __call__(self, request: Request) -> Response:
        now = self.clock()
        der = base64.b64decode(json.loads(await request.body())["certificate"])
        trust = judge_trust_of_bytes(der, self.anchors, self.trust_policy, now)
        assert isinstance(trust, TrustedCertificate)
        findings = self.shelf.look_up(trust)
        status = judge_crl_status(trust, findings, self.list_policy, now, certificate_mark=None, list_marks={})
        return JSONResponse({"outcome": name_outcome(status)})


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
        check = BareCheck(stand.clock, TrustStore([stand.root.anchor]), crl_index.open_shelf(stand.server.settings))
        api.api.app.app.router.routes.append(Route("/api/v1/check", check.__call__, methods=["POST"]))
        settle_memory()  # as `kiosk serve` does
        card = stand.card()
        pem = card.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        told = {"address": address, "token": answer.json()["access_token"], "certificate": encode(card.der)}
        print(json.dumps({**told, "key": pem.decode()}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1])))
