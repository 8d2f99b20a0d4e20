"""The session of one terminal as a table (`session/table/`): for every state, what every event does. PURE.

`step(state, event, now)` → (state, commands). An event that a row calls illegal raises `IllegalEvent` and changes
nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from kiosk_web.session import events as e
from kiosk_web.session import states as s
from kiosk_web.session.table import TABLE
from kiosk_web.session.transitions.step import IllegalEvent, Step

__all__ = ["IllegalEvent", "step"]


def step(state: s.State, event: e.Event, now: datetime) -> Step:
    """One event. Raises `IllegalEvent`; the state given is never changed."""
    row = TABLE[type(state)]
    handler = row.legal.get(type(event))
    if handler is not None:
        if isinstance(event, e.DeadlinePassed) and not _is_due(state, event, now):
            return state, ()
        after, commands = handler(state, event, now)
        if isinstance(after, s.Refused) and not isinstance(state, s.Refused):
            after = replace(after, stopped_in=state.name)
        return after, commands
    if type(event) in row.kept:
        return state, ()
    raise IllegalEvent(state, event)


def _is_due(state: s.State, event: e.DeadlinePassed, now: datetime) -> bool:
    """A deadline may have been moved between the clock's ring and now."""
    wake_at = s.derive_wake_at(state)
    return wake_at is not None and (event.clock_set_back or now >= wake_at)
