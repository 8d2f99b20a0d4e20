"""The row of a terminal at which a member of staff signs in. PURE."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk_web.session import events as e
from kiosk_web.session import states as s
from kiosk_web.session.table import event_groups as g
from kiosk_web.session.table import handler_groups as h
from kiosk_web.session.table.row import Row
from kiosk_web.session.transitions import staff, visit

ROWS: Mapping[type, Row] = {
    s.StaffSigningIn: Row(
        {
            **h.COMFORT,
            e.PageVerified: visit.begin,
            e.BridgeLost: visit.lose_bridge_idle,
            e.CardChanged: staff.notice_card_at_staff,
            e.StaffIdentified: staff.identify_staff,
            e.LeaseOpened: staff.open_lease,
            e.LeaseRefused: staff.refuse_staff,
            e.Cancelled: staff.leave_staff,
            e.DeadlinePassed: staff.leave_staff,
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
}
