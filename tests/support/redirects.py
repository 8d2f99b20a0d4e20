"""A counter PC whose browser a municipal system sends to the terminal's page and gets back, in tests of the server."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx2

from tests.support.api_client import API, register
from tests.support.jpki import Issued
from tests.support.kiosk_server import Stand
from tests.support.readings import Asker
from tests.support.terminal import Stage, Terminal

BACK = "https://booking.example.lg.jp/kiosk/return"
VERIFIER = "v" * 43
STATE = "state-of-the-session-1"


def derive_challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


REDIRECT = {
    "redirect_uri": BACK,
    "state": STATE,
    "code_challenge": derive_challenge(VERIFIER),
    "code_challenge_method": "S256",
}


@dataclass
class Desk:
    """A counter PC: its terminal, in whose browser the system's page is, and the system."""

    stand: Stand
    terminal: Terminal
    asker: Asker

    async def ask(self, *, basic_four: bool = False) -> str:
        """The one-time address to which the system sends the browser."""
        answer = await self.asker.ask(redirect=REDIRECT, basic_four=basic_four)
        assert answer.status_code == 201, answer.text
        assert answer.json()["state"] == "waiting"
        return str(answer.json()["authorization_uri"])

    async def arrive(self, address: str, terminal: Terminal | None = None) -> httpx2.Response:
        """The browser opens the address: a page that proves its bridge, hears of the reader, and hands over."""
        at = terminal or self.terminal
        assert (await at.open_page()).state == "choosing_service"
        await at.take_card()
        return await self.hand_over(address, at)

    async def hand_over(self, address: str, terminal: Terminal | None = None) -> httpx2.Response:
        (uri,) = parse_qs(urlsplit(address).query)["request_uri"]
        return await (terminal or self.terminal).post("/k/readings", {"v": 1, "request_uri": uri})

    async def leave(self, terminal: Terminal | None = None) -> str:
        """Where the server sends the browser."""
        answer = await (terminal or self.terminal).client.get("/k/readings/return")
        assert answer.status_code == 303
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        return str(answer.headers["location"])

    async def redeem(self, code: str, asker: Asker | None = None, **changes: str) -> httpx2.Response:
        body = {"code": code, "redirect_uri": BACK, "code_verifier": VERIFIER, **changes}
        return await (asker or self.asker).api.post("redirected-readings", body)

    async def read(self, card: Issued) -> Stage:
        """Card and 暗証番号, from the screen of the request on, and the card taken at the end."""
        stage = await self.terminal.put_card()
        self.terminal.ticket = stage.commands[0]["arguments"]["ticket"]
        await self.terminal.read_card(card)
        await self.stand.server.sessions.settle()
        await self.terminal.submit_pin()
        return await self.terminal.sign(card)

    async def decline(self) -> str:
        """Asked, opened, declined, and back: the code."""
        assert (await self.arrive(await self.ask())).status_code == 200
        assert (await self.terminal.send("cancelled")).state == "choosing_service"
        return read_answer(await self.leave())["code"]


def read_answer(address: str) -> dict[str, str]:
    """What the system's page gets: code, state and issuer, at its own address, and nothing else."""
    assert address.startswith(f"{BACK}?")
    query = {name: value for name, (value,) in parse_qs(urlsplit(address).query, strict_parsing=True).items()}
    assert query.keys() == {"code", "state", "iss"}
    assert query["iss"] == API
    return query


async def open_asker(stand: Stand, name: str = "counter", back: tuple[str, ...] = (BACK,)) -> Asker:
    return Asker(await (await register(stand, name, terminals=("library-1",), redirect_uris=back)).sign_in())
