"""PPID: the pseudonym of one person for one cooperating system. Random, stored, unique; derived from nothing. PURE."""

from __future__ import annotations

from kiosk_web.identity.alphabet import spell

ENTROPY = 24  # bytes to draw; 5 bits of each count: 120 bits


def build_ppid(entropy: bytes) -> str:
    """24 signs out of `ENTROPY` random bytes. Raises `ValueError` for another number of bytes."""
    if len(entropy) != ENTROPY:
        raise ValueError("entropy")
    return spell(entropy)
