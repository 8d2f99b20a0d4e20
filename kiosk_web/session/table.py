"""The rows of the machine: for every state, what every event does. PURE.

An event in no set of a row is a hole in the table, which a test refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kiosk_web.session import basic_four_transitions as b
from kiosk_web.session import card_transitions as k
from kiosk_web.session import event_groups as g
from kiosk_web.session import events as e
from kiosk_web.session import kazashi_transitions as z
from kiosk_web.session import linking_transitions as n
from kiosk_web.session import reading_transitions as r
from kiosk_web.session import states as s
from kiosk_web.session import terms_transitions as a
from kiosk_web.session import transitions as t
from kiosk_web.session.transitions import Step

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

TABLE: dict[type, Row] = {
    s.Connecting: Row(
        {e.PageVerified: t.begin, e.TerminalRevoked: t.revoke_terminal},
        g.WAITING,
        frozenset(e.PAGE_EVENTS) | g.PROOF | g.CERTIFICATE | g.ELSEWHERE,
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
        | g.SIGNATURES
        | g.TEXT
        | g.CHOICE
        | g.TERMS
        | g.LINK
        | g.BASIC_FOUR
        | g.PIN
        | g.PROOF
        | g.CERTIFICATE,
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
        | g.SIGNATURES
        | g.TEXT
        | g.CHOICE
        | g.TERMS
        | g.LINK
        | g.BASIC_FOUR
        | g.ASKED
        | g.PIN
        | g.PROOF
        | g.CERTIFICATE,
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
        frozenset({e.Finished, e.CertificateRead})
        | g.SIGNATURES
        | g.TEXT
        | g.ELSEWHERE
        | g.PIN
        | g.PROOF
        | g.CERTIFICATE,
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
        frozenset({e.ServiceChosen, e.Finished}) | g.SIGNATURES | g.TEXT | g.ELSEWHERE | g.PIN | g.PROOF,
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
        | g.TEXT
        | g.ELSEWHERE
        | g.PROOF
        | g.CERTIFICATE,
    ),
    s.ConfirmingLastPin: Row(
        {
            **_HOLDING,
            e.LastTryConfirmed: k.confirm_last_try,
            e.Cancelled: k.decline_last_try,
        },
        frozenset(),
        frozenset({e.ServiceChosen, e.Finished, e.CertificateRead, e.PinSubmitted, e.PinRefused})
        | g.SIGNATURES
        | g.TEXT
        | g.ELSEWHERE
        | g.PROOF
        | g.CERTIFICATE,
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
        | g.TEXT
        | g.ELSEWHERE
        | g.PROOF
        | g.CERTIFICATE,
    ),
    s.AwaitingBirth: Row(
        {
            **_HOLDING,
            e.PinSubmitted: k.submit_birth,
            e.EnrolmentSigned: k.judge_enrolment,
        },
        frozenset(),
        frozenset({e.ServiceChosen, e.Finished, e.CertificateRead, e.LastTryConfirmed, e.PinRefused, e.Signed})
        | g.TEXT
        | g.ELSEWHERE
        | g.PROOF
        | g.CERTIFICATE,
    ),
    s.CheckingCard: Row(
        {
            **_HOLDING,
            e.Signed: k.judge_proof,
            e.EnrolmentSigned: k.judge_enrolment,
        },
        frozenset(),
        frozenset({e.ServiceChosen, e.Finished, e.CertificateRead})
        | g.TEXT
        | g.ELSEWHERE
        | g.PIN
        | g.PROOF
        | g.CERTIFICATE,
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
            e.TextReady: b.note_text,
            e.BasicFourPermitted: b.permit,
            e.DeadlinePassed: k.time_out_checking,
        },
        frozenset(),
        frozenset({e.ServiceChosen, e.Finished, e.CertificateRead, e.BasicFourRead, e.BasicFourWanted})
        | g.SIGNATURES
        | g.ASIDE
        | g.SEALING
        | g.PIN
        | g.CERTIFICATE,
    ),
    s.AwaitingText: Row(
        {
            **_HOLDING,
            e.TextWayChosen: b.choose_way,
            e.PinSubmitted: b.submit_secret,
            e.BasicFourRead: b.read_basic_four,
            e.BasicFourSealed: b.conclude,
            e.BasicFourRejected: b.reject,
        },
        frozenset(),
        frozenset({e.ServiceChosen, e.Finished, e.CertificateRead, e.LastTryConfirmed, e.PinRefused, e.TextReady})
        | frozenset({e.BasicFourWanted, e.BasicFourPermitted})
        | g.SIGNATURES
        | g.ASIDE
        | g.PROOF
        | g.CERTIFICATE,
    ),
    s.CheckingText: Row(
        {
            **_HOLDING,
            e.BasicFourRead: b.read_basic_four,
            e.BasicFourSealed: b.conclude,
            e.BasicFourRejected: b.reject,
        },
        frozenset(),
        frozenset({e.ServiceChosen, e.Finished, e.CertificateRead, e.TextReady, e.TextWayChosen})
        | frozenset({e.BasicFourWanted, e.BasicFourPermitted})
        | g.SIGNATURES
        | g.ASIDE
        | g.PIN
        | g.PROOF
        | g.CERTIFICATE,
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
        | g.SIGNATURES
        | g.PIN
        | g.TEXT
        | g.CHOICE
        | g.LINK
        | g.BASIC_FOUR
        | g.STAFF
        | g.ASKED
        | g.PROOF
        | g.CERTIFICATE,
    ),
    s.Result: Row(
        {
            **_AT_END,
            e.KazashiWanted: z.want_kazashi,
            e.KazashiStopped: z.stop_kazashi,
            e.KazashiEnded: z.end_kazashi,
            e.LinkWanted: n.want_link,
            e.BasicFourWanted: b.want_basic_four,
        },
        frozenset({e.BridgeLost, e.StatusChecked, e.WorkInterrupted, e.ReadingCancelled}) | g.BRIDGE_ECHOES,
        frozenset({e.ServiceChosen, e.Cancelled, e.ConsentGiven, e.NumberEntered, e.PinSubmitted, e.LastTryConfirmed})
        | frozenset({e.BasicFourPermitted})
        | g.SEALING
        | g.TERMS
        | g.LINKED
        | g.STAFF
        | g.ASKED
        | g.PROOF
        | g.CERTIFICATE,
    ),
    s.BasicFourSent: Row(
        {**_AT_END, e.Finished: b.acknowledge},
        frozenset({e.BridgeLost, e.StatusChecked, e.WorkInterrupted, e.ReadingCancelled}) | g.BRIDGE_ECHOES,
        frozenset({e.ServiceChosen, e.Cancelled, e.PinSubmitted, e.LastTryConfirmed})
        | g.ELSEWHERE
        | g.PROOF
        | g.CERTIFICATE,
    ),
    s.Consenting: Row(
        {
            **_COMFORT,
            e.PageVerified: t.begin,
            e.BridgeLost: b.lose_bridge,
            e.CardChanged: z.notice_card_while_consenting,
            e.ConsentGiven: z.give_consent,
            e.Cancelled: z.decline_consent,
            e.DeadlinePassed: z.decline_consent,
            e.ReadingCancelled: b.cancel_reading,
        },
        frozenset({e.BridgeFailed, e.StatusChecked, e.WorkInterrupted, e.KazashiWanted, e.BasicFourWanted}),
        frozenset({e.ServiceChosen, e.Finished, e.CertificateRead, e.KazashiStopped, e.KazashiEnded})
        | frozenset({e.BasicFourPermitted})
        | g.SEALING
        | g.SIGNATURES
        | g.TERMS
        | g.LINK
        | g.TEXT
        | g.STAFF
        | g.ASKED
        | g.PIN
        | g.PROOF
        | g.CERTIFICATE,
    ),
    s.EnteringNumber: Row(
        {
            **_LINKING,
            e.NumberEntered: n.enter_number,
            e.NumberAccepted: n.accept_number,
        },
        g.LINK_ECHOES,
        frozenset({e.ServiceChosen, e.Finished, e.CertificateRead})
        | g.SIGNATURES
        | g.TEXT
        | g.BASIC_FOUR
        | g.CHOICE
        | g.TERMS
        | g.STAFF
        | g.ASKED
        | g.PIN
        | g.PROOF
        | g.CERTIFICATE,
    ),
    s.ConfirmingLink: Row(
        {
            **_LINKING,
            e.StaffIdentified: n.confirm_link,
            e.LeaseRefused: n.refuse_staff,
        },
        g.LINK_ECHOES,
        frozenset({e.ServiceChosen, e.Finished, e.CertificateRead, e.NumberEntered, e.NumberAccepted})
        | frozenset({e.StaffAsked, e.StaffSignedOut, e.LeaseOpened})
        | g.SIGNATURES
        | g.TEXT
        | g.BASIC_FOUR
        | g.CHOICE
        | g.TERMS
        | g.ASKED
        | g.PIN
        | g.PROOF
        | g.CERTIFICATE,
    ),
    s.KazashiSet: Row(
        _AT_END,
        frozenset({e.BridgeLost, e.BridgeFailed, e.StatusChecked, e.WorkInterrupted, e.ReadingCancelled}),
        frozenset({e.ServiceChosen, e.Cancelled, e.CertificateRead})
        | g.SIGNATURES
        | g.TEXT
        | g.ELSEWHERE
        | g.PIN
        | g.PROOF
        | g.CERTIFICATE,
    ),
    s.Refused: Row(
        {**_AT_END, e.Cancelled: t.finish},
        frozenset({e.BridgeLost, e.StatusChecked, e.WorkInterrupted, e.ReadingCancelled}) | g.BRIDGE_ECHOES,
        frozenset({e.ServiceChosen, e.PinSubmitted, e.LastTryConfirmed}) | g.ELSEWHERE | g.PROOF | g.CERTIFICATE,
    ),
    s.TakingCard: Row(
        {**_COMFORT, e.PageVerified: t.change_page_at_end, e.CardChanged: t.notice_card_while_taking},
        frozenset({e.Finished, e.Cancelled, e.BridgeLost}) | g.ECHOES | g.BRIDGE_ECHOES,
        frozenset({e.ServiceChosen, e.PinSubmitted, e.LastTryConfirmed}) | g.ELSEWHERE | g.PROOF | g.CERTIFICATE,
    ),
    s.Superseded: Row({}, frozenset(), frozenset(e.EVENTS)),
    s.OutOfService: Row(
        {e.PageVerified: t.begin, e.TerminalRevoked: t.revoke_terminal},
        frozenset({e.BridgeLost, e.CardChanged, e.Finished, e.Cancelled, e.Extended, e.HelpCalled})
        | g.ECHOES
        | g.BRIDGE_ECHOES,
        frozenset({e.ServiceChosen, e.PinSubmitted, e.LastTryConfirmed, e.LanguageChosen, e.TextSizeChosen})
        | g.ELSEWHERE
        | g.PROOF
        | g.CERTIFICATE,
    ),
}
