"""The session of one terminal as a table: for every state, what every event does. PURE.

`step(state, event, now)` → (state, commands). An event that a row calls illegal raises `IllegalEvent` and changes
nothing; an event in no set of a row is a hole in the table, which a test refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from kiosk_web.session import card_transitions as k
from kiosk_web.session import events as e
from kiosk_web.session import kazashi_transitions as z
from kiosk_web.session import linking_transitions as n
from kiosk_web.session import reading_transitions as r
from kiosk_web.session import states as s
from kiosk_web.session import terms_transitions as a
from kiosk_web.session import transitions as t
from kiosk_web.session.transitions import IllegalEvent, Step

__all__ = ["TABLE", "IllegalEvent", "Row", "Step", "step"]

Handler = Callable[[Any, Any, datetime], Step]


@dataclass(frozen=True)
class Row:
    """`kept`: expected late or doubled, without meaning here. `illegal`: answered 409, nothing changes."""

    legal: Mapping[type, Handler]
    kept: frozenset[type]
    illegal: frozenset[type]


_COMFORT: dict[type, Handler] = {
    e.LanguageChosen: t.choose_language,
    e.TextSizeChosen: t.choose_text_size,
    e.HelpCalled: t.call_help,
    e.Extended: t.extend,
    e.TerminalRevoked: t.revoke_terminal,
}
_AT_CARD: dict[type, Handler] = {
    **_COMFORT,
    e.PageVerified: t.change_page_at_card,
    e.BridgeLost: t.lose_bridge_at_card,
    e.CardChanged: k.notice_card_in_use,
    e.BridgeFailed: k.fail_at_card,
    e.WorkInterrupted: k.interrupt,
    e.Cancelled: k.cancel_at_card,
    e.ReadingCancelled: r.cancel_reading,
}
_HOLDING: dict[type, Handler] = {
    **_AT_CARD,
    e.StatusChecked: k.learn_status,
    e.DeadlinePassed: k.pass_time_holding,
}
_AT_END: dict[type, Handler] = {
    **_COMFORT,
    e.PageVerified: t.change_page_at_end,
    e.CardChanged: t.notice_card_at_end,
    e.Finished: t.finish,
    e.DeadlinePassed: t.finish,
}
_LINKING: dict[type, Handler] = {
    **_COMFORT,
    e.PageVerified: t.begin,
    e.BridgeLost: t.lose_bridge_idle,
    e.CardChanged: z.notice_card_while_consenting,
    e.NumberRefused: n.refuse_number,
    e.NumberLinked: n.finish_link,
    e.Cancelled: n.leave_linking,
    e.DeadlinePassed: n.leave_linking,
}
# What the bridge, the responder or a clock may still say about a visit that has ended.
_ECHOES = frozenset({e.StatusChecked, e.DeadlinePassed, e.WorkInterrupted, e.ReadingCancelled})
_BRIDGE_ECHOES = frozenset({e.BridgeFailed, e.CertificateRead, e.PinRefused, e.Signed, e.EnrolmentSigned})
_LINK_ECHOES = frozenset({e.BridgeFailed, e.StatusChecked, e.WorkInterrupted, e.LinkWanted, e.ReadingCancelled})

_WAITING = frozenset({e.DeadlinePassed, e.WorkInterrupted, e.StatusChecked, e.ReadingCancelled})
_PROOF = frozenset(
    {e.ProofAccepted, e.ProofRejected, e.VisitConcluded, e.VisitRejected, e.TermsOutdated, e.EnrolmentConcluded}
)
_CERTIFICATE = frozenset({e.ChallengeIssued, e.CertificateTrusted, e.CertificateRejected})
_PIN = frozenset({e.PinSubmitted, e.PinRefused, e.LastTryConfirmed})
# Each has its place in one state or two; everywhere else it is refused.
_CHOICE = frozenset({e.KazashiWanted, e.ConsentGiven, e.KazashiStopped, e.KazashiEnded})
_STAFF = frozenset({e.StaffAsked, e.StaffIdentified, e.StaffSignedOut, e.LeaseOpened, e.LeaseRefused})
_ASKED = frozenset({e.ReadingRequested})
_TERMS = frozenset({e.TermsAgreed})
_LINKED = frozenset({e.NumberAccepted, e.NumberRefused, e.NumberLinked})
_LINK = _LINKED | {e.LinkWanted, e.NumberEntered}
_ELSEWHERE = _CHOICE | _TERMS | _LINK | _STAFF | _ASKED
_SIGNATURES = frozenset({e.Signed, e.EnrolmentSigned})

TABLE: dict[type, Row] = {
    s.Connecting: Row(
        {e.PageVerified: t.begin, e.TerminalRevoked: t.revoke_terminal},
        _WAITING,
        frozenset(e.PAGE_EVENTS) | _PROOF | _CERTIFICATE | _ELSEWHERE,
    ),
    s.ChoosingService: Row(
        {
            **_COMFORT,
            e.PageVerified: t.begin,
            e.BridgeLost: t.lose_bridge_idle,
            e.CardChanged: t.notice_card_while_choosing,
            e.ServiceChosen: t.choose_service,
            e.StaffAsked: z.ask_staff,
            e.StaffSignedOut: z.sign_staff_out,
            e.Cancelled: t.go_back,
            e.DeadlinePassed: t.rest,
            e.ReadingRequested: r.request_reading,
        },
        frozenset({e.Finished, e.StatusChecked, e.WorkInterrupted, e.BridgeFailed, e.ReadingCancelled}),
        frozenset({e.CertificateRead, e.StaffIdentified, e.LeaseOpened, e.LeaseRefused})
        | _SIGNATURES
        | _CHOICE
        | _TERMS
        | _LINK
        | _PIN
        | _PROOF
        | _CERTIFICATE,
    ),
    s.StaffSigningIn: Row(
        {
            **_COMFORT,
            e.PageVerified: t.begin,
            e.BridgeLost: t.lose_bridge_idle,
            e.CardChanged: z.notice_card_at_staff,
            e.StaffIdentified: z.identify_staff,
            e.LeaseOpened: z.open_lease,
            e.LeaseRefused: z.refuse_staff,
            e.Cancelled: z.leave_staff,
            e.DeadlinePassed: z.leave_staff,
        },
        frozenset({e.StatusChecked, e.WorkInterrupted, e.BridgeFailed, e.StaffAsked, e.ReadingCancelled}),
        frozenset({e.ServiceChosen, e.Finished, e.CertificateRead, e.StaffSignedOut})
        | _SIGNATURES
        | _CHOICE
        | _TERMS
        | _LINK
        | _ASKED
        | _PIN
        | _PROOF
        | _CERTIFICATE,
    ),
    s.AwaitingCard: Row(
        {
            **_COMFORT,
            e.PageVerified: t.begin,
            e.BridgeLost: t.lose_bridge_idle,
            e.CardChanged: t.notice_card_while_awaiting,
            e.ServiceChosen: r.choose_service,
            e.Cancelled: r.go_back,
            e.DeadlinePassed: t.give_up_awaiting,
            e.ReadingCancelled: r.cancel_reading,
        },
        frozenset({e.StatusChecked, e.WorkInterrupted, e.BridgeFailed}),
        frozenset({e.Finished, e.CertificateRead}) | _SIGNATURES | _ELSEWHERE | _PIN | _PROOF | _CERTIFICATE,
    ),
    s.ReadingCard: Row(
        {
            **_AT_CARD,
            e.ChallengeIssued: k.start_reading,
            e.CertificateRead: k.judge_certificate,
            e.CertificateTrusted: k.trust_certificate,
            e.CertificateRejected: k.reject_certificate,
            e.DeadlinePassed: k.time_out_reading,
        },
        frozenset({e.StatusChecked}),
        frozenset({e.ServiceChosen, e.Finished}) | _SIGNATURES | _ELSEWHERE | _PIN | _PROOF,
    ),
    s.AwaitingPin: Row(
        {
            **_HOLDING,
            e.PinSubmitted: k.submit_pin,
            e.PinRefused: k.refuse_pin,
            e.Signed: k.judge_proof,
        },
        frozenset(),
        frozenset({e.ServiceChosen, e.Finished, e.CertificateRead, e.LastTryConfirmed, e.EnrolmentSigned})
        | _ELSEWHERE
        | _PROOF
        | _CERTIFICATE,
    ),
    s.ConfirmingLastPin: Row(
        {
            **_HOLDING,
            e.LastTryConfirmed: k.confirm_last_try,
            e.Cancelled: k.decline_last_try,
        },
        frozenset(),
        frozenset({e.ServiceChosen, e.Finished, e.CertificateRead, e.PinSubmitted, e.PinRefused})
        | _SIGNATURES
        | _ELSEWHERE
        | _PROOF
        | _CERTIFICATE,
    ),
    s.CheckingPin: Row(
        {
            **_HOLDING,
            e.PinRefused: k.refuse_pin,
            e.Signed: k.judge_proof,
        },
        frozenset(),
        frozenset(
            {
                e.ServiceChosen,
                e.Finished,
                e.CertificateRead,
                e.PinSubmitted,
                e.LastTryConfirmed,
                e.EnrolmentSigned,
            }
        )
        | _ELSEWHERE
        | _PROOF
        | _CERTIFICATE,
    ),
    s.AwaitingBirth: Row(
        {
            **_HOLDING,
            e.PinSubmitted: k.submit_birth,
            e.EnrolmentSigned: k.judge_enrolment,
        },
        frozenset(),
        frozenset({e.ServiceChosen, e.Finished, e.CertificateRead, e.LastTryConfirmed, e.PinRefused, e.Signed})
        | _ELSEWHERE
        | _PROOF
        | _CERTIFICATE,
    ),
    s.CheckingCard: Row(
        {
            **_HOLDING,
            e.Signed: k.judge_proof,
            e.EnrolmentSigned: k.judge_enrolment,
        },
        frozenset(),
        frozenset({e.ServiceChosen, e.Finished, e.CertificateRead}) | _ELSEWHERE | _PIN | _PROOF | _CERTIFICATE,
    ),
    s.Checking: Row(
        {
            **_AT_CARD,
            e.ProofAccepted: k.accept_proof,
            e.ProofRejected: k.reject_proof,
            e.StatusChecked: k.learn_last_status,
            e.VisitConcluded: k.conclude,
            e.EnrolmentConcluded: k.conclude_enrolment,
            e.VisitRejected: k.reject_visit,
            e.TermsOutdated: a.ask_to_agree,
            e.DeadlinePassed: k.time_out_checking,
        },
        frozenset(),
        frozenset({e.ServiceChosen, e.Finished, e.CertificateRead}) | _SIGNATURES | _ELSEWHERE | _PIN | _CERTIFICATE,
    ),
    s.Agreeing: Row(
        {
            **_AT_CARD,
            e.TermsAgreed: a.agree,
            e.Cancelled: a.decline,
            e.DeadlinePassed: a.give_up_agreeing,
        },
        frozenset({e.StatusChecked}),
        frozenset({e.ServiceChosen, e.Finished, e.CertificateRead})
        | _SIGNATURES
        | _PIN
        | _CHOICE
        | _LINK
        | _STAFF
        | _ASKED
        | _PROOF
        | _CERTIFICATE,
    ),
    s.Result: Row(
        {
            **_AT_END,
            e.KazashiWanted: z.want_kazashi,
            e.KazashiStopped: z.stop_kazashi,
            e.KazashiEnded: z.end_kazashi,
            e.LinkWanted: n.want_link,
        },
        frozenset({e.BridgeLost, e.BridgeFailed, e.StatusChecked, e.WorkInterrupted, e.ReadingCancelled}),
        frozenset({e.ServiceChosen, e.Cancelled, e.CertificateRead, e.ConsentGiven, e.NumberEntered})
        | _SIGNATURES
        | _TERMS
        | _LINKED
        | _STAFF
        | _ASKED
        | _PIN
        | _PROOF
        | _CERTIFICATE,
    ),
    s.Consenting: Row(
        {
            **_COMFORT,
            e.PageVerified: t.begin,
            e.BridgeLost: t.lose_bridge_idle,
            e.CardChanged: z.notice_card_while_consenting,
            e.ConsentGiven: z.give_consent,
            e.Cancelled: z.decline_consent,
            e.DeadlinePassed: z.decline_consent,
        },
        frozenset({e.BridgeFailed, e.StatusChecked, e.WorkInterrupted, e.KazashiWanted, e.ReadingCancelled}),
        frozenset({e.ServiceChosen, e.Finished, e.CertificateRead, e.KazashiStopped, e.KazashiEnded})
        | _SIGNATURES
        | _TERMS
        | _LINK
        | _STAFF
        | _ASKED
        | _PIN
        | _PROOF
        | _CERTIFICATE,
    ),
    s.EnteringNumber: Row(
        {
            **_LINKING,
            e.NumberEntered: n.enter_number,
            e.NumberAccepted: n.accept_number,
        },
        _LINK_ECHOES,
        frozenset({e.ServiceChosen, e.Finished, e.CertificateRead})
        | _SIGNATURES
        | _CHOICE
        | _TERMS
        | _STAFF
        | _ASKED
        | _PIN
        | _PROOF
        | _CERTIFICATE,
    ),
    s.ConfirmingLink: Row(
        {
            **_LINKING,
            e.StaffIdentified: n.confirm_link,
            e.LeaseRefused: n.refuse_staff,
        },
        _LINK_ECHOES,
        frozenset({e.ServiceChosen, e.Finished, e.CertificateRead, e.NumberEntered, e.NumberAccepted})
        | frozenset({e.StaffAsked, e.StaffSignedOut, e.LeaseOpened})
        | _SIGNATURES
        | _CHOICE
        | _TERMS
        | _ASKED
        | _PIN
        | _PROOF
        | _CERTIFICATE,
    ),
    s.KazashiSet: Row(
        _AT_END,
        frozenset({e.BridgeLost, e.BridgeFailed, e.StatusChecked, e.WorkInterrupted, e.ReadingCancelled}),
        frozenset({e.ServiceChosen, e.Cancelled, e.CertificateRead})
        | _SIGNATURES
        | _ELSEWHERE
        | _PIN
        | _PROOF
        | _CERTIFICATE,
    ),
    s.Refused: Row(
        {**_AT_END, e.Cancelled: t.finish},
        frozenset({e.BridgeLost, e.StatusChecked, e.WorkInterrupted, e.ReadingCancelled}) | _BRIDGE_ECHOES,
        frozenset({e.ServiceChosen, e.PinSubmitted, e.LastTryConfirmed}) | _ELSEWHERE | _PROOF | _CERTIFICATE,
    ),
    s.TakingCard: Row(
        {**_COMFORT, e.PageVerified: t.change_page_at_end, e.CardChanged: t.notice_card_while_taking},
        frozenset({e.Finished, e.Cancelled, e.BridgeLost}) | _ECHOES | _BRIDGE_ECHOES,
        frozenset({e.ServiceChosen, e.PinSubmitted, e.LastTryConfirmed}) | _ELSEWHERE | _PROOF | _CERTIFICATE,
    ),
    s.Superseded: Row({}, frozenset(), frozenset(e.EVENTS)),
    s.OutOfService: Row(
        {e.PageVerified: t.begin, e.TerminalRevoked: t.revoke_terminal},
        frozenset({e.BridgeLost, e.CardChanged, e.Finished, e.Cancelled, e.Extended, e.HelpCalled})
        | _ECHOES
        | _BRIDGE_ECHOES,
        frozenset({e.ServiceChosen, e.PinSubmitted, e.LastTryConfirmed, e.LanguageChosen, e.TextSizeChosen})
        | _ELSEWHERE
        | _PROOF
        | _CERTIFICATE,
    ),
}


def step(state: s.State, event: e.Event, now: datetime) -> Step:
    """One event. Raises `IllegalEvent`; the state given is never changed."""
    row = TABLE[type(state)]
    handler = row.legal.get(type(event))
    if handler is not None:
        if isinstance(event, e.DeadlinePassed) and not _is_due(state, now):
            return state, ()
        after, commands = handler(state, event, now)
        if isinstance(after, s.Refused) and not isinstance(state, s.Refused):
            after = replace(after, stopped_in=state.name)
        return after, commands
    if type(event) in row.kept:
        return state, ()
    raise IllegalEvent(state, event)


def _is_due(state: s.State, now: datetime) -> bool:
    """A deadline may have been moved between the clock's ring and now."""
    wake_at = s.derive_wake_at(state)
    return wake_at is not None and now >= wake_at
