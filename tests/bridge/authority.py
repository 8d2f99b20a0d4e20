"""The server's side of the tickets, for tests: an identity key, a ticket key, one enrolled terminal."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bridge.strict_json import encode_base64url
from bridge.ticket import CHALLENGE_TYPE, HELLO_TYPE, KEY_TYPE, OUTPUT_TYPE, Terminal, derive_fingerprint

NOW = 1_795_000_000
ORIGIN = "http://127.0.0.1:8480"
ADDRESS = "127.0.0.1:8481"
DROP = object()
"""As a claim's value: the claim is left out."""


def sign_jws(key: Ed25519PrivateKey, header: Mapping[str, Any], claims: Mapping[str, Any] | bytes) -> str:
    """A compact JWS with any header and any claims."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims, separators=(",", ":")).encode()
    signed = ".".join(encode_base64url(part) for part in (json.dumps(header).encode(), payload))
    return f"{signed}.{encode_base64url(key.sign(signed.encode()))}"


def fingerprint(key: Ed25519PrivateKey) -> str:
    return derive_fingerprint(key.public_key().public_bytes_raw())


@dataclass
class Authority:
    """`now` is the server's clock in whole seconds; a test sets it."""

    identity: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    ticket_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    terminal_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    terminal_id: str = "t-test-1"
    origin: str = ORIGIN
    now: int = NOW

    @property
    def terminal(self) -> Terminal:
        return Terminal(self.terminal_id, self.origin, self.identity.public_key(), self.terminal_key)

    def statement(self, signer: Ed25519PrivateKey | None = None, **changes: Any) -> str:
        claims = {
            "iss": "kiosk",
            "kid": fingerprint(self.ticket_key),
            "x": encode_base64url(self.ticket_key.public_key().public_bytes_raw()),
            "nbf": self.now - 3600,
            "exp": self.now + 3600,
        }
        header = {"alg": "EdDSA", "typ": KEY_TYPE, "kid": fingerprint(self.identity)}
        return sign_jws(signer or self.identity, header, _changed(claims, changes))

    def hello(self, bridge_nonce: bytes, page_key: bytes, address: str = ADDRESS, /, **changes: Any) -> str:
        claims = self._common() | {
            "exp": self.now + 60,
            "address": address,
            "bridge_nonce": encode_base64url(bridge_nonce),
            "page_key": encode_base64url(page_key),
        }
        return self._ticket(HELLO_TYPE, _changed(claims, changes))

    def challenge(self, card: str, /, **changes: Any) -> str:
        claims = self._common() | {
            "exp": self.now + 180,
            "session": "s-test",
            "service": "library",
            "purpose": "identify",
            "method": "pin",
            "nonce": encode_base64url(secrets.token_bytes(32)),
            "consent": "",
            "lease": "",
            "card": card,
        }
        return self._ticket(CHALLENGE_TYPE, _changed(claims, changes))

    def output(self, card: str, number: str, /, **changes: Any) -> str:
        claims = self._common() | {
            "exp": self.now + 5,
            "session": "s-test",
            "card": card,
            "kind": "serial",
            "number": number,
        }
        return self._ticket(OUTPUT_TYPE, _changed(claims, changes))

    def _common(self) -> dict[str, Any]:
        return {
            "iss": "kiosk",
            "aud": "kiosk-bridge",
            "jti": encode_base64url(secrets.token_bytes(16)),
            "iat": self.now,
            "terminal": self.terminal_id,
            "origin": self.origin,
        }

    def _ticket(self, kind: str, claims: Mapping[str, Any]) -> str:
        return sign_jws(self.ticket_key, {"alg": "EdDSA", "typ": kind, "kid": fingerprint(self.ticket_key)}, claims)


def _changed(claims: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (dict(claims) | changes).items() if value is not DROP}
