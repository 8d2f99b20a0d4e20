"""The states of a visit in which the basic 4 information is read. The items are in none of them. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kiosk_web.session.facts import (
    BridgeOrder,
    CardEvidence,
    TextTries,
    TextWay,
)
from kiosk_web.session.states.visit import Result, Visit


@dataclass(frozen=True)
class AwaitingText:
    """The bridge holds the card for the basic 4 information and waits for a secret, which only page and bridge see.

    `way`: its PIN; verification code B, in two steps: what is picked (`code`) and the security code (`security`); or ""
    as long as the resident has not chosen.
    """

    visit: Visit
    evidence: CardEvidence
    deadline_at: datetime
    text: TextTries
    way: TextWay = ""
    orders: tuple[BridgeOrder, ...] = ()
    release_at: None = None
    name: Literal["awaiting_text"] = "awaiting_text"


@dataclass(frozen=True)
class CheckingText:
    """The card compares the secret; then its basic 4 information is read and sealed."""

    visit: Visit
    evidence: CardEvidence
    deadline_at: datetime
    orders: tuple[BridgeOrder, ...] = ()
    release_at: None = None
    name: Literal["checking_text"] = "checking_text"


@dataclass(frozen=True)
class BasicFourSent:
    """The basic 4 information was sealed to its receiver. `kept_until`: when the ciphertext is gone at the latest."""

    visit: Visit
    result: Result
    deadline_at: datetime
    kept_until: datetime
    card_held: bool
    name: Literal["basic_four_sent"] = "basic_four_sent"
