"""A person is a history of certificates, each named by (issuer key identifier, serial). PURE."""

from __future__ import annotations

ENTROPY = 16


def build_person_id(entropy: bytes) -> str:
    """An internal key without meaning;

    it never leaves the database. Raises `ValueError` for another number of bytes.
    """
    if len(entropy) != ENTROPY:
        raise ValueError("entropy")
    return entropy.hex()
