"""The basic 4 information, after an accepted verdict: consent, a second proof, a secret of the text application, the
sealed items. Handlers of the table. PURE.

However it ends, the visit returns to the result it had reached, as long as certificate and card of that result are
there. The items pass through one event and one command and are in no state.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import facts
from kiosk_web.session import states as s
from kiosk_web.session.codes import CODES
from kiosk_web.session.transitions import visit as v
from kiosk_web.session.transitions.step import (
    CLOSING_SECONDS,
    SIGNING_SECONDS,
    STEP_SECONDS,
    IllegalEvent,
    Step,
    ask_card,
    issue_order,
    later,
    refuse,
    require_visit,
    return_to_result,
    start_visit,
)

FEWEST_TRIES = 2
"""A secret with fewer tries left is not asked for: the bridge would not have the card compare it."""


def is_offered_again(result: s.Result) -> bool:
    """May the resident still have the items sent? Not for a system that was told already how it ended."""
    if result.basic_four not in ("declined", "failed") or not result.same_card or result.visit.reading is not None:
        return False
    code = CODES.get(result.basic_four_code)
    return code is None or code.retriable or code.name == "text_secret_wrong"


def want_basic_four(state: s.Result, event: e.BasicFourWanted, now: datetime) -> Step:
    if not is_offered_again(state):
        raise IllegalEvent(state, event)
    return s.Consenting(state.visit, state, later(now, STEP_SECONDS), "basic_four"), ()


# --- consent ----------------------------------------------------------------------------------------------------------


def begin_reading(state: s.Consenting, now: datetime) -> Step:
    """The card is asked once more: what was shown is signed by the 暗証番号 for the certificate just proven."""
    visit = replace(
        state.visit,
        purpose="basic_four",
        method="pin",
        consent="basic_four",
        proven_certificate=state.result.certificate_sha256,
        reached=state.result,
    )
    return ask_card(visit, now)


def decline(state: s.Consenting, code: str, now: datetime) -> Step:
    """Nothing is read; the result stays what it was."""
    back = return_to_result(state.visit, state.result, "declined", now)
    return replace(back, basic_four_code=code), (_record_declined(state, code),)


def leave_consent(state: s.Consenting, presence: facts.Presence, now: datetime) -> Step:
    """The card was taken or changed: everything is forgotten."""
    return start_visit(state.visit, now, presence), (_record_declined(state, "card_removed"),)


def lose_bridge(state: s.Consenting, event: e.BridgeLost, now: datetime) -> Step:
    """While a consent is shown nothing is read: かざし利用 ends with its visit, the result of this one stays."""
    if state.subject != "basic_four":
        return v.lose_bridge_idle(state, event, now)
    return _give_up(state, "bridge_lost", now)


def cancel_reading(state: s.Consenting, event: e.ReadingCancelled, now: datetime) -> Step:
    """The system that asked does not want it any more. It knows the verdict only if it is told in time."""
    asked = state.visit.reading
    if state.subject != "basic_four" or asked is None or asked.id != event.reading:
        return state, ()
    return _give_up(state, event.code, now)


def _give_up(state: s.Consenting, code: str, now: datetime) -> Step:
    back = return_to_result(state.visit, state.result, "failed", now)
    return replace(back, basic_four_code=code), (
        c.RecordAudit(replace(state.visit, purpose="basic_four"), "refused", code, None),
    )


def _record_declined(state: s.Consenting, code: str) -> c.RecordAudit:
    return c.RecordAudit(replace(state.visit, purpose="basic_four"), "declined", code, None)


# --- the second proof, and the text application -----------------------------------------------------------------------


def permit(state: s.Checking, event: e.BasicFourPermitted, now: datetime) -> Step:
    """The second proof and its verdict are good. Only now may the text application compare a secret."""
    _require(state, event, event.challenge)
    if not state.proven or state.evidence.status is None:
        raise IllegalEvent(state, event)
    return _go_on(replace(state, permitted=True), now)


def note_text(state: s.Checking, event: e.TextReady, now: datetime) -> Step:
    _require(state, event, event.challenge)
    return _go_on(replace(state, text=facts.TextTries(event.pin_tries_left, event.code_tries_left)), now)


def _go_on(state: s.Checking, now: datetime) -> Step:
    """Once both are known. The order to compare is in the state: the bridge waits for it and for the secret."""
    if not state.permitted or state.text is None:
        return state, ()
    if max(state.text.pin, state.text.code) < FEWEST_TRIES:
        return refuse(state.visit, "text_secret_guarded", now, status=state.evidence.status)
    visit, order = issue_order(state.visit, "authenticate")
    way: facts.TextWay = "" if state.text.pin >= FEWEST_TRIES else "code"
    return s.AwaitingText(visit, state.evidence, later(now, STEP_SECONDS), state.text, way, (order,)), ()


def choose_way(state: s.AwaitingText, event: e.TextWayChosen, now: datetime) -> Step:
    by_code = event.way in ("code", "security")
    if (state.text.code if by_code else state.text.pin) < FEWEST_TRIES:
        raise IllegalEvent(state, event)
    if event.way == "security" and state.way not in ("code", "security"):
        raise IllegalEvent(state, event)
    return replace(state, way=event.way, deadline_at=later(now, STEP_SECONDS)), ()


def submit_secret(state: s.AwaitingText, event: e.PinSubmitted, now: datetime) -> Step:
    _require(state, event, event.challenge)
    return s.CheckingText(state.visit, state.evidence, later(now, SIGNING_SECONDS), state.orders), ()


def read_basic_four(state: s.AwaitingText | s.CheckingText, event: e.BasicFourRead, now: datetime) -> Step:
    _require(state, event, event.challenge)
    evidence = state.evidence
    seal = c.SealBasicFour(
        evidence.challenge, state.visit, evidence.certificate_sha256, event.items, event.counter, event.signature
    )
    return state, (seal,)


def conclude(state: s.AwaitingText | s.CheckingText, event: e.BasicFourSealed, now: datetime) -> Step:
    _require(state, event, event.challenge)
    visit, reached = state.visit, state.visit.reached
    if reached is None or state.evidence.status is None:
        raise IllegalEvent(state, event)
    result = return_to_result(visit, reached, "sent", now)
    deadline = later(now, CLOSING_SECONDS)
    sent = s.BasicFourSent(result.visit, result, deadline, event.kept_until, result.card_held)
    return sent, (c.RecordAudit(visit, "provided", "", state.evidence.status.json),)


def reject(state: s.AwaitingText | s.CheckingText, event: e.BasicFourRejected, now: datetime) -> Step:
    _require(state, event, event.challenge)
    return refuse(state.visit, event.code, now, status=state.evidence.status, cancel=False)


def acknowledge(state: s.BasicFourSent, event: e.Finished, now: datetime) -> Step:
    """The resident has seen what was sent: on to the result."""
    return return_to_result(state.visit, state.result, "sent", now), ()


def _require(state: s.State, event: e.Event, challenge: str) -> None:
    if challenge != s.derive_challenge(state) or require_visit(state).purpose != "basic_four":
        raise IllegalEvent(state, event)
