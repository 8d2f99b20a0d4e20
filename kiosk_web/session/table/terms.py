"""The row of a visit that waits for an answer to new terms. PURE."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk_web.session import events as e
from kiosk_web.session import states as s
from kiosk_web.session.table import event_groups as g
from kiosk_web.session.table import handler_groups as h
from kiosk_web.session.table.row import Row
from kiosk_web.session.transitions import terms

ROWS: Mapping[type, Row] = {
    s.Agreeing: Row(
        {
            **h.AT_CARD,
            e.TermsAgreed: terms.agree,
            e.Cancelled: terms.decline,
            e.DeadlinePassed: terms.give_up_agreeing,
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
}
