"""A reading on request (Type 1): what a municipal system asked to be read at a terminal, and how it can end. PURE.

`done` alone has a verdict, good or not. Why a resident or a card did not come that far is the resident's own matter:
the terminal tells it, the system hears `declined`, `failed` or `expired`.
"""

from __future__ import annotations

from typing import Literal

ReadingState = Literal["waiting", "done", "declined", "failed", "cancelled", "expired"]
OPEN: ReadingState = "waiting"

_DECLINED = frozenset({"cancelled", "last_try_declined"})
_EXPIRED = frozenset({"session_timeout", "pin_timeout", "reading_expired"})


def name_reading_end(code: str) -> ReadingState:
    """How a reading ended whose visit ended without a verdict, by `code` (a name of `session/codes.py`)."""
    if code == "reading_withdrawn":
        return "cancelled"
    if code in _DECLINED:
        return "declined"
    return "expired" if code in _EXPIRED else "failed"
