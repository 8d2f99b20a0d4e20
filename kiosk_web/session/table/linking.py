"""The rows of a visit that links the number of an old card after its result. PURE."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk_web.session import events as e
from kiosk_web.session import states as s
from kiosk_web.session.table import event_groups as g
from kiosk_web.session.table import handler_groups as h
from kiosk_web.session.table.row import Handler, Row
from kiosk_web.session.transitions import kazashi, linking, visit

_LINKING: Mapping[type, Handler] = {
    **h.COMFORT,
    e.PageVerified: visit.begin,
    e.BridgeLost: visit.lose_bridge_idle,
    e.CardChanged: kazashi.notice_card_while_consenting,
    e.NumberRefused: linking.refuse_number,
    e.NumberLinked: linking.finish_link,
    e.Cancelled: linking.leave_linking,
    e.DeadlinePassed: linking.leave_linking,
}

ROWS: Mapping[type, Row] = {
    s.EnteringNumber: Row(
        {
            **_LINKING,
            e.NumberEntered: linking.enter_number,
            e.NumberAccepted: linking.accept_number,
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
            e.StaffIdentified: linking.confirm_link,
            e.LeaseRefused: linking.refuse_staff,
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
}
