"""What can happen to a session.

PURE. The first group comes from the page (`docs/wire.md` 8), the second from the server itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from kiosk_web.session import basic_four_events as four
from kiosk_web.session.states import (
    AskedReading,
    CardCondition,
    FallbackCause,
    KazashiOffer,
    Language,
    LinkOffer,
    Method,
    ReaderCondition,
    StaffRefusal,
    StatusMethod,
    TextSize,
)
from kiosk_web.session.terms_change import TermsChange

BasicFourWanted = four.BasicFourWanted
TextReady = four.TextReady
TextWayChosen = four.TextWayChosen
BasicFourRead = four.BasicFourRead
BasicFourPermitted = four.BasicFourPermitted
BasicFourSealed = four.BasicFourSealed
BasicFourRejected = four.BasicFourRejected


@dataclass(frozen=True)
class ServiceChosen:
    service: str


@dataclass(frozen=True)
class CardChanged:
    reader: ReaderCondition
    card: CardCondition
    instance: str


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
class KazashiWanted:
    """The resident asks what かざし利用 is about."""


@dataclass(frozen=True)
class ConsentGiven:
    pass


@dataclass(frozen=True)
class KazashiStopped:
    """The resident wants no かざし利用 any more."""


@dataclass(frozen=True)
class LinkWanted:
    """The resident has an old card, and wants its number linked."""


@dataclass(frozen=True, repr=False)
class NumberEntered:
    """A user number as it was typed or scanned. Not judged yet."""

    number: str


@dataclass(frozen=True)
class TermsAgreed:
    """The resident agrees to the terms on the screen."""


@dataclass(frozen=True)
class StaffAsked:
    """Somebody touched 職員."""


@dataclass(frozen=True, repr=False)
class StaffIdentified:
    """Staff number and one-time code. Not judged yet."""

    number: str
    code: str


@dataclass(frozen=True)
class StaffSignedOut:
    pass


@dataclass(frozen=True)
class BridgeFailed:
    challenge: str
    code: str
    tries_left: int | None


@dataclass(frozen=True)
class BridgeLost:
    cause: str


@dataclass(frozen=True)
class Cancelled:
    pass


@dataclass(frozen=True)
class Finished:
    pass


@dataclass(frozen=True)
class Extended:
    pass


@dataclass(frozen=True)
class HelpCalled:
    pass


@dataclass(frozen=True)
class LanguageChosen:
    language: Language


@dataclass(frozen=True)
class TextSizeChosen:
    size: TextSize


@dataclass(frozen=True)
class PageVerified:
    """A page proved that it talks to the bridge of this terminal. `page` is a fresh random id.

    `again`: the very page that was verified before, whose socket to the bridge was lost in between.
    """

    page: str
    again: bool = False


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
class TermsOutdated:
    """Answer to `Conclude`: the verdict accepts, and the person has yet to agree to the terms as they are now."""

    challenge: str
    changes: tuple[TermsChange, ...]


@dataclass(frozen=True)
class EnrolmentConcluded:
    """Answer to `Conclude` of an enrolment: the verdict accepts and the key is kept."""

    challenge: str


@dataclass(frozen=True)
class KazashiEnded:
    """Answer to `EndKazashi`."""


@dataclass(frozen=True)
class NumberAccepted:
    """Answer to `CheckNumber`: the number may be linked, once staff have confirmed it."""


@dataclass(frozen=True)
class NumberRefused:
    """Answer to `CheckNumber` and `ConfirmLink`: a name of `session/codes.py`."""

    code: str


@dataclass(frozen=True)
class NumberLinked:
    """Answer to `CheckNumber` and `ConfirmLink`."""


@dataclass(frozen=True)
class LeaseOpened:
    """Answer to `OpenLease`: this terminal is attended from now on."""


@dataclass(frozen=True)
class LeaseRefused:
    """Answer to `OpenLease` and `ConfirmLink`: the code did not do."""

    code: StaffRefusal


@dataclass(frozen=True)
class ReadingRequested:
    """A municipal system asks for a reading here, of a service of its own, until then."""

    reading: AskedReading
    service: str
    until: datetime


@dataclass(frozen=True)
class ReadingCancelled:
    """The system takes its request back, or its time is over. `reading` is the id."""

    reading: str
    code: Literal["reading_withdrawn", "reading_expired"]


@dataclass(frozen=True)
class DeadlinePassed:
    """`derive_wake_at` of the state is not in the future any more."""


@dataclass(frozen=True)
class WorkInterrupted:
    """Work was under way when the server stopped, or it failed in a way nobody foresaw.

    `challenge`: the visit it was for; "" is the one that holds now.
    """

    challenge: str = ""


@dataclass(frozen=True)
class TerminalRevoked:
    pass


PageEvent = (
    ServiceChosen
    | CardChanged
    | CertificateRead
    | PinSubmitted
    | PinRefused
    | LastTryConfirmed
    | Signed
    | EnrolmentSigned
    | KazashiWanted
    | ConsentGiven
    | KazashiStopped
    | LinkWanted
    | NumberEntered
    | TermsAgreed
    | StaffAsked
    | StaffIdentified
    | StaffSignedOut
    | BasicFourWanted
    | TextReady
    | TextWayChosen
    | BasicFourRead
    | BridgeFailed
    | BridgeLost
    | Cancelled
    | Finished
    | Extended
    | HelpCalled
    | LanguageChosen
    | TextSizeChosen
)
ServerEvent = (
    PageVerified
    | ChallengeIssued
    | CertificateTrusted
    | CertificateRejected
    | StatusChecked
    | ProofAccepted
    | ProofRejected
    | VisitConcluded
    | VisitRejected
    | TermsOutdated
    | EnrolmentConcluded
    | BasicFourPermitted
    | BasicFourSealed
    | BasicFourRejected
    | KazashiEnded
    | NumberAccepted
    | NumberRefused
    | NumberLinked
    | LeaseOpened
    | LeaseRefused
    | ReadingRequested
    | ReadingCancelled
    | DeadlinePassed
    | WorkInterrupted
    | TerminalRevoked
)
Event = PageEvent | ServerEvent
PAGE_EVENTS: tuple[type, ...] = get_args(PageEvent)
EVENTS: tuple[type, ...] = get_args(Event)
