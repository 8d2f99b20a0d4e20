"""A program of a municipality for tests: its key, its assertions, its requests, and a card at its own reader."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx2
import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import text

from kiosk_web.settings.services import DEMO_SYSTEMS, SystemSettings, WordsSettings
from kiosk_web.web.api.requests import BODY_SECONDS
from kiosk_web.wiring.api import run_clients
from tests.support.jpki import Issued
from tests.support.kiosk_server import Stand

API = "http://localhost:8482"
TOKEN_ENDPOINT = f"{API}/api/v1/token"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ORIGIN = "https://www.example.lg.jp"
SYSTEM, OTHER_SYSTEM = "facility-booking", "health-points"

API_SYSTEMS = (
    *DEMO_SYSTEMS,
    SystemSettings(id=OTHER_SYSTEM, name=WordsSettings(ja="健康ポイント", en="Health points")),
)
"""A setting for a server that two systems use by API."""

_numbers = itertools.count(1)


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def sign_as_card(card: Issued, message: bytes) -> bytes:
    """What the card makes of the bytes after VERIFY."""
    assert isinstance(card.key, rsa.RSAPrivateKey)
    return card.key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def set_body_seconds(stand: Stand, seconds: float) -> None:
    """How long every operation waits for the client, instead of ten seconds."""
    staff: Any = stand.server.staff
    admission = staff.api.app.app.routes[0].endpoint.__self__.admission
    assert admission.body_seconds == BODY_SECONDS
    object.__setattr__(admission, "body_seconds", seconds)


def dump_public(key: Any) -> bytes:
    return bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


@dataclass
class ApiClient:
    """`stand.clock` is the time of both sides."""

    stand: Stand
    name: str
    http: httpx2.AsyncClient
    key: Any = field(default_factory=Ed25519PrivateKey.generate)
    algorithm: str = "EdDSA"
    token: str = ""

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(self.stand.clock.now.timestamp())
        usual = {
            "iss": self.name,
            "sub": self.name,
            "aud": TOKEN_ENDPOINT,
            "iat": now,
            "exp": now + 60,
            "jti": f"jti-{next(_numbers)}",
        }
        return {name: value for name, value in {**usual, **changes}.items() if value is not None}

    def sign_assertion(self, **changes: Any) -> str:
        return jwt.encode(self.claims(**changes), self.key, algorithm=self.algorithm)

    async def ask_token(self, assertion: str | None = None, **changes: Any) -> httpx2.Response:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion or self.sign_assertion(),
            **changes,
        }
        data = {name: value for name, value in form.items() if value is not None}
        return await self.http.post("/api/v1/token", data=data)

    async def sign_in(self) -> ApiClient:
        answer = await self.ask_token()
        assert answer.status_code == 200, answer.text
        self.token = answer.json()["access_token"]
        return self

    async def post(self, path: str, body: Any, **headers: str) -> httpx2.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        usual = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return await self.http.post(f"/api/v1/{path}", content=content, headers={**usual, **told})

    async def challenge(self, system: str = SYSTEM, origin: str = ORIGIN) -> dict[str, Any]:
        answer = await self.post("challenges", {"system": system, "origin": origin})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def build_validation(self, challenge: dict[str, Any], card: Issued, **changes: Any) -> dict[str, Any]:
        """As docs/api.md says it: what stands before, the hash of the certificate, what stands after."""
        der = card.certificate.public_bytes(Encoding.DER)
        before, after = (base64.b64decode(challenge[name]) for name in ("message_before", "message_after"))
        message = before + hashlib.sha256(der).digest() + after
        usual = {
            "challenge": challenge["challenge"],
            "certificate": encode(der),
            "signature": encode(sign_as_card(card, message)),
        }
        return {**usual, **changes}

    async def validate(self, card: Issued, system: str = SYSTEM, **changes: Any) -> dict[str, Any]:
        challenge = await self.challenge(system)
        answer = await self.post("validations", self.build_validation(challenge, card, **changes))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


def open_http(stand: Stand) -> httpx2.AsyncClient:
    """Calls the staff listener of the server, in which the API is."""
    transport = httpx2.ASGITransport(stand.server.staff, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url=API)


async def register(
    stand: Stand,
    name: str = "portal",
    *,
    systems: Sequence[str] = (SYSTEM,),
    methods: Sequence[str] = ("ocsp", "crl", "ocsp-then-crl"),
    origins: Sequence[str] = (ORIGIN,),
    rate: int = 100_000,
    key: Any = None,
    algorithm: str = "EdDSA",
    terminals: Sequence[str] = (),
    links: Sequence[str] = (),
    redirect_uris: Sequence[str] = (),
) -> ApiClient:
    """A client in force that has not signed in."""
    own = key or Ed25519PrivateKey.generate()
    await run_clients(
        stand.server.settings,
        stand.clock,
        lambda clients: clients.add_client(
            name,
            dump_public(own),
            systems=systems,
            methods=methods,
            origins=origins,
            rate=rate,
            terminals=terminals,
            link_systems=links,
            redirect_uris=redirect_uris,
        ),
    )
    return ApiClient(stand, name, open_http(stand), own, algorithm)


def later(moment: datetime, seconds: float) -> int:
    return int((moment + timedelta(seconds=seconds)).timestamp())


def problem(answer: Any) -> tuple[int, str]:
    """Status and code, after the shape was checked."""
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["type"] == f"urn:kiosk:problem:{body['code']}"
    assert body["instance"].rpartition(":")[2] == answer.headers["request-id"]
    return body["status"], body["code"]


async def count(stand: Stand, table: str) -> int:
    async with stand.server.store.read() as transaction:
        return int((await transaction.connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one())
