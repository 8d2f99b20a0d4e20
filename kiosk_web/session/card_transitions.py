"""What happens to a visit while its card is in use:

read, hold, sign, conclude. Handlers of the table in `machine.py`. PURE.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import states as s
from kiosk_web.session.codes import CODES
from kiosk_web.session.transitions import (
    CHECKING_SECONDS,
    CLOSING_SECONDS,
    READER_CODES,
    RELEASE_SECONDS,
    SIGNING_SECONDS,
    STATUS_MAX_AGE_SECONDS,
    STEP_SECONDS,
    IllegalEvent,
    Step,
    derive_status,
    issue_order,
    later,
    refuse,
    require_visit,
    with_visit,
)


def _require_challenge(state: s.State, event: e.Event, challenge: str) -> None:
    if not challenge or challenge != s.derive_challenge(state):
        raise IllegalEvent(state, event)


def notice_card_in_use(state: s.State, event: e.CardChanged, now: datetime) -> Step:
    """Nothing changes as long as it is the same stay of the same card; anything else ends the visit."""
    visit = require_visit(state)
    presence = s.Presence(event.reader, event.card, event.instance)
    if event.card == "ours" and event.instance == visit.presence.instance:
        return with_visit(state, replace(visit, presence=presence)), ()
    if event.card == "none":
        code = READER_CODES.get(event.reader, "card_removed")
    else:
        code = {"ours": "card_swapped", "mute": "card_mute"}.get(event.card, "card_swapped")
    refused, commands = refuse(replace(visit, presence=presence), code, now, status=derive_status(state))
    if isinstance(refused, s.Refused) and code == "card_swapped":
        # The card that lies there now is another one: it is kept, but it is not the card of this visit.
        refused = replace(refused, visit=replace(refused.visit, presence=presence))
    return refused, commands


def start_reading(state: s.ReadingCard, event: e.ChallengeIssued, now: datetime) -> Step:
    visit, order = issue_order(replace(state.visit, reference=event.reference), "read_certificate", ticket=event.ticket)
    return s.ReadingCard(visit, state.deadline_at, event.challenge, (order,)), ()


def judge_certificate(state: s.ReadingCard, event: e.CertificateRead, now: datetime) -> Step:
    _require_challenge(state, event, event.challenge)
    judge = c.JudgeCertificate(event.challenge, event.certificate, event.tries_left, event.counter, event.signature)
    return state, (judge,)


def trust_certificate(state: s.ReadingCard, event: e.CertificateTrusted, now: datetime) -> Step:
    """The 暗証番号 can be typed at once;

    VERIFY waits for the status. A locked card is refused here, with no try burnt.
    """
    _require_challenge(state, event, event.challenge)
    if event.tries_left == 0:
        return refuse(state.visit, "pin_locked", now, tries_left=0)
    evidence = s.CardEvidence(
        event.challenge, event.certificate_sha256, event.tries_left, status_asked=event.early_check
    )
    condition = s.ConfirmingLastPin if event.tries_left == 1 else s.AwaitingPin
    holding = condition(state.visit, evidence, later(now, STEP_SECONDS), later(now, RELEASE_SECONDS))
    if event.early_check:
        return holding, (c.CheckStatus(event.challenge),)
    return _release(holding), ()


def reject_certificate(state: s.ReadingCard, event: e.CertificateRejected, now: datetime) -> Step:
    _require_challenge(state, event, event.challenge)
    return refuse(state.visit, event.code, now)


def _release(state: s.Holding) -> s.Holding:
    if state.release_at is None:
        return state
    visit, order = issue_order(state.visit, "authenticate")
    return replace(state, visit=visit, release_at=None, orders=(*state.orders, order))


def learn_status(state: s.Holding, event: e.StatusChecked, now: datetime) -> Step:
    """Good lets VERIFY go. Anything else ends the visit, mostly before a try was used."""
    _require_challenge(state, event, event.challenge)
    status = s.StatusEvidence(event.json, event.checked_at)
    if event.code:
        return refuse(state.visit, event.code, now, status=status)
    return _release(replace(state, evidence=replace(state.evidence, status=status))), ()


def submit_pin(state: s.AwaitingPin, event: e.PinSubmitted, now: datetime) -> Step:
    _require_challenge(state, event, event.challenge)
    deadline = later(now, SIGNING_SECONDS)
    return s.CheckingPin(state.visit, state.evidence, deadline, state.release_at, state.orders), ()


def refuse_pin(state: s.Holding, event: e.PinRefused, now: datetime) -> Step:
    _require_challenge(state, event, event.challenge)
    if event.tries_left == 0:
        return refuse(state.visit, "pin_locked", now, tries_left=0, status=state.evidence.status)
    evidence = replace(state.evidence, tries_left=event.tries_left)
    condition = s.ConfirmingLastPin if event.tries_left == 1 else s.AwaitingPin
    return condition(state.visit, evidence, later(now, STEP_SECONDS), state.release_at, state.orders, True), ()


def confirm_last_try(state: s.ConfirmingLastPin, event: e.LastTryConfirmed, now: datetime) -> Step:
    visit, order = issue_order(state.visit, "confirm_last_try")
    orders = (*state.orders, order)
    deadline = later(now, STEP_SECONDS)
    return s.AwaitingPin(visit, state.evidence, deadline, state.release_at, orders, state.refused), ()


def decline_last_try(state: s.ConfirmingLastPin, event: e.Cancelled, now: datetime) -> Step:
    left = state.evidence.tries_left
    return refuse(state.visit, "last_try_declined", now, tries_left=left, status=state.evidence.status)


def cancel_at_card(state: s.State, event: e.Cancelled, now: datetime) -> Step:
    return refuse(require_visit(state), "cancelled", now, status=derive_status(state))


def fail_at_card(state: s.State, event: e.BridgeFailed, now: datetime) -> Step:
    """The bridge gave up: its code is ours. An unknown one is told as `internal`, never repeated from outside; so is
    one about the certificate or its status, which the server alone judges.
    """
    if event.challenge and event.challenge != s.derive_challenge(state):
        raise IllegalEvent(state, event)
    known = CODES.get(event.code)
    code = "internal" if known is None or known.group in ("certificate", "confirmation") else known.name
    return refuse(require_visit(state), code, now, tries_left=event.tries_left, status=derive_status(state))


def interrupt(state: s.State, event: e.WorkInterrupted, now: datetime) -> Step:
    if event.challenge and event.challenge != s.derive_challenge(state):
        return state, ()  # it was for an earlier visit
    return refuse(require_visit(state), "internal", now, status=derive_status(state))


def time_out_reading(state: s.ReadingCard, event: e.DeadlinePassed, now: datetime) -> Step:
    return refuse(state.visit, "session_timeout", now)


def pass_time_holding(state: s.Holding, event: e.DeadlinePassed, now: datetime) -> Step:
    if now >= state.deadline_at:
        code = "session_timeout" if isinstance(state, s.CheckingPin) else "pin_timeout"
        return refuse(state.visit, code, now, status=state.evidence.status)
    if state.release_at is not None and now >= state.release_at:
        return _release(state), ()
    return state, ()


# --- after the signature ----------------------------------------------------------------------------------------------


def judge_proof(state: s.AwaitingPin | s.CheckingPin, event: e.Signed, now: datetime) -> Step:
    _require_challenge(state, event, event.challenge)
    evidence = state.evidence
    judge = c.JudgeProof(
        event.challenge,
        evidence.certificate_sha256,
        event.certificate,
        event.card_signature,
        event.counter,
        event.signature,
    )
    return s.Checking(state.visit, evidence, later(now, CHECKING_SECONDS)), (judge,)


def accept_proof(state: s.Checking, event: e.ProofAccepted, now: datetime) -> Step:
    _require_challenge(state, event, event.challenge)
    return _conclude(replace(state, proven=True), now)


def _conclude(state: s.Checking, now: datetime) -> Step:
    evidence = state.evidence
    if evidence.status is not None:
        if now - evidence.status.checked_at <= timedelta(seconds=STATUS_MAX_AGE_SECONDS):
            return state, (c.Conclude(evidence.challenge, state.visit, evidence.status.json),)
        evidence = replace(evidence, status=None, status_asked=False)
    if evidence.status_asked:
        return replace(state, evidence=evidence), ()
    asked = replace(evidence, status_asked=True)
    return replace(state, evidence=asked), (c.CheckStatus(evidence.challenge),)


def reject_proof(state: s.Checking, event: e.ProofRejected, now: datetime) -> Step:
    _require_challenge(state, event, event.challenge)
    return refuse(state.visit, event.code, now, status=state.evidence.status)


def learn_last_status(state: s.Checking, event: e.StatusChecked, now: datetime) -> Step:
    _require_challenge(state, event, event.challenge)
    status = s.StatusEvidence(event.json, event.checked_at)
    if event.code:
        return refuse(state.visit, event.code, now, status=status)
    state = replace(state, evidence=replace(state.evidence, status=status))
    return _conclude(state, now) if state.proven else (state, ())


def conclude(state: s.Checking, event: e.VisitConcluded, now: datetime) -> Step:
    _require_challenge(state, event, event.challenge)
    if not state.proven or state.evidence.status is None:
        raise IllegalEvent(state, event)
    result = s.Result(
        visit=state.visit,
        deadline_at=later(now, CLOSING_SECONDS),
        profile=event.profile,
        identifier_kind=event.identifier_kind,
        identifier=event.identifier,
        expires_soon=event.expires_soon,
        checked_at=event.checked_at,
        method=event.status_method,
        status_as_of=event.status_as_of,
        card_held=state.visit.presence.card != "none",
        fallback=event.fallback,
    )
    return result, (c.RecordAudit(state.visit, "done", "", state.evidence.status.json),)


def reject_visit(state: s.Checking, event: e.VisitRejected, now: datetime) -> Step:
    _require_challenge(state, event, event.challenge)
    return refuse(state.visit, event.code, now, status=state.evidence.status)


def time_out_checking(state: s.Checking, event: e.DeadlinePassed, now: datetime) -> Step:
    return refuse(state.visit, "status_unavailable", now, status=state.evidence.status)
