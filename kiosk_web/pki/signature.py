"""What the card signs, rebuilt from the stored challenge, and the judgement of its signature (docs/wire.md 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kiosk_web.pki.algorithms import judge_key, judge_key_signature
from kiosk_web.pki.fields import build_fields
from kiosk_web.pki.trust import TrustedCertificate

CARD_PREFIX = b"kiosk-card/1\0"

ProofMethod = Literal["pin", "kazashi"]


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether the card proved itself, by which method, and for which certificate."""

    method: ProofMethod
    verified: bool
    certificate_sha256: bytes


def build_card_message(
    *,
    method: str,
    purpose: str,
    origin: str,
    terminal: str,
    session: str,
    service: str,
    nonce: bytes,
    certificate_sha256: bytes,
    consent: bytes = b"",
    lease: str = "",
) -> bytes:
    """The bytes whose SHA-256 the card signs. `nonce` and `consent` are raw bytes (`b""`: absent), the rest text.

    Raises `ValueError` for a field longer than 65 535 bytes.
    """
    return CARD_PREFIX + build_fields(
        method, purpose, origin, terminal, session, service, nonce, certificate_sha256, consent, lease
    )


def judge_signature(public_key: object, message: bytes, signature: bytes) -> bool:
    """Is this the signature of `message` by the holder of `public_key`? RSA: PKCS #1 v1.5 with SHA-256, compared whole.

    A key that is not on the list of algorithms signs nothing.
    """
    return judge_key(public_key) and judge_key_signature(public_key, signature, message)


def judge_pin_proof(certificate: TrustedCertificate, message: bytes, signature: bytes) -> Proof:
    """Judge the card's signature as proof that its holder typed the PIN (the card signs only after VERIFY)."""
    verified = judge_signature(certificate.public_key, message, signature)
    return Proof("pin", verified, certificate.sha256)


def judge_kazashi_proof(
    certificate: TrustedCertificate, surface_key: object, message: bytes, signature: bytes
) -> Proof:
    """Judge the signature of a card's surface key as proof that the card is present on which this key was seen together
    with this certificate. It says nothing of who holds the card.
    """
    return Proof("kazashi", judge_signature(surface_key, message, signature), certificate.sha256)
