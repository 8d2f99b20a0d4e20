"""Terms that are others than the person accepted: asked about before the result. Handlers of the table. PURE.

The card has been proven and its certificate confirmed. Nothing was issued, recorded or told yet, and nothing will be if
the resident does not agree.
"""

from __future__ import annotations

from datetime import datetime

from kiosk_web.session import events as e
from kiosk_web.session import states as s
from kiosk_web.session.transitions.card import conclude_or_ask
from kiosk_web.session.transitions.step import CHECKING_SECONDS, STEP_SECONDS, IllegalEvent, Step, later, refuse


def ask_to_agree(state: s.Checking, event: e.TermsOutdated, now: datetime) -> Step:
    if event.challenge != state.evidence.challenge or not state.proven or state.agreed:
        raise IllegalEvent(state, event)
    return s.Agreeing(state.visit, state.evidence, later(now, STEP_SECONDS), event.changes), ()


def agree(state: s.Agreeing, event: e.TermsAgreed, now: datetime) -> Step:
    """The verdict is made anew, with evidence that is still fresh: reading takes its time."""
    checking = s.Checking(state.visit, state.evidence, later(now, CHECKING_SECONDS), proven=True, agreed=True)
    return conclude_or_ask(checking, now)


def decline(state: s.Agreeing, event: e.Cancelled, now: datetime) -> Step:
    return refuse(state.visit, "terms_declined", now, status=state.evidence.status)


def give_up_agreeing(state: s.Agreeing, event: e.DeadlinePassed, now: datetime) -> Step:
    return refuse(state.visit, "session_timeout", now, status=state.evidence.status)
