"""What can happen while the card is in use: the page's events, then the server's own. PURE."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kiosk_web.session.facts import (
    FallbackCause,
    KazashiOffer,
    LinkOffer,
    Method,
    StatusMethod,
)


@dataclass(frozen=True, repr=False)
class CertificateRead:
    """The certificate (DER) and the tries left, countersigned by the terminal. Not judged yet."""

    challenge: str
    certificate: bytes
    tries_left: int
    counter: int
    signature: bytes


@dataclass(frozen=True)
class PinSubmitted:
    challenge: str


@dataclass(frozen=True)
class PinRefused:
    challenge: str
    tries_left: int


@dataclass(frozen=True)
class LastTryConfirmed:
    pass


@dataclass(frozen=True, repr=False)
class Signed:
    """The card's signature, countersigned by the terminal.

    Not judged yet; its nonce is consumed before the machine sees it.
    """

    challenge: str
    certificate: bytes
    card_signature: bytes
    counter: int
    signature: bytes


@dataclass(frozen=True, repr=False)
class EnrolmentSigned:
    """The signature of the card's surface key, the age record that names this key, and the certificate of its signer.

    Countersigned by the terminal, not judged yet; its nonce is consumed before the machine sees it.

    `record` has a birth date in it: it is judged and forgotten.
    """

    challenge: str
    certificate: bytes
    card_signature: bytes
    record: bytes
    issuer: bytes
    counter: int
    signature: bytes


@dataclass(frozen=True)
class BridgeFailed:
    challenge: str
    code: str
    tries_left: int | None


@dataclass(frozen=True)
class ChallengeIssued:
    """Answer to `IssueChallenge`."""

    challenge: str
    ticket: str
    reference: str
    method: Method = "pin"


@dataclass(frozen=True)
class CertificateTrusted:
    """Answer to `JudgeCertificate`:

    countersigned, and trusted down to an anchor. `early_check`: the status is asked for now.
    """

    challenge: str
    certificate_sha256: str
    tries_left: int
    early_check: bool


@dataclass(frozen=True)
class CertificateRejected:
    """Answer to `JudgeCertificate`: a name of `session/codes.py`."""

    challenge: str
    code: str


@dataclass(frozen=True)
class StatusChecked:
    """Answer to `CheckStatus`. `code` is "" when the status is Good, else the name of the refusal."""

    challenge: str
    code: str
    json: str
    checked_at: datetime


@dataclass(frozen=True)
class ProofAccepted:
    """Answer to `JudgeProof`: countersignature, counter, certificate and card signature are right."""

    challenge: str


@dataclass(frozen=True)
class ProofRejected:
    challenge: str
    code: str


@dataclass(frozen=True)
class VisitConcluded:
    """Answer to `Conclude`: the verdict accepts and the identifier is issued."""

    challenge: str
    profile: str
    identifier_kind: Literal["ppid", "mykey_id"]
    identifier: str
    expires_soon: bool
    checked_at: datetime
    status_as_of: datetime | None
    status_method: StatusMethod = "ocsp"
    fallback: FallbackCause = ""
    kazashi: KazashiOffer = ""
    link: LinkOffer = ""
    basic_four: bool = False


@dataclass(frozen=True)
class VisitRejected:
    """Answer to `Conclude`: the verdict refuses."""

    challenge: str
    code: str


@dataclass(frozen=True)
class EnrolmentConcluded:
    """Answer to `Conclude` of an enrolment: the verdict accepts and the key is kept."""

    challenge: str
