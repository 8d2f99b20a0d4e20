"""連携登録 at the terminal: the number of an old card is linked to the person whom the 暗証番号 has just confirmed.

Handlers of the table. PURE. It begins and ends at the result, which stays what it was; the number is in
no state.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import states as s
from kiosk_web.session.transitions.step import CLOSING_SECONDS, STEP_SECONDS, IllegalEvent, Step, later

MOST_TRIES = 5
"""Numbers that do not do in one visit: enough for slips, too few to try numbers out."""


def want_link(state: s.Result, event: e.LinkWanted, now: datetime) -> Step:
    """Only while the very card lies there whose 暗証番号 was right."""
    if state.link != "open" or state.visit.method != "pin" or not state.same_card:
        raise IllegalEvent(state, event)
    return s.EnteringNumber(state.visit, state, later(now, STEP_SECONDS)), ()


def enter_number(state: s.EnteringNumber, event: e.NumberEntered, now: datetime) -> Step:
    return state, (c.CheckNumber(state.visit, event.number),)


def accept_number(state: s.EnteringNumber, event: e.NumberAccepted, now: datetime) -> Step:
    return s.ConfirmingLink(state.visit, state.result, later(now, STEP_SECONDS)), ()


def refuse_number(state: s.EnteringNumber | s.ConfirmingLink, event: e.NumberRefused, now: datetime) -> Step:
    result = replace(state.result, link_tries=state.result.link_tries + 1)
    if result.link_tries >= MOST_TRIES:
        return _return(replace(result, link="used_up"), state.visit, now), ()
    return s.EnteringNumber(state.visit, result, later(now, STEP_SECONDS), event.code), ()


def confirm_link(state: s.ConfirmingLink, event: e.StaffIdentified, now: datetime) -> Step:
    return state, (c.ConfirmLink(state.visit, event.number, event.code),)


def refuse_staff(state: s.ConfirmingLink, event: e.LeaseRefused, now: datetime) -> Step:
    return replace(state, refused=event.code, deadline_at=later(now, STEP_SECONDS)), ()


def finish_link(state: s.EnteringNumber | s.ConfirmingLink, event: e.NumberLinked, now: datetime) -> Step:
    return _return(replace(state.result, link="linked"), state.visit, now), ()


def leave_linking(
    state: s.EnteringNumber | s.ConfirmingLink, event: e.Cancelled | e.DeadlinePassed, now: datetime
) -> Step:
    """Nothing is linked."""
    return _return(state.result, state.visit, now), ()


def _return(result: s.Result, visit: s.Visit, now: datetime) -> s.Result:
    return replace(result, visit=visit, deadline_at=later(now, CLOSING_SECONDS))
