"""What one step of a session gives, and what many of them do: start a visit, ask the card, refuse, return. PURE.

A handler of the table gets state, event and now, and returns the next state with the commands; it raises `IllegalEvent`
for an event that belongs to something else (another challenge). Times: `*_SECONDS` below.
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
OTHER_CARD_CODES = CARD_GONE_CODES | {"certificate_changed"}
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


def ask_card(visit: s.Visit, now: datetime) -> Step:
    return s.ReadingCard(visit, later(now, READING_SECONDS)), (c.IssueChallenge(visit),)


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

    Where a result was reached before, the visit returns to it, unless the certificate itself does not do any more, or
    the card of that result is not there: who took it is gone, and somebody else may stand before the screen.
    """
    orders: tuple[facts.BridgeOrder, ...] = ()
    if cancel:
        visit, order = issue_order(visit, "cancel")
        orders = (order,)
    if code in CARD_GONE_CODES:
        visit = replace(visit, presence=facts.Presence(visit.presence.reader))
    held = visit.presence.card != "none"
    if visit.reached is not None and CODES[code].group != "certificate" and code not in OTHER_CARD_CODES:
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


def with_visit(state: s.State, visit: s.Visit) -> s.State:
    return replace(state, visit=visit)  # type: ignore[arg-type]  # the table gives this only to states with a visit


def require_visit(state: s.State) -> s.Visit:
    visit = s.derive_visit(state)
    if visit is None:
        raise ValueError(state.name)
    return visit


def derive_status(state: s.State) -> facts.StatusEvidence | None:
    if isinstance(state, s.Holding | s.Checking | s.Agreeing):
        return state.evidence.status
    return None
