"""A municipal system of Type 1 that asks for readings, and its judgement of what it is told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx2
import jwt

from tests.support.api_client import API, SYSTEM, ApiClient, register
from tests.support.jpki import Issued
from tests.support.kiosk_server import Stand
from tests.support.terminal import Stage, Terminal

NONCE = "n0nce-of-the-client-1234"
TITLE = {"ja": "体育館の利用登録", "en": "Registration for the gymnasium"}


@dataclass
class Asker:
    """One client that may ask at `library-1`."""

    api: ApiClient

    async def ask(self, **changes: Any) -> httpx2.Response:
        usual = {"system": SYSTEM, "service": "facility", "terminal": "library-1", "nonce": NONCE, "title": TITLE}
        body = {name: value for name, value in {**usual, **changes}.items() if value is not None}
        return await self.api.post("readings", body)

    async def show(self, reading: str, query: str = "") -> httpx2.Response:
        return await self._call("GET", reading + query)

    async def cancel(self, reading: str) -> httpx2.Response:
        return await self._call("DELETE", reading)

    async def acknowledge(self, receipt: str) -> httpx2.Response:
        return await self.api.post("receipts", {"receipt": receipt})

    async def _call(self, method: str, path: str) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.api.token}"}
        return await self.api.http.request(method, f"/api/v1/readings/{path}", headers=headers)

    async def open_result(self, result: str) -> dict[str, Any]:
        """As docs/readings.md says: by the published keys, for this client and nobody else."""
        answer = await self.api.http.get("/api/v1/keys")
        header = jwt.get_unverified_header(result)
        assert (header["typ"], header["alg"]) == ("kiosk-reading+jwt", "EdDSA")
        (key,) = [jwt.PyJWK(one) for one in answer.json()["keys"] if one["kid"] == header["kid"]]
        # The time is the stand's, not this computer's.
        options = {"verify_exp": False, "verify_iat": False}
        claims: dict[str, Any] = jwt.decode(
            result, key, algorithms=["EdDSA"], audience=self.api.name, issuer=API, options=options
        )
        assert claims["iat"] <= self.api.stand.clock.now.timestamp() < claims["exp"]
        return claims


@dataclass
class Counter:
    """A counter: the terminal with its page connected, and the system that may ask there."""

    stand: Stand
    terminal: Terminal
    asker: Asker

    async def ask(self) -> str:
        answer = await self.asker.ask()
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def look(self) -> Stage:
        return await self.terminal.send("extended")

    async def read(self, card: Issued) -> Stage:
        """Card and 暗証番号, from the screen of the request on."""
        stage = await self.terminal.put_card()
        self.terminal.ticket = stage.commands[0]["arguments"]["ticket"]
        if (await self.terminal.read_card(card)).state == "refused":
            return await self.look()
        await self.stand.server.sessions.settle()
        if (await self.look()).state == "refused":
            return await self.look()
        await self.terminal.submit_pin()
        return await self.terminal.sign(card)


async def open_asker(stand: Stand, name: str = "counter", terminals: tuple[str, ...] = ("library-1",)) -> Asker:
    """Registered for the terminals, which exist, and signed in."""
    return Asker(await (await register(stand, name, terminals=terminals)).sign_in())


def told(answer: httpx2.Response) -> str:
    """The state, or the code of the problem."""
    body = json.loads(answer.text)
    return str(body.get("state") or body["code"])
