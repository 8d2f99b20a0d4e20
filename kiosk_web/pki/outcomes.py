"""What came of judging a certificate, in a word: that of `kiosk verify` (docs/verify.md) and of the API. PURE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Outcome = Literal[
    "good",
    "revoked",
    "on_hold",
    "expired",
    "not_yet_valid",
    "untrusted",
    "wrong_kind",
    "malformed",
    "signature_invalid",
    "unknown",
    "unavailable",
    "stale",
]

OUTCOMES: Mapping[str, Outcome] = {
    "": "good",
    "certificate_revoked": "revoked",
    "certificate_on_hold": "on_hold",
    "certificate_expired": "expired",
    "certificate_not_yet_valid": "not_yet_valid",
    "certificate_untrusted": "untrusted",
    "certificate_wrong_kind": "wrong_kind",
    "certificate_malformed": "malformed",
    "evidence_refused": "signature_invalid",
    "status_unknown": "unknown",
    "status_unavailable": "unavailable",
    "clock_unreliable": "unavailable",
    "status_stale": "stale",
}
"""By the code of a verdict (`session/codes.py`); "" is the one that accepts."""
