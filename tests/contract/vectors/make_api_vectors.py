"""The bytes that a card signs for a client of the API, written down from docs/wire.md 7 and docs/api.md alone.

`python -m tests.contract.vectors.make_api_vectors` writes `api_bytes.json`; a test compares.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("api_bytes.json")
NAMES = ("method", "purpose", "origin", "terminal", "session", "service")
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""RFC 8017 9.2, note 1: SHA-256."""


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def fields(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def make_vector(name: str, **changes: str) -> dict[str, Any]:
    nonce = hashlib.sha256(f"nonce of {name}".encode()).digest()
    certificate = f"stands for the certificate of {name}".encode()
    said = {
        "method": "pin",
        "purpose": "identify",
        "origin": "https://www.example.lg.jp",
        "terminal": "portal",
        "session": base64.urlsafe_b64encode(hashlib.sha256(name.encode()).digest()[:16]).rstrip(b"=").decode(),
        "service": "facility-booking",
        **changes,
    }
    before = b"kiosk-card/1\0" + fields(*(said[key].encode() for key in NAMES), nonce) + (32).to_bytes(2, "big")
    after = fields(b"", b"")
    message = before + hashlib.sha256(certificate).digest() + after
    digest = hashlib.sha256(message).digest()
    return {
        "name": name,
        "fields": {**said, "nonce": b64(nonce), "consent": "", "lease": ""},
        "certificate": b64(certificate),
        "message_before": b64(before),
        "message_after": b64(after),
        "message": b64(message),
        "digest": b64(digest),
        "digest_info": b64(DIGEST_INFO + digest),
    }


def build_text() -> str:
    """The file as it must be."""
    vectors = [
        make_vector("usual"),
        make_vector("another client and system", terminal="health-points", service="health"),
        make_vector("a long origin", origin="https://" + "a" * 60 + ".example.lg.jp:8443"),
    ]
    about = "Made by tests/contract/vectors/make_api_vectors.py from docs/api.md. Binary values are Base64."
    return json.dumps({"about": about, "vectors": vectors}, indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(build_text(), encoding="ascii", newline="\n")
