"""Events that have their place together, or none together: of them the rows of the table are made. PURE."""

from __future__ import annotations

from kiosk_web.session import events as e

# What the bridge, the responder or a clock may still say about a visit that has ended.
ECHOES = frozenset({e.StatusChecked, e.DeadlinePassed, e.WorkInterrupted, e.ReadingCancelled})
BRIDGE_ECHOES = frozenset(
    {e.BridgeFailed, e.CertificateRead, e.PinRefused, e.Signed, e.EnrolmentSigned, e.TextReady, e.BasicFourRead}
)
LINK_ECHOES = frozenset({e.BridgeFailed, e.StatusChecked, e.WorkInterrupted, e.LinkWanted, e.ReadingCancelled})

WAITING = frozenset({e.DeadlinePassed, e.WorkInterrupted, e.StatusChecked, e.ReadingCancelled})
PROOF = frozenset(
    {e.ProofAccepted, e.ProofRejected, e.VisitConcluded, e.VisitRejected, e.TermsOutdated, e.EnrolmentConcluded}
)
CERTIFICATE = frozenset({e.ChallengeIssued, e.CertificateTrusted, e.CertificateRejected})
PIN = frozenset({e.PinSubmitted, e.PinRefused, e.LastTryConfirmed})
# Each has its place in one state or two; everywhere else it is refused.
CHOICE = frozenset({e.KazashiWanted, e.ConsentGiven, e.KazashiStopped, e.KazashiEnded})
STAFF = frozenset({e.StaffAsked, e.StaffIdentified, e.StaffSignedOut, e.LeaseOpened, e.LeaseRefused})
ASKED = frozenset({e.ReadingRequested})
TERMS = frozenset({e.TermsAgreed})
LINKED = frozenset({e.NumberAccepted, e.NumberRefused, e.NumberLinked})
LINK = LINKED | {e.LinkWanted, e.NumberEntered}
SEALING = frozenset({e.TextWayChosen, e.BasicFourSealed, e.BasicFourRejected})
BASIC_FOUR = frozenset({e.BasicFourWanted, e.BasicFourPermitted}) | SEALING
TEXT = frozenset({e.TextReady, e.BasicFourRead})  # the bridge's words while the basic 4 information is read
ASIDE = CHOICE | TERMS | LINK | STAFF | ASKED
ELSEWHERE = ASIDE | BASIC_FOUR
SIGNATURES = frozenset({e.Signed, e.EnrolmentSigned})
