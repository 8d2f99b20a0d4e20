"""受付番号: the number by which staff find the record of a visit. It names the visit, never a person. PURE."""

from __future__ import annotations

from kiosk_web.identity.alphabet import read_copied, spell

ENTROPY = 8


def build_reference(entropy: bytes) -> str:
    """Such as `7KQP-29XA`. Raises `ValueError` for another number of bytes."""
    if len(entropy) != ENTROPY:
        raise ValueError("entropy")
    signs = spell(entropy)
    return f"{signs[:4]}-{signs[4:]}"


def read_reference(text: str) -> str:
    """The number in its one form, as people copy it from a screen: small letters, full-width ones, without the hyphen.

    What is none stays none: it names no visit.
    """
    plain = read_copied(text)
    return f"{plain[:4]}-{plain[4:]}"
