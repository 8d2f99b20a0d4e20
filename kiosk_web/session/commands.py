"""What the machine wants done. PURE. `services/sessions.py` alone executes them.

`IssueChallenge`, `JudgeCertificate`, `JudgeProof`, `Conclude` and `RecordAudit` are executed in the transaction of
the event and answer at once; `CheckStatus` goes through the outbox and is executed after the commit. What the
bridge is to do is in the state itself (`BridgeOrder`), so that a lost message does no harm.
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
    challenge.
    """

    challenge: str
    certificate_sha256: str
    certificate: bytes
    card_signature: bytes
    counter: int
    signature: bytes


@dataclass(frozen=True)
class Conclude:
    """Combine the evidence into one verdict and, on acceptance, issue the identifier."""

    challenge: str
    visit: Visit
    status_json: str


@dataclass(frozen=True)
class RecordAudit:
    """One record for one visit, without personal data. `code` is "" when `outcome` is `done`."""

    visit: Visit
    outcome: Literal["done", "refused", "abandoned"]
    code: str
    status_json: str | None


Command = IssueChallenge | JudgeCertificate | CheckStatus | JudgeProof | Conclude | RecordAudit
