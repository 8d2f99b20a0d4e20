"""Letters and digits that people cannot confuse, and unbiased drawing from them. PURE."""

from __future__ import annotations

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 signs: no 0 and O, no 1 and I


def spell(entropy: bytes) -> str:
    """One sign a byte; 32 divides 256, so every sign is equally likely."""
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in entropy)
