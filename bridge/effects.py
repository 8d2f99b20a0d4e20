"""What the machine of a page connection has its shell do; in personal mode, too, where a visit is meant. PURE."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.card.pin import Secret
from bridge.errors import BridgeError
from bridge.messages import BridgeMessage
from bridge.ticket import ChallengeTicket, OutputTicket


@dataclass(frozen=True, slots=True)
class Send:
    message: BridgeMessage


@dataclass(frozen=True, slots=True)
class Close:
    """`reason` is for the log alone; the page gets the code."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Claim:
    """This page has proven itself: it is the terminal's page now, and an older one is not."""


@dataclass(frozen=True, slots=True)
class StartVisit:
    challenge: ChallengeTicket


@dataclass(frozen=True, slots=True)
class GivePin:
    """Every condition for VERIFY is met. The receiver wipes the PIN, which may be one that the reader takes."""

    challenge: str
    pin: Secret = field(repr=False)


@dataclass(frozen=True, slots=True)
class EndVisit:
    """The card is let go, and a report that comes late counts for nothing. `error` is why."""

    challenge: str
    error: BridgeError


@dataclass(frozen=True, slots=True)
class StartOutput:
    output: OutputTicket


@dataclass(frozen=True, slots=True)
class EndOutput:
    """Stop before the next key."""

    output: str
    error: BridgeError


@dataclass(frozen=True, slots=True)
class Overdue:
    """The card worker has not answered in time: it may hang in the driver. `state` is what it was to do."""

    state: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something for the log: a stable name and a reason, never a value from the page."""

    event: str
    reason: str


Effect = Send | Close | Claim | StartVisit | GivePin | EndVisit | StartOutput | EndOutput | Overdue | Note
