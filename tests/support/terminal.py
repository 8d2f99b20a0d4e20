"""A terminal in software for tests of the server: page and bridge in one, with its own key and a card.

It can also lie in every respect: each step takes what it should send.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any, Protocol

import httpx2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk_web.simulator.card_issuer import CardIssuer
from tests.support.jpki import Issued

ADDRESS = "127.0.0.1:8481"


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def fields(*values: str | bytes) -> bytes:
    """Written down again from `docs/wire.md`, so that the server is not its own judge."""
    parts = [value.encode() if isinstance(value, str) else value for value in values]
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


class CardBody(Protocol):
    """`tests/support/kazashi.py`: a card with a surface key."""

    @property
    def issued(self) -> Issued: ...
    @property
    def issuer(self) -> CardIssuer: ...
    @property
    def record(self) -> bytes: ...
    def sign(self, at: Terminal, /) -> bytes: ...


@dataclass
class Stage:
    """One fragment, read as the page reads it."""

    html: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def _attribute(self, name: str) -> str:
        found = re.search(rf"""data-{name}=(?:"([^"]*)"|'([^']*)')""", self.html)
        assert found is not None, self.html[:500]
        return unescape(found.group(1) if found.group(1) is not None else found.group(2))

    @property
    def state(self) -> str:
        return self._attribute("state")

    @property
    def code(self) -> str:
        return self._attribute("code")

    @property
    def version(self) -> int:
        return int(self._attribute("version"))

    @property
    def language(self) -> str:
        return self._attribute("lang")

    @property
    def commands(self) -> list[dict[str, Any]]:
        commands: list[dict[str, Any]] = json.loads(self._attribute("commands"))
        return commands

    @property
    def command_names(self) -> list[str]:
        return [command["name"] for command in self.commands]

    @property
    def refusal(self) -> str:
        return self.headers.get("kiosk-refusal", "")


def read_claims(ticket: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(decode(ticket.split(".")[1]))
    return claims


class Terminal:
    """`client` has the server's origin as its base address and keeps the cookie."""

    def __init__(self, client: httpx2.AsyncClient, key: Ed25519PrivateKey | None = None) -> None:
        self.client = client
        self.origin = str(client.base_url).rstrip("/")
        self.key = key or Ed25519PrivateKey.generate()
        self.id = ""
        self.counter = 0
        self.seq = 0
        self.ticket = ""
        self.instance = 0

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    async def post(self, path: str, body: object, **headers: str) -> httpx2.Response:
        return await self.client.post(path, json=body, headers={"Origin": self.origin, **headers})

    async def enrol(self, code: str) -> httpx2.Response:
        data = base64.b32decode(code.replace("-", "") + "=" * (-len(code.replace("-", "")) % 8))
        secret = data[:16]
        key = hashlib.sha256(b"kiosk-enrol-key/1\0" + secret).digest()
        answer = await self.post(
            "/k/enrol",
            {
                "v": 1,
                "code_id": encode(hashlib.sha256(b"kiosk-enrol-id/1\0" + secret).digest()[:8]),
                "public_key": encode(self.public),
                "proof": encode(hmac.digest(key, b"kiosk-enrol/1\0" + fields(self.public), "sha256")),
            },
        )
        if answer.status_code == 201:
            self.id = answer.json()["terminal"]
        return answer

    async def hello(self, **changes: object) -> httpx2.Response:
        self.bridge_nonce, self.page_key, self.bridge_key = (bytes([number]) * 32 for number in (1, 2, 3))
        body = {
            "v": 1,
            "terminal": self.id,
            "bridge_nonce": encode(self.bridge_nonce),
            "page_key": encode(self.page_key),
            "address": ADDRESS,
            **changes,
        }
        return await self.post("/k/bridge/hello", body)

    def sign_welcome(self, ticket: str, *, key: Ed25519PrivateKey | None = None, address: str = ADDRESS) -> bytes:
        message = b"kiosk-welcome/1\0" + fields(
            hashlib.sha256(ticket.encode()).digest(),
            self.id,
            self.origin,
            address,
            self.bridge_nonce,
            self.page_key,
            self.bridge_key,
        )
        return (key or self.key).sign(message)

    async def welcome(self, ticket: str, signature: bytes, *, again: bool = False) -> httpx2.Response:
        return await self.post(
            "/k/bridge/welcome",
            {
                "v": 1,
                "ticket": ticket,
                "bridge_key": encode(self.bridge_key),
                "signature": encode(signature),
                "again": again,
            },
        )

    async def open_page(self, *, again: bool = False) -> Stage:
        """A whole handshake; afterwards the client has the cookie. `again`: as the page that was open before."""
        ticket = (await self.hello()).json()["ticket"]
        answer = await self.welcome(ticket, self.sign_welcome(ticket), again=again)
        self.seq = 0
        return Stage(answer.text, answer.status_code)

    async def send(self, kind: str, **values: object) -> Stage:
        self.seq += 1
        return await self.send_as(self.seq, kind, **values)

    async def send_as(self, seq: int, kind: str, **values: object) -> Stage:
        answer = await self.post("/k/events", {"v": 1, "seq": seq, "event": {"type": kind, **values}})
        return Stage(answer.text, answer.status_code, dict(answer.headers))

    async def put_card(self) -> Stage:
        self.instance += 1
        return await self.send("card_changed", reader="ready", card="ours", instance=f"instance-{self.instance}")

    async def take_card(self) -> Stage:
        return await self.send("card_changed", reader="ready", card="none", instance="")

    def build_certificate(
        self, card: Issued, *, tries_left: int = 3, key: Ed25519PrivateKey | None = None, counter: int | None = None
    ) -> dict[str, object]:
        """The fields of `certificate_read`, countersigned."""
        self.counter = counter if counter is not None else self.counter + 1
        message = b"kiosk-evidence/1\0" + fields(
            "certificate",
            hashlib.sha256(self.ticket.encode()).digest(),
            hashlib.sha256(card.der).digest(),
            read_claims(self.ticket)["method"],
            str(tries_left),
            str(self.counter),
        )
        return {
            "challenge": read_claims(self.ticket)["jti"],
            "certificate": encode(card.der),
            "tries_left": tries_left,
            "counter": self.counter,
            "signature": encode((key or self.key).sign(message)),
        }

    def sign_card_message(self, card: Issued, **changes: str | bytes) -> bytes:
        """What the card signs, built from the ticket as a bridge builds it."""
        claims = read_claims(self.ticket)
        values: dict[str, str | bytes] = {
            "method": claims["method"],
            "purpose": claims["purpose"],
            "origin": claims["origin"],
            "terminal": claims["terminal"],
            "session": claims["session"],
            "service": claims["service"],
            "nonce": decode(claims["nonce"]),
            "certificate": hashlib.sha256(card.der).digest(),
            "consent": decode(claims["consent"]),
            "lease": claims["lease"],
            **changes,
        }
        assert isinstance(card.key, rsa.RSAPrivateKey)
        message = b"kiosk-card/1\0" + fields(*values.values())
        return card.key.sign(message, padding.PKCS1v15(), hashes.SHA256())

    def build_signed(
        self,
        card: Issued,
        *,
        signature: bytes | None = None,
        key: Ed25519PrivateKey | None = None,
        counter: int | None = None,
    ) -> dict[str, object]:
        """The fields of `signed`, countersigned."""
        self.counter = counter if counter is not None else self.counter + 1
        card_signature = signature if signature is not None else self.sign_card_message(card)
        message = b"kiosk-evidence/1\0" + fields(
            "result",
            hashlib.sha256(self.ticket.encode()).digest(),
            hashlib.sha256(card.der).digest(),
            read_claims(self.ticket)["method"],
            hashlib.sha256(card_signature).digest(),
            str(self.counter),
        )
        return {
            "challenge": read_claims(self.ticket)["jti"],
            "certificate": encode(card.der),
            "card_signature": encode(card_signature),
            "counter": self.counter,
            "signature": encode((key or self.key).sign(message)),
        }

    def build_enrolment(self, body: CardBody, **changes: bytes) -> dict[str, object]:
        """The fields of `enrolment_signed`, countersigned; `changes` replace what the card gave."""
        self.counter += 1
        given = {
            "card_signature": changes.get("card_signature", body.sign(self)),
            "record": changes.get("record", body.record),
            "issuer": changes.get("issuer", body.issuer.build_certificate()),
        }
        message = b"kiosk-evidence/1\0" + fields(
            "enrolment",
            hashlib.sha256(self.ticket.encode()).digest(),
            hashlib.sha256(body.issued.der).digest(),
            "kazashi",
            *(hashlib.sha256(value).digest() for value in given.values()),
            str(self.counter),
        )
        return {
            "challenge": read_claims(self.ticket)["jti"],
            "certificate": encode(body.issued.der),
            **{name: encode(value) for name, value in given.items()},
            "counter": self.counter,
            "signature": encode(self.key.sign(message)),
        }

    async def begin(self, service: str = "facility") -> Stage:
        """Choose and put the card; the ticket of the challenge is kept."""
        await self.send("service_chosen", service=service)
        stage = await self.put_card()
        if stage.command_names == ["read_certificate"]:
            self.ticket = stage.commands[0]["arguments"]["ticket"]
        return stage

    async def read_card(self, card: Issued, **changes: Any) -> Stage:
        return await self.send("certificate_read", **self.build_certificate(card, **changes))

    async def submit_pin(self) -> Stage:
        return await self.send("pin_submitted", challenge=read_claims(self.ticket)["jti"])

    async def sign(self, card: Issued, **changes: Any) -> Stage:
        return await self.send("signed", **self.build_signed(card, **changes))
