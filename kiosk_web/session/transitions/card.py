"""What happens to a visit while its card is in use:

read, hold, sign, conclude. Handlers of the table. PURE.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import facts
from kiosk_web.session import states as s
from kiosk_web.session.codes import CODES
from kiosk_web.session.transitions.step import (
    CHECKING_SECONDS,
    CLOSING_SECONDS,
    READER_CODES,
    RELEASE_SECONDS,
    SIGNING_SECONDS,
    STATUS_MAX_AGE_SECONDS,
    STEP_SECONDS,
    IllegalEvent,
    Step,
    ask_card,
    derive_status,
    issue_order,
    later,
    refuse,
    require_visit,
    with_visit,
)

# What a card without a working surface application answers to a tap; its 暗証番号 may do all the same.
TAP_FAILURES = frozenset({"card_error", "card_data_malformed"})


def _require_challenge(state: s.State, event: e.Event, challenge: str) -> None:
    if not challenge or challenge != s.derive_challenge(state):
        raise IllegalEvent(state, event)


def notice_card_in_use(state: s.State, event: e.CardChanged, now: datetime) -> Step:
    """Nothing changes as long as it is the same stay of the same card; anything else ends the visit."""
    visit = require_visit(state)
    presence = facts.Presence(event.reader, event.card, event.instance)
    if event.card == "ours" and event.instance == visit.presence.instance:
        return with_visit(state, replace(visit, presence=presence)), ()
    if event.card == "none":
        code = READER_CODES.get(event.reader, "card_removed")
    else:
        code = {"ours": "card_swapped", "mute": "card_mute"}.get(event.card, "card_swapped")
    refused, commands = refuse(replace(visit, presence=presence), code, now, status=derive_status(state))
    # Another card that lies there now is kept, though it is not the card of this visit.
    return with_visit(refused, replace(require_visit(refused), presence=presence)), commands


def start_reading(state: s.ReadingCard, event: e.ChallengeIssued, now: datetime) -> Step:
    """The card is asked for the certificate; the reference number is that of the first reading of this visit."""
    reference = event.reference if state.visit.reached is None else state.visit.reference  # one number for one visit
    visit = replace(state.visit, reference=reference, method=event.method)
    visit, order = issue_order(visit, "read_certificate", ticket=event.ticket)
    return s.ReadingCard(visit, state.deadline_at, event.challenge, (order,)), ()


def judge_certificate(state: s.ReadingCard, event: e.CertificateRead, now: datetime) -> Step:
    """The evidence came: trust and status are judged while the 暗証番号 is still being typed."""
    _require_challenge(state, event, event.challenge)
    judge = c.JudgeCertificate(event.challenge, event.certificate, event.tries_left, event.counter, event.signature)
    return state, (judge,)


def trust_certificate(state: s.ReadingCard, event: e.CertificateTrusted, now: datetime) -> Step:
    """The 暗証番号 can be typed at once;

    VERIFY waits for the status. A locked card is refused here, with no try burnt.
    """
    _require_challenge(state, event, event.challenge)
    visit = state.visit
    if visit.proven_certificate and visit.proven_certificate != event.certificate_sha256:
        return refuse(visit, "certificate_changed", now)
    if visit.method == "pin" and event.tries_left == 0:
        return refuse(visit, "pin_locked", now, tries_left=0)
    evidence = facts.CardEvidence(
        event.challenge, event.certificate_sha256, event.tries_left, status_asked=event.early_check
    )
    holding = _hold(visit, evidence, now)
    if event.early_check:
        return holding, (c.CheckStatus(event.challenge),)
    return _release(holding), ()


def _hold(visit: s.Visit, evidence: facts.CardEvidence, now: datetime) -> s.Holding:
    """What the card waits for: the birth date, nothing (it is signing already), or the 暗証番号."""
    if visit.purpose == "enrol":
        return s.AwaitingBirth(visit, evidence, later(now, STEP_SECONDS), later(now, RELEASE_SECONDS))
    if visit.method == "kazashi":
        return s.CheckingCard(visit, evidence, later(now, SIGNING_SECONDS), None)
    condition = s.ConfirmingLastPin if evidence.tries_left == 1 else s.AwaitingPin
    return condition(visit, evidence, later(now, STEP_SECONDS), later(now, RELEASE_SECONDS))


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
    status = facts.StatusEvidence(event.json, event.checked_at)
    if event.code:
        return refuse(state.visit, event.code, now, status=status)
    return _release(replace(state, evidence=replace(state.evidence, status=status))), ()


def submit_pin(state: s.AwaitingPin, event: e.PinSubmitted, now: datetime) -> Step:
    """The page says that the bridge has it. The 暗証番号 itself never comes here."""
    _require_challenge(state, event, event.challenge)
    deadline = later(now, SIGNING_SECONDS)
    return s.CheckingPin(state.visit, state.evidence, deadline, state.release_at, state.orders), ()


def submit_birth(state: s.AwaitingBirth, event: e.PinSubmitted, now: datetime) -> Step:
    """The page says that the bridge has the birth date; the server never hears it."""
    _require_challenge(state, event, event.challenge)
    deadline = later(now, SIGNING_SECONDS)
    return s.CheckingCard(state.visit, state.evidence, deadline, state.release_at, state.orders), ()


def refuse_pin(state: s.AwaitingPin | s.ConfirmingLastPin | s.CheckingPin, event: e.PinRefused, now: datetime) -> Step:
    """The card compared and said no. With one try left the resident is asked before it is used."""
    _require_challenge(state, event, event.challenge)
    if event.tries_left == 0:
        return refuse(state.visit, "pin_locked", now, tries_left=0, status=state.evidence.status)
    evidence = replace(state.evidence, tries_left=event.tries_left)
    condition = s.ConfirmingLastPin if event.tries_left == 1 else s.AwaitingPin
    return condition(state.visit, evidence, later(now, STEP_SECONDS), state.release_at, state.orders, True), ()


def confirm_last_try(state: s.ConfirmingLastPin, event: e.LastTryConfirmed, now: datetime) -> Step:
    """The resident knows that the card locks after this try."""
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
    if isinstance(state, s.CheckingCard) and state.visit.purpose == "identify" and event.code in TAP_FAILURES:
        return _go_on_by_pin(state.visit, now)
    known = CODES.get(event.code)
    code = "internal" if known is None or known.group in ("certificate", "confirmation") else known.name
    return refuse(require_visit(state), code, now, tries_left=event.tries_left, status=derive_status(state))


def interrupt(state: s.State, event: e.WorkInterrupted, now: datetime) -> Step:
    """Work for this visit was under way when something broke or the server stopped: nothing follows from it."""
    if event.challenge and event.challenge != s.derive_challenge(state):
        return state, ()  # it was for an earlier visit
    return refuse(require_visit(state), "internal", now, status=derive_status(state))


def time_out_reading(state: s.ReadingCard, event: e.DeadlinePassed, now: datetime) -> Step:
    return refuse(state.visit, "session_timeout", now)


def pass_time_holding(state: s.Holding, event: e.DeadlinePassed, now: datetime) -> Step:
    """Either the time for typing is over, or just the seconds that VERIFY waits for the status."""
    if event.clock_set_back or now >= state.deadline_at:
        typing = isinstance(state, s.AwaitingPin | s.ConfirmingLastPin | s.AwaitingText)
        code = "pin_timeout" if typing else "session_timeout"
        return refuse(state.visit, code, now, status=state.evidence.status)
    if state.release_at is not None and now >= state.release_at:
        return _release(state), ()
    return state, ()


# --- after the signature ----------------------------------------------------------------------------------------------


def judge_proof(state: s.AwaitingPin | s.CheckingPin | s.CheckingCard, event: e.Signed, now: datetime) -> Step:
    """The card has signed: the proof is judged against what the challenge holds, not against what the page says."""
    _require_challenge(state, event, event.challenge)
    if state.visit.purpose == "enrol":
        raise IllegalEvent(state, event)
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


def judge_enrolment(state: s.AwaitingBirth | s.CheckingCard, event: e.EnrolmentSigned, now: datetime) -> Step:
    """The surface key has signed: its record and issuer are judged with the proof."""
    _require_challenge(state, event, event.challenge)
    if state.visit.purpose != "enrol":
        raise IllegalEvent(state, event)
    judge = c.JudgeProof(
        event.challenge,
        state.evidence.certificate_sha256,
        event.certificate,
        event.card_signature,
        event.counter,
        event.signature,
        event.record,
        event.issuer,
    )
    return s.Checking(state.visit, state.evidence, later(now, CHECKING_SECONDS)), (judge,)


def accept_proof(state: s.Checking, event: e.ProofAccepted, now: datetime) -> Step:
    _require_challenge(state, event, event.challenge)
    return conclude_or_ask(replace(state, proven=True), now)


def conclude_or_ask(state: s.Checking, now: datetime) -> Step:
    """The proof is there: the verdict, or the status first where there is none that is fresh."""
    evidence = state.evidence
    if evidence.status is not None:
        if now - evidence.status.checked_at <= timedelta(seconds=STATUS_MAX_AGE_SECONDS):
            return state, (c.Conclude(evidence.challenge, state.visit, evidence.status.json, state.agreed),)
        evidence = replace(evidence, status=None, status_asked=False)
    if evidence.status_asked:
        return replace(state, evidence=evidence), ()
    asked = replace(evidence, status_asked=True)
    return replace(state, evidence=asked), (c.CheckStatus(evidence.challenge),)


def _go_on_by_pin(visit: s.Visit, now: datetime) -> Step:
    """The same words and the same way on, whatever かざし利用 lacked: the card is asked for the 暗証番号."""
    return ask_card(replace(visit, method="pin", by_pin=True), now)


def reject_proof(state: s.Checking, event: e.ProofRejected, now: datetime) -> Step:
    """A tap that lacks something goes on by 暗証番号; every other proof that fails ends the visit."""
    _require_challenge(state, event, event.challenge)
    if event.code == "kazashi_unavailable" and state.visit.purpose == "identify":
        return _go_on_by_pin(state.visit, now)
    return refuse(state.visit, event.code, now, status=state.evidence.status)


def learn_last_status(state: s.Checking, event: e.StatusChecked, now: datetime) -> Step:
    """After the signature: no try is at stake any more, and the verdict follows as soon as both are there."""
    _require_challenge(state, event, event.challenge)
    status = facts.StatusEvidence(event.json, event.checked_at)
    if event.code:
        return refuse(state.visit, event.code, now, status=status)
    state = replace(state, evidence=replace(state.evidence, status=status))
    return conclude_or_ask(state, now) if state.proven else (state, ())


def conclude(state: s.Checking, event: e.VisitConcluded, now: datetime) -> Step:
    """The verdict accepted. Raises `IllegalEvent` without proof or status: there is no other way to a result."""
    _require_challenge(state, event, event.challenge)
    if not state.proven or state.evidence.status is None or state.visit.purpose != "identify":
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
        kazashi=event.kazashi,
        link=event.link,
        certificate_sha256=state.evidence.certificate_sha256,
        card=state.visit.presence.instance,
    )
    audit = c.RecordAudit(state.visit, "done", "", state.evidence.status.json)
    if event.basic_four:
        return s.Consenting(state.visit, result, later(now, STEP_SECONDS), "basic_four"), (audit,)
    return result, (audit,)


def conclude_enrolment(state: s.Checking, event: e.EnrolmentConcluded, now: datetime) -> Step:
    """The surface key is stored. Raises `IllegalEvent` without proof or status."""
    _require_challenge(state, event, event.challenge)
    if not state.proven or state.evidence.status is None or state.visit.purpose != "enrol":
        raise IllegalEvent(state, event)
    held = state.visit.presence.card != "none"
    audit = c.RecordAudit(state.visit, "enrolled", "", state.evidence.status.json)
    return s.KazashiSet(state.visit, later(now, CLOSING_SECONDS), True, held), (audit,)


def reject_visit(state: s.Checking, event: e.VisitRejected, now: datetime) -> Step:
    """As `reject_proof`, for what was found only when the verdict was made."""
    _require_challenge(state, event, event.challenge)
    if event.code == "kazashi_unavailable" and state.visit.purpose == "identify":
        return _go_on_by_pin(state.visit, now)
    return refuse(state.visit, event.code, now, status=state.evidence.status)


def time_out_checking(state: s.Checking, event: e.DeadlinePassed, now: datetime) -> Step:
    """Not confirmed in time, which is neither valid nor revoked."""
    return refuse(state.visit, "status_unavailable", now, status=state.evidence.status)
