"""What a terminal signs: the bytes of the contract, and no signature but its own."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk_web.pki.fields import build_fields
from kiosk_web.pki.terminal import (
    build_certificate_evidence_bytes,
    build_result_evidence_bytes,
    build_welcome_bytes,
    judge_ed25519,
)

TICKET = "header.claims.signature"
HASH = hashlib.sha256(TICKET.encode()).digest()


def test_the_welcome_is_bound_to_ticket_terminal_address_and_all_keys() -> None:
    built = build_welcome_bytes(
        ticket=TICKET,
        terminal="t1",
        origin="http://127.0.0.1:8480",
        address="127.0.0.1:8481",
        bridge_nonce=b"n" * 32,
        page_key=b"p" * 32,
        bridge_key=b"b" * 32,
    )
    assert built == b"kiosk-welcome/1\0" + build_fields(
        HASH, "t1", "http://127.0.0.1:8480", "127.0.0.1:8481", b"n" * 32, b"p" * 32, b"b" * 32
    )


def test_evidence_of_a_certificate_and_of_a_result_are_told_apart() -> None:
    certificate = build_certificate_evidence_bytes(
        ticket=TICKET, certificate_sha256=b"c" * 32, method="pin", tries_left=3, counter=41
    )
    result = build_result_evidence_bytes(
        ticket=TICKET, certificate_sha256=b"c" * 32, method="pin", card_signature=b"s" * 256, counter=42
    )
    prefix = b"kiosk-evidence/1\0"
    assert certificate == prefix + build_fields("certificate", HASH, b"c" * 32, "pin", "3", "41")
    signed = hashlib.sha256(b"s" * 256).digest()
    assert result == prefix + build_fields("result", HASH, b"c" * 32, "pin", signed, "42")


def test_a_counter_is_never_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        build_result_evidence_bytes(ticket=TICKET, certificate_sha256=b"", method="pin", card_signature=b"", counter=-1)


def test_only_the_terminals_own_signature_verifies() -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    signature = key.sign(b"message")
    assert judge_ed25519(public, b"message", signature)
    assert not judge_ed25519(public, b"other", signature)
    assert not judge_ed25519(public, b"message", other.sign(b"message"))
    assert not judge_ed25519(public, b"message", signature[:-1])
    assert not judge_ed25519(public[:-1], b"message", signature)
    assert not judge_ed25519(b"", b"message", b"")
