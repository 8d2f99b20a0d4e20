"""MyKey ID: eight alphanumerics for the municipal library service.

Random, stored, unique; derived from nothing. PURE.
"""

from __future__ import annotations

from typing import Literal

from kiosk_web.identity.alphabet import spell

ENTROPY = 8
MyKeyState = Literal["issued", "stopped", "superseded"]


def build_mykey_id(entropy: bytes) -> str:
    """Eight signs out of `ENTROPY` random bytes. Raises `ValueError` for another number of bytes."""
    if len(entropy) != ENTROPY:
        raise ValueError("entropy")
    return spell(entropy)
