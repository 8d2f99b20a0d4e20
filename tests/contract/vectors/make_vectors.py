"""Compute `card_bytes.json`, the byte strings of `docs/wire.md` that bridge and server must build alike.

Nothing of `bridge` or `kiosk_web` is used here: the vectors are a third reading of the document, so a mistake in one
side cannot hide in them. Every key and nonce is fixed and made from a name; none of them is used anywhere else.

    python -m tests.contract.vectors.make_vectors        writes the file
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FILE = Path(__file__).with_name("card_bytes.json")

TERMINAL = "t-vector-1"
ORIGIN = "http://127.0.0.1:8480"
ADDRESS = "127.0.0.1:8481"
NOW = 1_795_000_000


def seed(name: str, length: int = 32) -> bytes:
    return hashlib.sha256(f"vector {name}".encode()).digest()[:length]


def b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def fields(*values: bytes) -> bytes:
    return b"".join(len(value).to_bytes(2, "big") + value for value in values)


def sha(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()


def jws(key: Ed25519PrivateKey, typ: str, claims: dict[str, Any]) -> str:
    kid = b64(sha(key.public_key().public_bytes_raw())[:16])
    if typ == "kiosk-key+jwt":
        kid = b64(sha(IDENTITY.public_key().public_bytes_raw())[:16])
    header = json.dumps({"alg": "EdDSA", "typ": typ, "kid": kid}, separators=(",", ":")).encode()
    payload = json.dumps(claims, separators=(",", ":")).encode()
    signed = f"{b64(header)}.{b64(payload)}"
    return f"{signed}.{b64(key.sign(signed.encode()))}"


IDENTITY = Ed25519PrivateKey.from_private_bytes(seed("identity key"))
TICKET = Ed25519PrivateKey.from_private_bytes(seed("ticket key"))
TERMINAL_KEY = Ed25519PrivateKey.from_private_bytes(seed("terminal key"))
PAGE = X25519PrivateKey.from_private_bytes(seed("page key"))
BRIDGE = X25519PrivateKey.from_private_bytes(seed("bridge key"))


def make_vectors() -> dict[str, Any]:
    """The content of the file."""
    identity, ticket_key, terminal_key = (
        key.public_key().public_bytes_raw() for key in (IDENTITY, TICKET, TERMINAL_KEY)
    )
    page_key, bridge_key = (key.public_key().public_bytes_raw() for key in (PAGE, BRIDGE))
    bridge_nonce, card, jti = seed("bridge nonce"), b64(seed("card", 16)), b64(seed("challenge", 16))
    certificate, card_signature = b"0\x82 stands for a certificate " + seed("certificate"), seed("signature") * 8

    statement = jws(
        IDENTITY,
        "kiosk-key+jwt",
        {"iss": "kiosk", "kid": b64(sha(ticket_key)[:16]), "x": b64(ticket_key), "nbf": NOW - 3600, "exp": NOW + 3600},
    )
    common = {"iss": "kiosk", "aud": "kiosk-bridge", "terminal": TERMINAL, "origin": ORIGIN}
    hello_claims = common | {
        "jti": b64(seed("hello", 16)),
        "iat": NOW,
        "exp": NOW + 60,
        "address": ADDRESS,
        "bridge_nonce": b64(bridge_nonce),
        "page_key": b64(page_key),
    }
    hello = jws(TICKET, "kiosk-hello+jwt", hello_claims)
    challenge_claims = common | {
        "jti": jti,
        "iat": NOW + 20,
        "exp": NOW + 200,
        "session": "s-vector-1",
        "service": "library",
        "purpose": "identify",
        "method": "pin",
        "nonce": b64(seed("nonce")),
        "consent": b64(seed("consent")),
        "lease": "",
        "card": card,
    }
    challenge = jws(TICKET, "kiosk-challenge+jwt", challenge_claims)

    output_claims = common | {
        "jti": b64(seed("output", 16)),
        "iat": NOW + 30,
        "exp": NOW + 35,
        "session": "s-vector-1",
        "card": card,
        "kind": "wedge",
        "number": "0020260418AZ",
    }
    output = jws(TICKET, "kiosk-output+jwt", output_claims)

    welcome = b"kiosk-welcome/1\0" + fields(
        sha(hello.encode()), TERMINAL.encode(), ORIGIN.encode(), ADDRESS.encode(), bridge_nonce, page_key, bridge_key
    )
    shared = PAGE.exchange(BRIDGE.public_key())
    pin_key = HKDF(algorithm=SHA256(), length=32, salt=sha(welcome), info=b"kiosk-pin/1").derive(shared)
    pin, seq, iv = b"KZ7Q4M2X9B1T", 7, seed("iv", 12)
    pin_data = b"kiosk-pin/1\0" + fields(jti.encode(), card.encode(), str(seq).encode())

    card_bytes = [
        _card_bytes("pin, with consent", "pin", b"", seed("consent"), certificate),
        _card_bytes("pin, without consent", "pin", b"", b"", certificate),
        _card_bytes("kazashi, attended", "kazashi", b"lease-vector-1", b"", certificate),
        _card_bytes("text beyond ASCII", "pin", b"", b"", certificate, service="図書館"),
    ]
    tries_left, counter = 3, 41
    evidence_certificate = b"kiosk-evidence/1\0" + fields(
        b"certificate", sha(challenge.encode()), sha(certificate), b"pin", b"%d" % tries_left, b"%d" % counter
    )
    evidence_result = b"kiosk-evidence/1\0" + fields(
        b"result", sha(challenge.encode()), sha(certificate), b"pin", sha(card_signature), b"%d" % (counter + 1)
    )

    record, issuer = b"stands for an age record", b"stands for the certificate of its signer"
    evidence_enrolment = b"kiosk-evidence/1\0" + fields(
        b"enrolment",
        sha(challenge.encode()),
        sha(certificate),
        b"kazashi",
        sha(card_signature),
        sha(record),
        sha(issuer),
        b"%d" % (counter + 2),
    )

    items = fields("𠮷野\u3000髙子".encode(), "みほん市●".encode(), b"19800217", b"2")
    evidence_basic_four = b"kiosk-evidence/1\0" + fields(
        b"basic_four", sha(challenge.encode()), sha(certificate), b"pin", sha(items), b"%d" % (counter + 3)
    )
    items_key = HKDF(algorithm=SHA256(), length=32, salt=sha(welcome), info=b"kiosk-items/1").derive(shared)
    items_data = b"kiosk-items/1\0" + fields(jti.encode(), b"%d" % (counter + 3))
    sealed_items = AESGCM(items_key).encrypt((counter + 3).to_bytes(12, "big"), items, items_data)

    secret = seed("enrolment secret", 16)
    code_text = base64.b32encode(secret + sha(identity)[:16]).rstrip(b"=").decode()
    code_key = sha(b"kiosk-enrol-key/1\0" + secret)
    confirmation = b"kiosk-enrolled/1\0" + fields(terminal_key, TERMINAL.encode(), ORIGIN.encode())

    return {
        "about": "Made by tests/contract/vectors/make_vectors.py from docs/wire.md. Binary values are base64url.",
        "now": NOW,
        "terminal": TERMINAL,
        "origin": ORIGIN,
        "address": ADDRESS,
        "keys": {
            "identity": {"private": b64(IDENTITY.private_bytes_raw()), "public": b64(identity)},
            "ticket": {"private": b64(TICKET.private_bytes_raw()), "public": b64(ticket_key)},
            "terminal": {"private": b64(TERMINAL_KEY.private_bytes_raw()), "public": b64(terminal_key)},
            "page": {"private": b64(PAGE.private_bytes_raw()), "public": b64(page_key)},
            "bridge": {"private": b64(BRIDGE.private_bytes_raw()), "public": b64(bridge_key)},
        },
        "tickets": {
            "statement": statement,
            "hello": hello,
            "hello_claims": hello_claims,
            "challenge": challenge,
            "challenge_claims": challenge_claims,
            "output": output,
            "output_claims": output_claims,
        },
        "welcome": {
            "bridge_nonce": b64(bridge_nonce),
            "bytes": b64(welcome),
            "signature": b64(TERMINAL_KEY.sign(welcome)),
        },
        "pin": {
            "pin": pin.decode(),
            "challenge": jti,
            "card": card,
            "seq": seq,
            "iv": b64(iv),
            "key": b64(pin_key),
            "associated_data": b64(pin_data),
            "data": b64(AESGCM(pin_key).encrypt(iv, pin.ljust(16, b"\0"), pin_data)),
        },
        "card": card_bytes,
        "evidence": {
            "ticket": challenge,
            "certificate": b64(certificate),
            "card_signature": b64(card_signature),
            "method": "pin",
            "tries_left": tries_left,
            "certificate_counter": counter,
            "certificate_bytes": b64(evidence_certificate),
            "certificate_signature": b64(TERMINAL_KEY.sign(evidence_certificate)),
            "result_counter": counter + 1,
            "result_bytes": b64(evidence_result),
            "result_signature": b64(TERMINAL_KEY.sign(evidence_result)),
            "record": b64(record),
            "issuer": b64(issuer),
            "enrolment_counter": counter + 2,
            "enrolment_bytes": b64(evidence_enrolment),
            "enrolment_signature": b64(TERMINAL_KEY.sign(evidence_enrolment)),
            "items": b64(items),
            "basic_four_counter": counter + 3,
            "basic_four_bytes": b64(evidence_basic_four),
            "basic_four_signature": b64(TERMINAL_KEY.sign(evidence_basic_four)),
            "basic_four_challenge": jti,
            "sealed_items": b64(sealed_items),
        },
        "enrolment": {
            "code": "-".join(code_text[start : start + 4] for start in range(0, len(code_text), 4)),
            "code_id": b64(sha(b"kiosk-enrol-id/1\0" + secret)[:8]),
            "code_key": b64(code_key),
            "proof": b64(hmac.digest(code_key, b"kiosk-enrol/1\0" + fields(terminal_key), "sha256")),
            "confirmation_bytes": b64(confirmation),
            "confirmation": b64(IDENTITY.sign(confirmation)),
        },
    }


def _card_bytes(
    name: str, method: str, lease: bytes, consent: bytes, certificate: bytes, service: str = "library"
) -> dict[str, str]:
    nonce = seed(f"nonce of {name}")
    message = b"kiosk-card/1\0" + fields(
        method.encode(),
        b"identify",
        ORIGIN.encode(),
        TERMINAL.encode(),
        b"s-vector-1",
        service.encode(),
        nonce,
        sha(certificate),
        consent,
        lease,
    )
    return {
        "name": name,
        "method": method,
        "purpose": "identify",
        "session": "s-vector-1",
        "service": service,
        "nonce": b64(nonce),
        "certificate": b64(certificate),
        "consent": b64(consent),
        "lease": lease.decode(),
        "bytes": b64(message),
        "digest": b64(sha(message)),
    }


def build_text() -> str:
    """The file as it must be."""
    return json.dumps(make_vectors(), indent=1, ensure_ascii=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(build_text(), encoding="ascii", newline="\n")
