"""Letters and digits that people cannot confuse, and unbiased drawing from them. PURE."""

from __future__ import annotations

import re
import unicodedata

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 signs: no 0 and O, no 1 and I
_IGNORED = re.compile(r"[\s\-‐‑‒–—−ー]")


def spell(entropy: bytes) -> str:
    """One sign a byte; 32 divides 256, so every sign is equally likely."""
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in entropy)


def read_copied(text: str) -> str:
    """The signs as people copy them from a screen: small, full-width, parted by spaces or hyphens. No judgement."""
    return _IGNORED.sub("", unicodedata.normalize("NFKC", text)).upper()
