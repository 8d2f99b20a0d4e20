"""A person is a history of certificates, each named by (issuer key identifier, serial). PURE."""

from __future__ import annotations

from dataclasses import dataclass

ENTROPY = 16


@dataclass(frozen=True, repr=False, order=True)
class CertificateName:
    """What identifies a certificate. `serial` is the issuance number (発行番号)."""

    issuer_key_id: bytes
    serial: int


def build_person_id(entropy: bytes) -> str:
    """An internal key without meaning;

    it never leaves the database. Raises `ValueError` for another number of bytes.
    """
    if len(entropy) != ENTROPY:
        raise ValueError("entropy")
    return entropy.hex()
