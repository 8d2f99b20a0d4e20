"""A visit that a municipal system asked for: handlers of the table. PURE.

It begins only where nobody is, and ends for the system when the visit ends: each `RecordAudit` of it tells the system.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import states as s
from kiosk_web.session.transitions import visit as v
from kiosk_web.session.transitions.step import IllegalEvent, Step, derive_status, refuse, require_visit


def is_free(state: s.State, *, brought: bool = False) -> bool:
    """Nobody is there: the first screen, no touch lately, no card on the reader.

    `brought`: whoever is there came with the request in this browser, and may have touched the screen.
    """
    if not isinstance(state, s.ChoosingService) or (state.deadline_at is not None and not brought):
        return False
    return state.visit.presence.card == "none" and state.visit.presence.reader == "ready"


def request_reading(state: s.ChoosingService, event: e.ReadingRequested, now: datetime) -> Step:
    """A card that lies there already may be another person's: it is not read for this request."""
    if not is_free(state, brought=event.reading.returns):
        raise IllegalEvent(state, event)
    visit = replace(state.visit, service=event.service, started_at=now, reading=event.reading)
    return s.AwaitingCard(visit, event.until), ()


def cancel_reading(state: s.State, event: e.ReadingCancelled, now: datetime) -> Step:
    """Before the verdict, or while the basic 4 information is read. A visit that is not this request's goes on."""
    visit = require_visit(state)
    if visit.reading is None or visit.reading.id != event.reading or visit.purpose == "enrol":
        return state, ()
    at_card = not isinstance(state, s.AwaitingCard)
    return refuse(visit, event.code, now, status=derive_status(state), cancel=at_card)


def choose_service(state: s.AwaitingCard, event: e.ServiceChosen, now: datetime) -> Step:
    """What the system asked for is not changed by a touch."""
    if state.visit.reading is not None:
        raise IllegalEvent(state, event)
    return v.choose_service(state, event, now)


def go_back(state: s.AwaitingCard, event: e.Cancelled, now: datetime) -> Step:
    """The resident does not want it: the system is told."""
    after, commands = v.go_back(state, event, now)
    if state.visit.reading is None:
        return after, commands
    return after, (c.RecordAudit(state.visit, "abandoned", "cancelled", None),)
