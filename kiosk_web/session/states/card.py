"""The states of a visit whose card is in use: it is read, it waits for a 暗証番号 or a birth date, it signs. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kiosk_web.session.facts import (
    BridgeOrder,
    CardEvidence,
    TextTries,
)
from kiosk_web.session.states.visit import Visit


@dataclass(frozen=True)
class ReadingCard:
    """`challenge` is "" until the challenge asked for is issued; `orders` then holds `read_certificate`."""

    visit: Visit
    deadline_at: datetime
    challenge: str = ""
    orders: tuple[BridgeOrder, ...] = ()
    name: Literal["reading_card"] = "reading_card"


@dataclass(frozen=True)
class AwaitingPin:
    """The bridge holds the card. `release_at` is when VERIFY is let go without the status, None once it was let go."""

    visit: Visit
    evidence: CardEvidence
    deadline_at: datetime
    release_at: datetime | None
    orders: tuple[BridgeOrder, ...] = ()
    refused: bool = False
    name: Literal["awaiting_pin"] = "awaiting_pin"


@dataclass(frozen=True)
class ConfirmingLastPin:
    """One try is left: the resident is asked first."""

    visit: Visit
    evidence: CardEvidence
    deadline_at: datetime
    release_at: datetime | None
    orders: tuple[BridgeOrder, ...] = ()
    refused: bool = False
    name: Literal["confirming_last_pin"] = "confirming_last_pin"


@dataclass(frozen=True)
class CheckingPin:
    """The bridge has the 暗証番号; it may be waiting for `authenticate`, or the card is at work."""

    visit: Visit
    evidence: CardEvidence
    deadline_at: datetime
    release_at: datetime | None
    orders: tuple[BridgeOrder, ...] = ()
    refused: bool = False
    name: Literal["checking_pin"] = "checking_pin"


@dataclass(frozen=True)
class AwaitingBirth:
    """An enrolment: the bridge holds the card and waits for the birth date, which only page and bridge ever see."""

    visit: Visit
    evidence: CardEvidence
    deadline_at: datetime
    release_at: datetime | None
    orders: tuple[BridgeOrder, ...] = ()
    name: Literal["awaiting_birth"] = "awaiting_birth"


@dataclass(frozen=True)
class CheckingCard:
    """The card is at work without a 暗証番号: a tap, or the end of an enrolment."""

    visit: Visit
    evidence: CardEvidence
    deadline_at: datetime
    release_at: datetime | None
    orders: tuple[BridgeOrder, ...] = ()
    name: Literal["checking_card"] = "checking_card"


@dataclass(frozen=True)
class Checking:
    """The card has signed, the nonce is consumed.

    `proven` once the signature was judged; then only the status is missing. `agreed`: to the terms as they are now.
    Before the basic 4 information is read: `permitted` once the verdict accepted, `text` once the card's text
    application was opened.
    """

    visit: Visit
    evidence: CardEvidence
    deadline_at: datetime
    proven: bool = False
    agreed: bool = False
    permitted: bool = False
    text: TextTries | None = None
    name: Literal["checking"] = "checking"
