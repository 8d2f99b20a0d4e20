"""The city's client of the kiosk's API: a challenge before, a verdict after. The key never leaves this server."""

from __future__ import annotations

import secrets
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 50  # the API takes 60
TOKEN_MARGIN_SECONDS = 30
PATIENCE = aiohttp.ClientTimeout(total=20)


class ConfirmationTrouble(Exception):
    """The API cannot be reached, or refused: `code` is its word."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Confirmation:
    """`api`: such as `https://kiosk-api.example.lg.jp/api/v1`."""

    def __init__(self, api: str, client: str, system: str, origin: str, key: str) -> None:
        self._api = api
        self._client = client
        self._system = system
        self._origin = origin
        self._key = key
        self._token = ""
        self._token_ends = 0.0

    async def fetch_challenge(self) -> tuple[str, dict[str, str], int]:
        """Its name, the fields that a card signs, and for how many seconds it holds. Raises `ConfirmationTrouble`."""
        asked = {"system": self._system, "origin": self._origin}
        challenge = await self._post("challenges", asked)
        ends = datetime.fromisoformat(challenge["expires_at"])
        issued = datetime.fromisoformat(challenge["issued_at"])
        # between two times of the same clock: neither this computer's nor the resident's has to be right
        return challenge["challenge"], challenge["fields"], max(0, int((ends - issued).total_seconds()) - 5)

    async def fetch_verdict(self, challenge: str, certificate: str, signature: str) -> dict[str, Any]:
        """Both in Base64, as the resident's bridge gave them. With what the register says of the holder, once the
        verdict has accepted. Raises `ConfirmationTrouble`.
        """
        return await self._post(
            "validations",
            {"challenge": challenge, "certificate": certificate, "signature": signature, "standing": True},
        )

    async def record_confirmation(self, ppid: str) -> None:
        """The city has the basic 4 information of this person as they are today. Raises `ConfirmationTrouble`."""
        await self._post("confirmations", {"system": self._system, "ppid": ppid})

    async def _post(self, operation: str, content: dict[str, Any]) -> dict[str, Any]:
        token = await self._fetch_token()
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with (
                aiohttp.ClientSession(timeout=PATIENCE) as session,
                session.post(f"{self._api}/{operation}", json=content, headers=headers) as answer,
            ):
                said = await answer.json(content_type=None) or {}  # nothing, with 204
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError):
            raise ConfirmationTrouble("unreachable") from None
        if status >= 400:
            raise ConfirmationTrouble(str(said.get("code", status)))
        return dict(said)

    async def _fetch_token(self) -> str:
        if time.monotonic() < self._token_ends:
            return self._token
        address = f"{self._api}/token"
        claims = {
            "iss": self._client,
            "sub": self._client,
            "aud": address,
            "exp": int(time.time()) + ASSERTION_SECONDS,
            "jti": secrets.token_hex(16),
        }
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": jwt.encode(claims, self._key, algorithm="EdDSA"),
        }
        try:
            async with (
                aiohttp.ClientSession(timeout=PATIENCE) as session,
                session.post(address, data=form) as answer,
            ):
                said = await answer.json(content_type=None)
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError):
            raise ConfirmationTrouble("unreachable") from None
        if status != 200:
            raise ConfirmationTrouble(str(said.get("code", status)))
        self._token = str(said["access_token"])
        self._token_ends = time.monotonic() + int(said["expires_in"]) - TOKEN_MARGIN_SECONDS
        return self._token


def load_or_make_key(path: Path) -> Ed25519PrivateKey:
    """The client's key; a new one in a file of the owner's alone when there is none."""
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        path.touch(mode=0o600)
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return key
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise SystemExit(f"{path} holds no Ed25519 key")
    return key


def write_public_half(key: Ed25519PrivateKey) -> bytes:
    """For `kiosk client add --key`, in PEM."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def write_private_half(key: Ed25519PrivateKey) -> str:
    """In PEM, for signing."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
