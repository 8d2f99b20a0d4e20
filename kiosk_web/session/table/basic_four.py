"""The rows of a visit in which the basic 4 information is read. PURE."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk_web.session import events as e
from kiosk_web.session import states as s
from kiosk_web.session.table import event_groups as g
from kiosk_web.session.table import handler_groups as h
from kiosk_web.session.table.row import Row
from kiosk_web.session.transitions import basic_four

ROWS: Mapping[type, Row] = {
    s.AwaitingText: Row(
        {
            **h.HOLDING,
            e.TextWayChosen: basic_four.choose_way,
            e.PinSubmitted: basic_four.submit_secret,
            e.BasicFourRead: basic_four.read_basic_four,
            e.BasicFourSealed: basic_four.conclude,
            e.BasicFourRejected: basic_four.reject,
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
            **h.HOLDING,
            e.BasicFourRead: basic_four.read_basic_four,
            e.BasicFourSealed: basic_four.conclude,
            e.BasicFourRejected: basic_four.reject,
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
    s.BasicFourSent: Row(
        {**h.AT_END, e.Finished: basic_four.acknowledge},
        frozenset({e.BridgeLost, e.StatusChecked, e.WorkInterrupted, e.ReadingCancelled}) | g.BRIDGE_ECHOES,
        frozenset({e.ServiceChosen, e.Cancelled, e.PinSubmitted, e.LastTryConfirmed})
        | g.ELSEWHERE
        | g.PROOF
        | g.CERTIFICATE,
    ),
}
