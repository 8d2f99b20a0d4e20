"""What each event does to each state: the handlers of the table in `machine.py`. PURE.

A handler gets state, event and now, and returns the next state with the commands; it raises `IllegalEvent` for an
event that belongs to something else (another challenge). Times: `*_SECONDS` below.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import facts
from kiosk_web.session import states as s
from kiosk_web.session.codes import CODES

STEP_SECONDS = 120  # one step of the resident (reference/bridge.md 9.5)
READING_SECONDS = 30  # reading a certificate takes about one second; the rest is for a card that is put askew
RELEASE_SECONDS = 3  # how long VERIFY waits for the status (DESIGN 4, step 3)
SIGNING_SECONDS = 60  # VERIFY and signature, with a reader keypad the typing too
CHECKING_SECONDS = 20  # longer than the responder's own budget
CLOSING_SECONDS = 60  # result and refusal go away by themselves
STATUS_MAX_AGE_SECONDS = 180  # older evidence is fetched again at the verdict (DESIGN 4, step 3)

CARD_GONE_CODES = frozenset({"card_removed", "card_swapped", "card_reset"})
READER_CODES: dict[facts.ReaderCondition, str] = {
    "missing": "reader_missing",
    "service_down": "service_down",
    "denied": "access_denied",
    "busy": "reader_busy",
}

Step = tuple[s.State, tuple[c.Command, ...]]
AtEnd = s.Result | s.Refused | s.KazashiSet | s.BasicFourSent


class IllegalEvent(Exception):
    """The event has no place in this state. Nothing changed."""

    def __init__(self, state: s.State, event: e.Event) -> None:
        super().__init__(f"{type(event).__name__} in {state.name}")


def later(now: datetime, seconds: int) -> datetime:
    return now + timedelta(seconds=seconds)


def issue_order(visit: s.Visit, name: facts.OrderName, **arguments: str) -> tuple[s.Visit, facts.BridgeOrder]:
    numbered = replace(visit, orders_issued=visit.orders_issued + 1)
    return numbered, facts.BridgeOrder(f"{visit.id}.{numbered.orders_issued}", name, arguments)


def start_visit(visit: s.Visit, now: datetime, presence: facts.Presence | None = None) -> s.ChoosingService:
    """A new visit with everything at its default; only what lies on the reader is kept."""
    fresh = s.Visit(visit.page, visit.number + 1, visit.presence if presence is None else presence)
    return s.ChoosingService(fresh, later(now, STEP_SECONDS) if fresh.presence.card == "ours" else None)


def refuse(
    visit: s.Visit,
    code: str,
    now: datetime,
    *,
    tries_left: int | None = None,
    status: facts.StatusEvidence | None = None,
    cancel: bool = True,
) -> Step:
    """End the visit without a result. `cancel`: the bridge may hold the card and is told to let go.

    Where a result was reached before, the visit returns to it, unless the certificate itself does not do any more.
    """
    orders: tuple[facts.BridgeOrder, ...] = ()
    if cancel:
        visit, order = issue_order(visit, "cancel")
        orders = (order,)
    if code in CARD_GONE_CODES:
        visit = replace(visit, presence=facts.Presence(visit.presence.reader))
    held = visit.presence.card != "none"
    if visit.reached is not None and CODES[code].group != "certificate":
        back = return_to_result(visit, visit.reached, "declined" if code == "cancelled" else "failed", now)
        back = replace(back, basic_four_code=code, tries_left=tries_left, orders=orders)
        return back, (c.RecordAudit(visit, "refused", code, None if status is None else status.json),)
    visit = replace(visit, reached=None)
    state = s.Refused(visit, later(now, CLOSING_SECONDS), code, held, tries_left, orders)
    return state, (c.RecordAudit(visit, "refused", code, None if status is None else status.json),)


def return_to_result(visit: s.Visit, reached: s.Result, end: facts.BasicFourEnd, now: datetime) -> s.Result:
    """What was reached before stays reached; language, card and help are those of now."""
    before = reached.visit
    visit = replace(
        visit,
        purpose="identify",
        method=before.method,
        by_pin=before.by_pin,
        consent="",
        proven_certificate="",
        reached=None,
    )
    return replace(
        reached,
        visit=visit,
        deadline_at=later(now, CLOSING_SECONDS),
        card_held=visit.presence.card != "none",
        basic_four=end,
        basic_four_code="",
        tries_left=None,
        orders=(),
    )


# --- any state with a visit -------------------------------------------------------------------------------------------


def with_visit(state: s.State, visit: s.Visit) -> s.State:
    return replace(state, visit=visit)  # type: ignore[arg-type]  # the table gives this only to states with a visit


def require_visit(state: s.State) -> s.Visit:
    visit = s.derive_visit(state)
    if visit is None:
        raise ValueError(state.name)
    return visit


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
    if isinstance(state, s.Result | s.Refused | s.KazashiSet | s.BasicFourSent):
        return replace(state, deadline_at=later(now, CLOSING_SECONDS)), ()
    return state, ()


def revoke_terminal(state: s.State, event: e.TerminalRevoked, now: datetime) -> Step:
    return s.OutOfService("terminal_revoked"), ()


def derive_status(state: s.State) -> facts.StatusEvidence | None:
    if isinstance(state, s.Holding | s.Checking | s.Agreeing):
        return state.evidence.status
    return None


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


def ask_card(visit: s.Visit, now: datetime) -> Step:
    return s.ReadingCard(visit, later(now, READING_SECONDS)), (c.IssueChallenge(visit),)


def notice_card_while_choosing(state: s.ChoosingService, event: e.CardChanged, now: datetime) -> Step:
    visit = replace(state.visit, presence=facts.Presence(event.reader, event.card, event.instance))
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

    A card that was gone already, or another one put, changes nothing on the screen.
    """
    before = state.visit.presence
    presence = facts.Presence(event.reader, event.card, event.instance)
    swapped = state.card_held and before.instance not in ("", event.instance)
    if (before.card != "none" and event.card == "none" and event.reader == "ready") or swapped:
        return start_visit(state.visit, now, presence), ()
    return replace(state, visit=replace(state.visit, presence=presence)), ()


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
