"""The kiosk's API as this system calls it: a request for a reading, and the code that the browser brings back.

Needs PyJWT and cryptography, which the rest of this program does not.
"""

from __future__ import annotations

import json
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

SYSTEM = "facility-booking"
TITLE = {"ja": "施設予約の利用登録", "en": "Registration for bookings"}
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MOST_SECONDS = 10


class KioskApi:
    """One client of the API, registered for one terminal. `key` is a PEM file with its private Ed25519 key.

    It asks for the basic 4 information too, which its service must be allowed to.
    """

    service = "facility-registration"
    basic_four = True

    def __init__(self, address: str, client: str, key: Path, terminal: str) -> None:
        self.address = address
        self.client = client
        self._key = key.read_text()
        self._terminal = terminal
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def ask(self, nonce: str, redirect: dict[str, str]) -> dict[str, Any]:
        """Asks for a reading; the answer says where the browser is to be sent. Raises `OSError` for a refusal."""
        asked = {"system": SYSTEM, "service": self.service, "terminal": self._terminal, "nonce": nonce, "title": TITLE}
        return self._post("readings", {**asked, "basic_four": self.basic_four, "redirect": redirect})

    def redeem(self, code: str, redirect_uri: str, verifier: str, reading: str) -> dict[str, Any]:
        """How the reading ended, also where the first answer was lost. Raises `OSError` for a code that is refused."""
        brought = {"code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
        try:
            return self._post("redirected-readings", brought)
        except urllib.error.HTTPError:
            raise
        except OSError:  # lost, there or back: once the code was redeemed, the reading has the result again
            told = self._call(f"readings/{reading}")
            lost_there = told["state"] == "done" and told["result"] is None
            return self._post("redirected-readings", brought) if lost_there else told

    def acknowledge(self, receipt: str) -> None:
        """The result is stored here; it is gone there. Raises `OSError`."""
        self._post("receipts", {"receipt": receipt})

    def open_result(self, result: str, reading: str, nonce: str) -> dict[str, Any]:
        """The claims, verified by the published keys. Raises `ValueError`."""
        import jwt

        with self._open(f"{self.address}/api/v1/keys", timeout=MOST_SECONDS) as answer:
            keys = jwt.PyJWKSet.from_dict(json.load(answer))
        try:
            key = keys[jwt.get_unverified_header(result)["kid"]]
            claims = jwt.decode(result, key, algorithms=["EdDSA"], audience=self.client, issuer=self.address)
        except (jwt.PyJWTError, KeyError):
            raise ValueError("the result is not signed by the kiosk") from None
        if (claims["jti"], claims["nonce"], claims["system"]) != (reading, nonce, SYSTEM):
            raise ValueError("the result is another request's")
        return dict(claims)

    def _post(self, path: str, body: object) -> dict[str, Any]:
        return self._call(path, json.dumps(body).encode())

    def _call(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._fetch_token()}", "Content-Type": "application/json"}
        url = f"{self.address}/api/v1/{path}"
        request = urllib.request.Request(url, body, headers)  # noqa: S310 the operator names it
        with self._open(request, timeout=MOST_SECONDS) as answer:
            return dict(json.loads(answer.read() or b"{}"))

    def _fetch_token(self) -> str:
        import jwt

        endpoint = f"{self.address}/api/v1/token"
        claims: dict[str, Any] = {"iss": self.client, "sub": self.client, "aud": endpoint}
        claims |= {"exp": int(time.time()) + 50, "jti": secrets.token_hex(16)}
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": jwt.encode(claims, self._key, algorithm="EdDSA"),
        }
        with self._open(endpoint, urllib.parse.urlencode(form).encode(), timeout=MOST_SECONDS) as answer:
            return str(json.load(answer)["access_token"])
