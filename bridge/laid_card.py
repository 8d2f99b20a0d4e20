"""Whether the card on the reader is the one that a ticket is for. PURE."""

from __future__ import annotations

from bridge.errors import (
    AccessDenied,
    BridgeError,
    CardMute,
    CardRemoved,
    CardSwapped,
    NotMyNumberCard,
    ReaderBusy,
)
from bridge.messages import Reader


def judge_laid_card(reader: Reader, card: str) -> BridgeError | None:
    """None when it is; `card` is the instance in the ticket."""
    if reader.reader == "busy":
        return ReaderBusy()
    if reader.reader == "denied":
        return AccessDenied()
    if reader.card == "none":
        return CardRemoved()
    if reader.instance != card:
        return CardSwapped()
    if reader.card == "mute":
        return CardMute()
    if reader.card == "unknown":
        return NotMyNumberCard()
    return None
