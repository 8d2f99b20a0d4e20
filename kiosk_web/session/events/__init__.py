"""What can happen to a session, one module for each subject. PURE.

The first group comes from the page (`docs/wire.md` 8), the second from the server itself.
"""

from __future__ import annotations

from typing import get_args

from kiosk_web.session.events.basic_four import (
    BasicFourPermitted,
    BasicFourRead,
    BasicFourRejected,
    BasicFourSealed,
    BasicFourWanted,
    TextReady,
    TextWayChosen,
)
from kiosk_web.session.events.card import (
    BridgeFailed,
    CertificateRead,
    CertificateRejected,
    CertificateTrusted,
    ChallengeIssued,
    EnrolmentConcluded,
    EnrolmentSigned,
    LastTryConfirmed,
    PinRefused,
    PinSubmitted,
    ProofAccepted,
    ProofRejected,
    Signed,
    StatusChecked,
    VisitConcluded,
    VisitRejected,
)
from kiosk_web.session.events.kazashi import ConsentGiven, KazashiEnded, KazashiStopped, KazashiWanted
from kiosk_web.session.events.linking import LinkWanted, NumberAccepted, NumberEntered, NumberLinked, NumberRefused
from kiosk_web.session.events.reading import ReadingCancelled, ReadingRequested
from kiosk_web.session.events.staff import LeaseOpened, LeaseRefused, StaffAsked, StaffIdentified, StaffSignedOut
from kiosk_web.session.events.terms import TermsAgreed, TermsOutdated
from kiosk_web.session.events.visit import (
    BridgeLost,
    Cancelled,
    CardChanged,
    DeadlinePassed,
    Extended,
    Finished,
    HelpCalled,
    LanguageChosen,
    PageVerified,
    ServiceChosen,
    TerminalRevoked,
    TextSizeChosen,
    WorkInterrupted,
)

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
