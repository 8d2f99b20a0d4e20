"""Every byte string that a key or a card signs, built from fields with lengths (`docs/wire.md` 3, 4 and 7). PURE.

Each begins with its own prefix and a version, so that no signature can be taken for one of another kind. The vectors in
`tests/contract/vectors/card_bytes.json` hold for the server too.
"""

from __future__ import annotations

import hashlib

WELCOME = b"kiosk-welcome/1\0"
CARD = b"kiosk-card/1\0"
EVIDENCE = b"kiosk-evidence/1\0"
PIN = b"kiosk-pin/1\0"
ITEMS = b"kiosk-items/1\0"
ENROL = b"kiosk-enrol/1\0"
ENROLLED = b"kiosk-enrolled/1\0"


def build_fields(*fields: bytes | str | int) -> bytes:
    """Each field as a two-byte big-endian length and its bytes; text as UTF-8, numbers in decimal. Raises ValueError
    above 65535 bytes.
    """
    parts = []
    for item in fields:
        value = item if isinstance(item, bytes) else str(item).encode()
        if len(value) > 0xFFFF:
            raise ValueError("field too long")
        parts.append(len(value).to_bytes(2, "big") + value)
    return b"".join(parts)


def derive_hash(value: bytes | str) -> bytes:
    """SHA-256; of a ticket, its compact form in ASCII."""
    return hashlib.sha256(value if isinstance(value, bytes) else value.encode("ascii")).digest()


def build_welcome(
    *, ticket: str, terminal: str, origin: str, address: str, bridge_nonce: bytes, page_key: bytes, bridge_key: bytes
) -> bytes:
    """What the terminal key signs in `welcome`. `address` is the address the bridge itself listens on, not the one it
    was told.
    """
    return WELCOME + build_fields(derive_hash(ticket), terminal, origin, address, bridge_nonce, page_key, bridge_key)


def build_card_digest(
    *,
    method: str,
    purpose: str,
    origin: str,
    terminal: str,
    session: str,
    service: str,
    nonce: bytes,
    certificate: bytes,
    consent: bytes,
    lease: str,
) -> bytes:
    """The 32 bytes whose DigestInfo the card signs. `certificate` is DER; `nonce` and `consent` are raw."""
    fields = (method, purpose, origin, terminal, session, service, nonce, derive_hash(certificate), consent, lease)
    return derive_hash(CARD + build_fields(*fields))


def build_certificate_evidence(*, ticket: str, certificate: bytes, method: str, tries_left: int, counter: int) -> bytes:
    """What the terminal key signs in `certificate`."""
    return EVIDENCE + build_fields(
        "certificate", derive_hash(ticket), derive_hash(certificate), method, tries_left, counter
    )


def build_result_evidence(
    *, ticket: str, certificate: bytes, method: str, card_signature: bytes, counter: int
) -> bytes:
    """What the terminal key signs in `result`."""
    return EVIDENCE + build_fields(
        "result", derive_hash(ticket), derive_hash(certificate), method, derive_hash(card_signature), counter
    )


def build_enrolment_evidence(
    *, ticket: str, certificate: bytes, method: str, card_signature: bytes, record: bytes, issuer: bytes, counter: int
) -> bytes:
    """What the terminal key signs in `enrolment`."""
    hashes = (derive_hash(ticket), derive_hash(certificate))
    read = (derive_hash(card_signature), derive_hash(record), derive_hash(issuer))
    return EVIDENCE + build_fields("enrolment", *hashes, method, *read, counter)


def build_basic_four_evidence(*, ticket: str, certificate: bytes, method: str, items: bytes, counter: int) -> bytes:
    """What the terminal key signs in `basic_four`."""
    hashes = (derive_hash(ticket), derive_hash(certificate))
    return EVIDENCE + build_fields("basic_four", *hashes, method, derive_hash(items), counter)


def build_items_data(*, challenge: str, counter: int) -> bytes:
    """The associated data under which the page is sent the basic 4 information."""
    return ITEMS + build_fields(challenge, counter)


def build_pin_data(*, challenge: str, card: str, seq: int) -> bytes:
    """The associated data under which the page encrypts the PIN."""
    return PIN + build_fields(challenge, card, seq)


def build_enrolment_proof_bytes(public_key: bytes) -> bytes:
    """What the key of an enrolment code authenticates."""
    return ENROL + build_fields(public_key)


def build_enrolment_confirmation(*, public_key: bytes, terminal: str, origin: str) -> bytes:
    """What the server's identity key signs when it takes a terminal in."""
    return ENROLLED + build_fields(public_key, terminal, origin)
