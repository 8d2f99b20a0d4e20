"""What a resident decides about かざし利用 after a result: handlers of the table. PURE."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import facts
from kiosk_web.session import states as s
from kiosk_web.session.transitions import basic_four as b
from kiosk_web.session.transitions.step import (
    CLOSING_SECONDS,
    STEP_SECONDS,
    IllegalEvent,
    Step,
    ask_card,
    later,
    start_visit,
)


def want_kazashi(state: s.Result, event: e.KazashiWanted, now: datetime) -> Step:
    """Only while the very card lies there whose 暗証番号 was right."""
    if state.kazashi != "offered" or not state.same_card:
        raise IllegalEvent(state, event)
    return s.Consenting(state.visit, state, later(now, STEP_SECONDS)), ()


def stop_kazashi(state: s.Result, event: e.KazashiStopped, now: datetime) -> Step:
    if state.kazashi != "on":
        raise IllegalEvent(state, event)
    return state, (c.EndKazashi(state.certificate_sha256),)


def end_kazashi(state: s.Result, event: e.KazashiEnded, now: datetime) -> Step:
    held = state.visit.presence.card != "none"
    audit = c.RecordAudit(state.visit, "ended", "", None)
    return s.KazashiSet(state.visit, later(now, CLOSING_SECONDS), False, held), (audit,)


def give_consent(state: s.Consenting, event: e.ConsentGiven, now: datetime) -> Step:
    """The card is asked once more, by its other key, for the certificate that has just been proven."""
    if state.subject == "basic_four":
        return b.begin_reading(state, now)
    visit = replace(
        state.visit,
        purpose="enrol",
        method="kazashi",
        consent="kazashi",
        proven_certificate=state.result.certificate_sha256,
    )
    return ask_card(visit, now)


def decline_consent(state: s.Consenting, event: e.Cancelled | e.DeadlinePassed, now: datetime) -> Step:
    """Back to the result, which stays what it was."""
    if state.subject == "basic_four":
        return b.decline(state, "cancelled" if isinstance(event, e.Cancelled) else "session_timeout", now)
    return replace(state.result, visit=state.visit, deadline_at=later(now, CLOSING_SECONDS)), ()


def notice_card_while_consenting(
    state: s.Consenting | s.EnteringNumber | s.ConfirmingLink, event: e.CardChanged, now: datetime
) -> Step:
    """The card that was proven is gone, or another one lies there: everything is forgotten."""
    presence = facts.Presence(event.reader, event.card, event.instance)
    visit = replace(state.visit, presence=presence)
    if event.card == "ours" and event.instance == state.result.card:
        return replace(state, visit=visit), ()
    if isinstance(state, s.Consenting) and state.subject == "basic_four":
        return b.leave_consent(state, presence, now)
    return start_visit(state.visit, now, presence), ()
