"""The ticket that lets the bridge of a counter PC hand one number over to the system there (`docs/wire.md` 2)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Literal

from kiosk_web.services.keys import AUDIENCE, ISSUER

OUTPUT_TYPE = "kiosk-output+jwt"
OUTPUT_LIFETIME = timedelta(seconds=5)
OutputKind = Literal["wedge", "serial"]
_NUMBER = re.compile(r"[0-9A-Z]{1,32}")


def can_hand_over(number: str) -> bool:
    """Only numbers of digits and capital letters go out; a bridge refuses any other."""
    return _NUMBER.fullmatch(number) is not None


def build_output_claims(
    *, jti: str, terminal: str, origin: str, session: str, card: str, kind: OutputKind, number: str, now: datetime
) -> dict[str, Any]:
    """The claims of one output ticket. `card` is the card instance that was used. Raises `ValueError` for a number
    that cannot be handed over, without quoting it.
    """
    if not can_hand_over(number):
        raise ValueError("not a number that may be handed over")
    issued_at = int(now.timestamp())
    return {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "jti": jti,
        "iat": issued_at,
        "exp": issued_at + int(OUTPUT_LIFETIME.total_seconds()),
        "terminal": terminal,
        "origin": origin,
        "session": session,
        "card": card,
        "kind": kind,
        "number": number,
    }
