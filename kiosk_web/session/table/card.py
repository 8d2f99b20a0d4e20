"""The rows of a visit whose card is in use. PURE."""

from __future__ import annotations

from collections.abc import Mapping

from kiosk_web.session import events as e
from kiosk_web.session import states as s
from kiosk_web.session.table import event_groups as g
from kiosk_web.session.table import handler_groups as h
from kiosk_web.session.table.row import Row
from kiosk_web.session.transitions import basic_four, card, terms

ROWS: Mapping[type, Row] = {
    s.ReadingCard: Row(
        {
            **h.AT_CARD,
            e.ChallengeIssued: card.start_reading,
            e.CertificateRead: card.judge_certificate,
            e.CertificateTrusted: card.trust_certificate,
            e.CertificateRejected: card.reject_certificate,
            e.DeadlinePassed: card.time_out_reading,
        },
        frozenset({e.StatusChecked}),
        frozenset({e.ServiceChosen, e.Finished}) | g.SIGNATURES | g.TEXT | g.ELSEWHERE | g.PIN | g.PROOF,
    ),
    s.AwaitingPin: Row(
        {
            **h.HOLDING,
            e.PinSubmitted: card.submit_pin,
            e.PinRefused: card.refuse_pin,
            e.Signed: card.judge_proof,
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
            **h.HOLDING,
            e.LastTryConfirmed: card.confirm_last_try,
            e.Cancelled: card.decline_last_try,
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
            **h.HOLDING,
            e.PinRefused: card.refuse_pin,
            e.Signed: card.judge_proof,
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
            **h.HOLDING,
            e.PinSubmitted: card.submit_birth,
            e.EnrolmentSigned: card.judge_enrolment,
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
            **h.HOLDING,
            e.Signed: card.judge_proof,
            e.EnrolmentSigned: card.judge_enrolment,
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
            **h.AT_CARD,
            e.ProofAccepted: card.accept_proof,
            e.ProofRejected: card.reject_proof,
            e.StatusChecked: card.learn_last_status,
            e.VisitConcluded: card.conclude,
            e.EnrolmentConcluded: card.conclude_enrolment,
            e.VisitRejected: card.reject_visit,
            e.TermsOutdated: terms.ask_to_agree,
            e.TextReady: basic_four.note_text,
            e.BasicFourPermitted: basic_four.permit,
            e.DeadlinePassed: card.time_out_checking,
        },
        frozenset(),
        frozenset({e.ServiceChosen, e.Finished, e.CertificateRead, e.BasicFourRead, e.BasicFourWanted})
        | g.SIGNATURES
        | g.ASIDE
        | g.SEALING
        | g.PIN
        | g.CERTIFICATE,
    ),
}
