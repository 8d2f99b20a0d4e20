"""What a terminal's own key signs: the welcome of its bridge and the countersigned evidence (docs/wire.md 4 and 7)."""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk_web.pki.fields import build_fields

WELCOME_PREFIX = b"kiosk-welcome/1\0"
EVIDENCE_PREFIX = b"kiosk-evidence/1\0"


def build_welcome_bytes(
    *,
    ticket: str,
    terminal: str,
    origin: str,
    address: str,
    bridge_nonce: bytes,
    page_key: bytes,
    bridge_key: bytes,
) -> bytes:
    """The bytes a bridge signs to greet a page. `ticket` is compact, `address` the bridge's own `127.0.0.1:PORT`."""
    return WELCOME_PREFIX + build_fields(
        _hash_ticket(ticket), terminal, origin, address, bridge_nonce, page_key, bridge_key
    )


def build_certificate_evidence_bytes(
    *, ticket: str, certificate_sha256: bytes, method: str, tries_left: int, counter: int
) -> bytes:
    """The bytes a bridge countersigns when it has read a certificate for the challenge `ticket`."""
    return EVIDENCE_PREFIX + build_fields(
        "certificate", _hash_ticket(ticket), certificate_sha256, method, _decimal(tries_left), _decimal(counter)
    )


def build_result_evidence_bytes(
    *, ticket: str, certificate_sha256: bytes, method: str, card_signature: bytes, counter: int
) -> bytes:
    """The bytes a bridge countersigns with the card's signature for the challenge `ticket`."""
    return EVIDENCE_PREFIX + build_fields(
        "result",
        _hash_ticket(ticket),
        certificate_sha256,
        method,
        hashlib.sha256(card_signature).digest(),
        _decimal(counter),
    )


def build_enrolment_evidence_bytes(
    *,
    ticket: str,
    certificate_sha256: bytes,
    method: str,
    card_signature: bytes,
    record: bytes,
    issuer: bytes,
    counter: int,
) -> bytes:
    """The bytes a bridge countersigns with what a card gave for an enrolment: signature, age record, its signer."""
    hashes = [hashlib.sha256(part).digest() for part in (card_signature, record, issuer)]
    return EVIDENCE_PREFIX + build_fields(
        "enrolment", _hash_ticket(ticket), certificate_sha256, method, *hashes, _decimal(counter)
    )


def build_basic_four_evidence_bytes(
    *, ticket: str, certificate_sha256: bytes, method: str, items: bytes, counter: int
) -> bytes:
    """The bytes a bridge countersigns with the basic 4 information that it read for the challenge `ticket`."""
    return EVIDENCE_PREFIX + build_fields(
        "basic_four",
        _hash_ticket(ticket),
        certificate_sha256,
        method,
        hashlib.sha256(items).digest(),
        _decimal(counter),
    )


def judge_ed25519(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Does `signature` (64 bytes) over `message` verify with the raw 32-byte key? False for anything malformed."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _hash_ticket(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()


def _decimal(number: int) -> str:
    if number < 0:
        raise ValueError("counter and tries are not negative")
    return str(number)
