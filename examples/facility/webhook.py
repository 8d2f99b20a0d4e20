"""Is this webhook from our kiosk, of this minute, whole, and new? (docs/basic-four.md, Delivery)

Needs PyJWT and cryptography. Nothing of a delivery is opened or kept before all of it is true.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import jwt

TYPE = "kiosk-webhook+jwt"
ISSUER = "kiosk"
LIFE_SECONDS = 60
LEEWAY_SECONDS = 5  # between the clocks of two computers
PAUSE_SECONDS = 3.0  # a stranger's `kid` has us ask for keys no more often
MOST_SECONDS = 5


class WebhookRefused(Exception):
    """`code` and `sentence` are for the sender. A kiosk sends again, with a new signature."""

    def __init__(self, code: str, sentence: str, status: HTTPStatus = HTTPStatus.UNAUTHORIZED) -> None:
        super().__init__(code)
        self.code, self.sentence, self.status = code, sentence, status


class PublishedKeys:
    """The keys of one kiosk, from `GET /api/v1/keys`; `address` is its API's. Their authenticity is that of TLS: in
    use, an `https` address.
    """

    def __init__(self, address: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = f"{address}/api/v1/keys"
        self._clock = clock
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
        self._lock = threading.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._asked_at: float | None = None

    def find(self, kid: str) -> jwt.PyJWK | None:
        """None for one that the kiosk does not publish. Raises `OSError` where the kiosk cannot be asked."""
        with self._lock:
            if kid not in self._keys and (self._asked_at is None or self._clock() - self._asked_at >= PAUSE_SECONDS):
                self._keys = self._fetch()
                self._asked_at = self._clock()
            return self._keys.get(kid)

    def _fetch(self) -> dict[str, jwt.PyJWK]:
        try:
            with self._open(self._url, timeout=MOST_SECONDS) as answer:
                keys = jwt.PyJWKSet.from_dict(json.load(answer)).keys
        except urllib.error.HTTPError as refused:
            refused.close()
            raise
        except (ValueError, AttributeError, jwt.PyJWTError):
            raise OSError("these are no keys") from None
        return {key.key_id: key for key in keys if key.key_id}


class WebhookGate:
    """`system`: the cooperating system that this program is. `clock` in seconds since 1970."""

    def __init__(self, keys: PublishedKeys, system: str, clock: Callable[[], float] = time.time) -> None:
        self._keys = keys
        self._system = system
        self._clock = clock
        self._lock = threading.Lock()
        self._used: dict[tuple[str, float], float] = {}  # reading and time of a signature; until when it is fresh

    def admit(self, signature: str | None, body: bytes) -> str:
        """The id of the reading that the body is said to hold. Raises `WebhookRefused`."""
        claims = self._verify(signature)
        if not hmac.compare_digest(str(claims["body_sha256"]), hashlib.sha256(body).hexdigest()):
            raise WebhookRefused("body_changed", "The signature is over another body.")
        reading = str(claims["jti"])
        self._use(reading, float(claims["iat"]), float(claims["exp"]))
        return reading

    def _verify(self, signature: str | None) -> dict[str, Any]:
        if not signature:
            raise WebhookRefused("signature_missing", "The header Kiosk-Signature is missing.")
        wrong = WebhookRefused("signature_wrong", "Kiosk-Signature is not the kiosk's for this system.")
        try:
            header = jwt.get_unverified_header(signature)
            key = self._keys.find(str(header.get("kid")))
        except jwt.PyJWTError:
            raise wrong from None
        except OSError:
            sentence = "The kiosk's keys cannot be fetched now."
            raise WebhookRefused("keys_unavailable", sentence, HTTPStatus.SERVICE_UNAVAILABLE) from None
        if key is None:
            raise WebhookRefused("key_unknown", "Kiosk-Signature is made with a key that the kiosk does not publish.")
        try:
            claims: dict[str, Any] = jwt.decode(
                signature,
                key,
                algorithms=["EdDSA"],
                audience=self._system,
                issuer=ISSUER,
                options={"require": ["jti", "iat", "exp", "body_sha256"], "verify_exp": False, "verify_iat": False},
            )
            issued_at, expires_at = float(claims["iat"]), float(claims["exp"])
        except (jwt.PyJWTError, ValueError, TypeError):
            raise wrong from None
        if header.get("typ") != TYPE or not 0 < expires_at - issued_at <= LIFE_SECONDS:
            raise wrong
        if not issued_at - LEEWAY_SECONDS <= self._clock() < expires_at + LEEWAY_SECONDS:
            raise WebhookRefused("signature_old", "Kiosk-Signature is not of this minute: compare both clocks.")
        return claims

    def _use(self, reading: str, issued_at: float, expires_at: float) -> None:
        """Each signature counts once; it is known by what is signed, because its Base64 can be written in several ways.

        A later attempt of the kiosk for the same reading has a later time, and is let through.
        """
        with self._lock:
            now = self._clock()
            self._used = {used: until for used, until in self._used.items() if until > now}
            if (reading, issued_at) in self._used:
                raise WebhookRefused("signature_repeated", "This delivery was taken before.", HTTPStatus.CONFLICT)
            self._used[reading, issued_at] = expires_at + LEEWAY_SECONDS
