"""The rows of a visit that decides about かざし利用 after its result. PURE."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk_web.session import events as e
from kiosk_web.session import states as s
from kiosk_web.session.table import event_groups as g
from kiosk_web.session.table import handler_groups as h
from kiosk_web.session.table.row import Row
from kiosk_web.session.transitions import basic_four, kazashi, visit

ROWS: Mapping[type, Row] = {
    s.Consenting: Row(
        {
            **h.COMFORT,
            e.PageVerified: visit.begin,
            e.BridgeLost: basic_four.lose_bridge,
            e.CardChanged: kazashi.notice_card_while_consenting,
            e.ConsentGiven: kazashi.give_consent,
            e.Cancelled: kazashi.decline_consent,
            e.DeadlinePassed: kazashi.decline_consent,
            e.ReadingCancelled: basic_four.cancel_reading,
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
    s.KazashiSet: Row(
        h.AT_END,
        frozenset({e.BridgeLost, e.BridgeFailed, e.StatusChecked, e.WorkInterrupted, e.ReadingCancelled}),
        frozenset({e.ServiceChosen, e.Cancelled, e.CertificateRead})
        | g.SIGNATURES
        | g.TEXT
        | g.ELSEWHERE
        | g.PIN
        | g.PROOF
        | g.CERTIFICATE,
    ),
}
