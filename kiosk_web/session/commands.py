"""What the machine wants done. PURE. `services/visit/sessions.py` alone executes them.

All but `CheckStatus` are executed in the transaction of the event and answer at once; `CheckStatus` goes through the
outbox and is executed after the commit. What the bridge is to do is in the state itself (`BridgeOrder`), so that a lost
message does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kiosk_web.session.states import Visit


@dataclass(frozen=True)
class IssueChallenge:
    """Draw a nonce and sign a challenge ticket for the card that is on the reader."""

    visit: Visit


@dataclass(frozen=True, repr=False)
class JudgeCertificate:
    """Verify the countersignature and the counter, and build trust."""

    challenge: str
    certificate: bytes
    tries_left: int
    counter: int
    signature: bytes


@dataclass(frozen=True)
class CheckStatus:
    """Ask the responder about the certificate last judged for this challenge."""

    challenge: str


@dataclass(frozen=True, repr=False)
class JudgeProof:
    """Verify countersignature, counter, certificate hash and the card's signature over the bytes rebuilt from the
    challenge. In an enrolment also who vouches for the key that signed: `record` and `issuer`.
    """

    challenge: str
    certificate_sha256: str
    certificate: bytes
    card_signature: bytes
    counter: int
    signature: bytes
    record: bytes = b""
    issuer: bytes = b""


@dataclass(frozen=True)
class Conclude:
    """Combine the evidence into one verdict and, on acceptance, issue the identifier. `agreed`: to the terms as they
    are now, on a screen of their own.
    """

    challenge: str
    visit: Visit
    status_json: str
    agreed: bool = False


VisitOutcome = Literal["done", "refused", "abandoned", "enrolled", "ended", "provided", "declined"]


@dataclass(frozen=True)
class RecordAudit:
    """One record for one visit, without personal data. `code` is "" when `outcome` is `done`."""

    visit: Visit
    outcome: VisitOutcome
    code: str
    status_json: str | None


@dataclass(frozen=True, repr=False)
class SealBasicFour:
    """Verify countersignature and counter, and seal the items to the receiver; nothing but the ciphertext is kept."""

    challenge: str
    visit: Visit
    certificate_sha256: str
    items: bytes
    counter: int
    signature: bytes


@dataclass(frozen=True)
class EndKazashi:
    """Forget the key that was kept for whoever holds this certificate."""

    certificate_sha256: str


@dataclass(frozen=True, repr=False)
class CheckNumber:
    """May this user number be linked to whoever this visit has confirmed? Where nobody must confirm it, link it."""

    visit: Visit
    number: str


@dataclass(frozen=True, repr=False)
class ConfirmLink:
    """Judge staff number and one-time code; on acceptance link the number that was checked."""

    visit: Visit
    number: str
    code: str


@dataclass(frozen=True, repr=False)
class OpenLease:
    """Judge staff number and one-time code; on acceptance this terminal is attended."""

    page: str
    number: str
    code: str


@dataclass(frozen=True)
class CloseLease:
    """Nobody attends this terminal any more."""


Command = (
    IssueChallenge
    | JudgeCertificate
    | CheckStatus
    | JudgeProof
    | Conclude
    | RecordAudit
    | SealBasicFour
    | EndKazashi
    | CheckNumber
    | ConfirmLink
    | OpenLease
    | CloseLease
)
