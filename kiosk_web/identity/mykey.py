"""MyKey ID: eight alphanumerics for the municipal library service.

Random, stored, unique; derived from nothing. It is recorded against the certificate it was issued to, and stays the
person's when that is renewed. PURE.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from kiosk_web.identity.alphabet import spell

ENTROPY = 8
MyKeyState = Literal["issued", "stopped", "superseded"]
MyKeyStep = Literal["stop", "resume", "supersede"]

LIFE: Mapping[tuple[MyKeyState, MyKeyStep], MyKeyState] = {
    ("issued", "stop"): "stopped",
    ("stopped", "resume"): "issued",
    ("issued", "supersede"): "superseded",
    ("stopped", "supersede"): "superseded",
}
"""Every step there is. A superseded MyKey ID stays that: another took its place."""


def build_mykey_id(entropy: bytes) -> str:
    """Eight signs out of `ENTROPY` random bytes. Raises `ValueError` for another number of bytes."""
    if len(entropy) != ENTROPY:
        raise ValueError("entropy")
    return spell(entropy)


def derive_state(state: MyKeyState, step: MyKeyStep) -> MyKeyState | None:
    """The state after this step, None where the step is not for that state."""
    return LIFE.get((state, step))
