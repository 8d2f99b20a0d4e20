"""A clerk's browser goes to the terminal's page and comes back: what binds the way there to the way back.

Everything that protects it is kept here, under the cookie of this browser: `state`, the PKCE verifier and the nonce.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


class Api(Protocol):
    """`kiosk_api.py`."""

    address: str

    def ask(self, nonce: str, redirect: dict[str, str]) -> dict[str, Any]: ...
    def redeem(self, code: str, redirect_uri: str, verifier: str, reading: str) -> dict[str, Any]: ...
    def acknowledge(self, receipt: str) -> None: ...
    def open_result(self, result: str, reading: str, nonce: str) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Pending:
    """One request that is under way. `state` came with the address that the browser was sent to."""

    state: str
    verifier: str
    nonce: str
    reading: str


class Visits:
    """`redirect_uri` is the address that is registered for this client."""

    def __init__(self, api: Api, redirect_uri: str) -> None:
        self._api = api
        self._redirect_uri = redirect_uri
        self._lock = threading.Lock()
        self._pending: dict[str, Pending] = {}

    def start(self) -> tuple[str, str]:
        """A value for this browser's cookie, and where to send the browser. Raises `OSError` where nobody may ask."""
        state, verifier, nonce, cookie = (secrets.token_urlsafe(32) for _ in range(4))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        redirect = {
            "redirect_uri": self._redirect_uri,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        asked = self._api.ask(nonce, redirect)
        with self._lock:
            self._pending[cookie] = Pending(state, verifier, nonce, asked["id"])
        return cookie, asked["authorization_uri"]

    def finish(self, cookie: str, query: Mapping[str, str]) -> dict[str, Any]:
        """What came back: `state` of the reading, with `done` the verified claims as `claims`, and the `receipt` for
        `acknowledge` once they are stored.

        Raises `ValueError` for an address that this browser did not ask for, and `OSError`.
        """
        with self._lock:
            pending = self._pending.pop(cookie, None)
        if pending is None or not hmac.compare_digest(query.get("state", ""), pending.state):
            raise ValueError("this browser did not ask")
        if query.get("iss") != self._api.address:
            raise ValueError("another kiosk sent the browser back")
        ended = self._api.redeem(query.get("code", ""), self._redirect_uri, pending.verifier, pending.reading)
        if ended["id"] != pending.reading:
            raise ValueError("the code is another request's")
        claims = None
        if ended["state"] == "done":
            claims = self._api.open_result(ended["result"] or "", pending.reading, pending.nonce)
        return {"state": ended["state"], "claims": claims, "receipt": ended["receipt"]}

    def acknowledge(self, receipt: str) -> None:
        """What came back is stored. If the kiosk does not hear of it, it forgets the result by itself."""
        with contextlib.suppress(OSError):
            self._api.acknowledge(receipt)
