"""What can happen while the basic 4 information is read: the page's events, then the server's own. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kiosk_web.session.facts import TextWay


@dataclass(frozen=True)
class BasicFourWanted:
    """The resident wants the basic 4 information sent after all."""


@dataclass(frozen=True)
class TextReady:
    """The card has signed, and its text application waits for a secret: tries left of its PIN and of code B."""

    challenge: str
    pin_tries_left: int
    code_tries_left: int


@dataclass(frozen=True)
class TextWayChosen:
    """By which secret the resident opens the text application; "": back to the choice."""

    way: TextWay


@dataclass(frozen=True, repr=False)
class BasicFourRead:
    """The basic 4 information as the bridge read it (`docs/wire.md` 7), countersigned by the terminal. Not judged yet.

    It is sealed and forgotten in the transaction of this event.
    """

    challenge: str
    items: bytes
    counter: int
    signature: bytes


@dataclass(frozen=True)
class BasicFourPermitted:
    """Answer to `Conclude` before the basic 4 information is read: the verdict accepts, and there is a receiver."""

    challenge: str


@dataclass(frozen=True)
class BasicFourSealed:
    """Answer to `SealBasicFour`: nothing but the ciphertext is kept, until then at most."""

    challenge: str
    kept_until: datetime


@dataclass(frozen=True)
class BasicFourRejected:
    """Answer to `SealBasicFour`: nothing was kept."""

    challenge: str
    code: str
