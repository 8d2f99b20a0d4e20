"""The rows before the card is in use, and of the ends of a visit. PURE."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk_web.session import events as e
from kiosk_web.session import states as s
from kiosk_web.session.table import event_groups as g
from kiosk_web.session.table import handler_groups as h
from kiosk_web.session.table.row import Row
from kiosk_web.session.transitions import basic_four, kazashi, linking, reading, staff, visit

ROWS: Mapping[type, Row] = {
    s.Connecting: Row(
        {e.PageVerified: visit.begin, e.TerminalRevoked: visit.revoke_terminal},
        g.WAITING,
        frozenset(e.PAGE_EVENTS) | g.PROOF | g.CERTIFICATE | g.ELSEWHERE,
    ),
    s.ChoosingService: Row(
        {
            **h.COMFORT,
            e.PageVerified: visit.begin,
            e.BridgeLost: visit.lose_bridge_idle,
            e.CardChanged: visit.notice_card_while_choosing,
            e.ServiceChosen: visit.choose_service,
            e.StaffAsked: staff.ask_staff,
            e.StaffSignedOut: staff.sign_staff_out,
            e.Cancelled: visit.go_back,
            e.DeadlinePassed: visit.rest,
            e.ReadingRequested: reading.request_reading,
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
    s.AwaitingCard: Row(
        {
            **h.COMFORT,
            e.PageVerified: visit.begin,
            e.BridgeLost: visit.lose_bridge_idle,
            e.CardChanged: visit.notice_card_while_awaiting,
            e.ServiceChosen: reading.choose_service,
            e.Cancelled: reading.go_back,
            e.DeadlinePassed: visit.give_up_awaiting,
            e.ReadingCancelled: reading.cancel_reading,
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
    s.Result: Row(
        {
            **h.AT_END,
            e.KazashiWanted: kazashi.want_kazashi,
            e.KazashiStopped: kazashi.stop_kazashi,
            e.KazashiEnded: kazashi.end_kazashi,
            e.LinkWanted: linking.want_link,
            e.BasicFourWanted: basic_four.want_basic_four,
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
    s.Refused: Row(
        {**h.AT_END, e.Cancelled: visit.finish},
        frozenset({e.BridgeLost, e.StatusChecked, e.WorkInterrupted, e.ReadingCancelled}) | g.BRIDGE_ECHOES,
        frozenset({e.ServiceChosen, e.PinSubmitted, e.LastTryConfirmed}) | g.ELSEWHERE | g.PROOF | g.CERTIFICATE,
    ),
    s.TakingCard: Row(
        {**h.COMFORT, e.PageVerified: visit.change_page_at_end, e.CardChanged: visit.notice_card_while_taking},
        frozenset({e.Finished, e.Cancelled, e.BridgeLost}) | g.ECHOES | g.BRIDGE_ECHOES,
        frozenset({e.ServiceChosen, e.PinSubmitted, e.LastTryConfirmed}) | g.ELSEWHERE | g.PROOF | g.CERTIFICATE,
    ),
    s.Superseded: Row({}, frozenset(), frozenset(e.EVENTS)),
    s.OutOfService: Row(
        {e.PageVerified: visit.begin, e.TerminalRevoked: visit.revoke_terminal},
        frozenset({e.BridgeLost, e.CardChanged, e.Finished, e.Cancelled, e.Extended, e.HelpCalled})
        | g.ECHOES
        | g.BRIDGE_ECHOES,
        frozenset({e.ServiceChosen, e.PinSubmitted, e.LastTryConfirmed, e.LanguageChosen, e.TextSizeChosen})
        | g.ELSEWHERE
        | g.PROOF
        | g.CERTIFICATE,
    ),
}
