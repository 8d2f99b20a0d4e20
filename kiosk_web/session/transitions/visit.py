"""What happens to a visit before and after its card is in use, and with its page and bridge.

Handlers of the table. PURE.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import facts
from kiosk_web.session import states as s
from kiosk_web.session.codes import CODES
from kiosk_web.session.transitions.step import (
    CLOSING_SECONDS,
    STEP_SECONDS,
    AtEnd,
    Step,
    ask_card,
    derive_status,
    later,
    refuse,
    require_visit,
    start_visit,
    with_visit,
)

# --- any state with a visit -------------------------------------------------------------------------------------------


def choose_language(state: s.State, event: e.LanguageChosen, now: datetime) -> Step:
    return extend(with_visit(state, replace(require_visit(state), language=event.language)), e.Extended(), now)


def choose_text_size(state: s.State, event: e.TextSizeChosen, now: datetime) -> Step:
    return extend(with_visit(state, replace(require_visit(state), text_size=event.size)), e.Extended(), now)


def call_help(state: s.State, event: e.HelpCalled, now: datetime) -> Step:
    return extend(with_visit(state, replace(require_visit(state), help_called=True)), e.Extended(), now)


def extend(state: s.State, event: e.Extended, now: datetime) -> Step:
    """The resident is still there. The machine's own times (reading, checking) are not the resident's to extend."""
    if isinstance(state, s.ChoosingService | s.AwaitingCard | s.AwaitingPin | s.ConfirmingLastPin | s.AwaitingBirth):
        return replace(state, deadline_at=later(now, STEP_SECONDS)), ()
    asked = s.Consenting | s.Agreeing | s.EnteringNumber | s.ConfirmingLink | s.StaffSigningIn | s.AwaitingText
    if isinstance(state, asked):
        return replace(state, deadline_at=later(now, STEP_SECONDS)), ()
    if isinstance(state, AtEnd):
        return replace(state, deadline_at=later(now, CLOSING_SECONDS)), ()
    return state, ()


def revoke_terminal(state: s.State, event: e.TerminalRevoked, now: datetime) -> Step:
    return s.OutOfService("terminal_revoked"), ()


# --- pages and bridges ------------------------------------------------------------------------------------------------


def begin(state: s.State, event: e.PageVerified, now: datetime) -> Step:
    """The first page, or a page after an outage or before a card was asked:

    a new visit. The bridge reports its card anew.
    """
    return s.ChoosingService(s.Visit(event.page, 1)), ()


def change_page_at_card(state: s.State, event: e.PageVerified, now: datetime) -> Step:
    """The old socket is gone, and with it the hold on the card. A page loaded anew hears nothing of that visit."""
    visit = replace(require_visit(state), page=event.page)
    refused, commands = refuse(visit, "bridge_lost", now, status=derive_status(state), cancel=False)
    return (refused if event.again else begin(state, event, now)[0]), commands


def change_page_at_end(state: s.State, event: e.PageVerified, now: datetime) -> Step:
    """The result or the refusal stays on the screen that showed it, and on no other.

    What the bridge calls the card is not known any more.
    """
    if not event.again:
        return begin(state, event, now)
    visit = require_visit(state)
    visit = replace(visit, page=event.page, presence=replace(visit.presence, instance=""))
    state = with_visit(state, visit)
    return (replace(state, orders=()) if isinstance(state, s.Refused | s.Result) else state), ()


def lose_bridge_idle(state: s.State, event: e.BridgeLost, now: datetime) -> Step:
    return s.OutOfService(_terminal_code(event.cause), s.derive_visit(state)), ()


def lose_bridge_at_card(state: s.State, event: e.BridgeLost, now: datetime) -> Step:
    return refuse(require_visit(state), _terminal_code(event.cause), now, status=derive_status(state), cancel=False)


def _terminal_code(cause: str) -> str:
    code = CODES.get(cause)
    return cause if code is not None and code.group == "terminal" else "bridge_lost"


# --- before the card --------------------------------------------------------------------------------------------------


def choose_service(state: s.State, event: e.ServiceChosen, now: datetime) -> Step:
    visit = require_visit(state)
    visit = replace(visit, service=event.service, started_at=visit.started_at or now)
    if visit.presence.card == "ours":
        return ask_card(visit, now)
    return s.AwaitingCard(visit, later(now, STEP_SECONDS)), ()


def notice_card_while_choosing(state: s.ChoosingService, event: e.CardChanged, now: datetime) -> Step:
    """A card that is taken leaves nobody behind, unless its holder chose something on this screen."""
    visit = replace(state.visit, presence=facts.Presence(event.reader, event.card, event.instance))
    if state.visit.presence.card != "none" and event.card == "none":
        fresh = start_visit(state.visit, now, visit.presence)
        if replace(fresh.visit, number=visit.number) == visit:
            return fresh, ()
    deadline = later(now, STEP_SECONDS) if event.card == "ours" else state.deadline_at
    return s.ChoosingService(visit, deadline), ()


def notice_card_while_awaiting(state: s.AwaitingCard, event: e.CardChanged, now: datetime) -> Step:
    visit = replace(state.visit, presence=facts.Presence(event.reader, event.card, event.instance))
    if event.card == "ours":
        return ask_card(visit, now)
    return s.AwaitingCard(visit, state.deadline_at), ()


def go_back(state: s.ChoosingService | s.AwaitingCard, event: e.Cancelled, now: datetime) -> Step:
    return start_visit(state.visit, now), ()


def rest(state: s.ChoosingService, event: e.DeadlinePassed, now: datetime) -> Step:
    """Nobody is there: language and text size go back to their defaults.

    A card left behind must be taken first, or the next resident would type the own PIN into somebody else's card.
    """
    rested = replace(start_visit(state.visit, now), deadline_at=None)
    return (rested if rested.visit.presence.card == "none" else s.TakingCard(rested.visit)), ()


def give_up_awaiting(state: s.AwaitingCard, event: e.DeadlinePassed, now: datetime) -> Step:
    return start_visit(state.visit, now), (c.RecordAudit(state.visit, "abandoned", "session_timeout", None),)


# --- the end of a visit -----------------------------------------------------------------------------------------------


def notice_card_at_end(state: AtEnd, event: e.CardChanged, now: datetime) -> Step:
    """Card taken: everything is forgotten.

    A card that was gone already, or another one put, changes nothing on the screen. Across a page that was loaded anew
    the card of a result is known by the result: another one there is a card that was changed. Under a refusal a reader
    that fails changes nothing either: it may be the very reason that is to be read.
    """
    before = state.visit.presence
    presence = facts.Presence(event.reader, event.card, event.instance)
    gone = before.card != "none" and event.card == "none"
    swapped = state.card_held and (before.instance or _find_card(state)) not in ("", event.instance)
    reader_failed = event.card == "none" and event.reader != "ready"
    if (gone or swapped) and not (reader_failed and isinstance(state, s.Refused)):
        return start_visit(state.visit, now, presence), ()
    return replace(state, visit=replace(state.visit, presence=presence)), ()


def _find_card(state: AtEnd) -> str:
    """The stay on the reader that led to what is shown, "" where that is not known."""
    if isinstance(state, s.Result):
        return state.card
    return state.result.card if isinstance(state, s.BasicFourSent) else ""


def finish(state: AtEnd, event: e.Finished | e.DeadlinePassed, now: datetime) -> Step:
    if state.card_held and state.visit.presence.card != "none":
        visit = s.Visit(state.visit.page, state.visit.number + 1, state.visit.presence, language=state.visit.language)
        return s.TakingCard(visit), ()
    return start_visit(state.visit, now), ()


def notice_card_while_taking(state: s.TakingCard, event: e.CardChanged, now: datetime) -> Step:
    before = state.visit.presence
    presence = facts.Presence(event.reader, event.card, event.instance)
    swapped = event.card != "none" and before.instance not in ("", event.instance)
    if event.card == "none" or swapped:
        return start_visit(state.visit, now, presence), ()
    return s.TakingCard(replace(state.visit, presence=presence)), ()
