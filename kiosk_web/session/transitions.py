"""What each event does to each state: the handlers of the table in `machine.py`. PURE.

A handler gets state, event and now, and returns the next state with the commands; it raises `IllegalEvent` for an
event that belongs to something else (another challenge). Times: `*_SECONDS` below.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from kiosk_web.session import commands as c
from kiosk_web.session import events as e
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
READER_CODES: dict[s.ReaderCondition, str] = {
    "missing": "reader_missing",
    "service_down": "service_down",
    "denied": "access_denied",
    "busy": "reader_busy",
}

Step = tuple[s.State, tuple[c.Command, ...]]


class IllegalEvent(Exception):
    """The event has no place in this state. Nothing changed."""

    def __init__(self, state: s.State, event: e.Event) -> None:
        super().__init__(f"{type(event).__name__} in {state.name}")


def _after(now: datetime, seconds: int) -> datetime:
    return now + timedelta(seconds=seconds)


def _order(visit: s.Visit, name: s.OrderName, **arguments: str) -> tuple[s.Visit, s.BridgeOrder]:
    numbered = replace(visit, orders_issued=visit.orders_issued + 1)
    return numbered, s.BridgeOrder(f"{visit.id}.{numbered.orders_issued}", name, arguments)


def start_visit(visit: s.Visit, now: datetime, presence: s.Presence | None = None) -> s.ChoosingService:
    """A new visit with everything at its default; only what lies on the reader is kept."""
    fresh = s.Visit(visit.page, visit.number + 1, visit.presence if presence is None else presence)
    return s.ChoosingService(fresh, _after(now, STEP_SECONDS) if fresh.presence.card == "ours" else None)


def refuse(
    visit: s.Visit,
    code: str,
    now: datetime,
    *,
    tries_left: int | None = None,
    status: s.StatusEvidence | None = None,
    cancel: bool = True,
) -> Step:
    """End the visit without a result. `cancel`: the bridge may hold the card and is told to let go."""
    orders: tuple[s.BridgeOrder, ...] = ()
    if cancel:
        visit, order = _order(visit, "cancel")
        orders = (order,)
    if code in CARD_GONE_CODES:
        visit = replace(visit, presence=s.Presence(visit.presence.reader))
    held = visit.presence.card != "none"
    state = s.Refused(visit, _after(now, CLOSING_SECONDS), code, held, tries_left, orders)
    return state, (c.RecordAudit(visit, "refused", code, None if status is None else status.json),)


# --- any state with a visit -------------------------------------------------------------------------------------------


def _with_visit(state: s.State, visit: s.Visit) -> s.State:
    return replace(state, visit=visit)  # type: ignore[arg-type]  # the table gives this only to states with a visit


def _visit(state: s.State) -> s.Visit:
    visit = s.derive_visit(state)
    if visit is None:
        raise ValueError(state.name)
    return visit


def choose_language(state: s.State, event: e.LanguageChosen, now: datetime) -> Step:
    return extend(_with_visit(state, replace(_visit(state), language=event.language)), e.Extended(), now)


def choose_text_size(state: s.State, event: e.TextSizeChosen, now: datetime) -> Step:
    return extend(_with_visit(state, replace(_visit(state), text_size=event.size)), e.Extended(), now)


def call_help(state: s.State, event: e.HelpCalled, now: datetime) -> Step:
    return extend(_with_visit(state, replace(_visit(state), help_called=True)), e.Extended(), now)


def extend(state: s.State, event: e.Extended, now: datetime) -> Step:
    """The resident is still there. The machine's own times (reading, checking) are not the resident's to extend."""
    if isinstance(state, s.ChoosingService | s.AwaitingCard | s.AwaitingPin | s.ConfirmingLastPin):
        return replace(state, deadline_at=_after(now, STEP_SECONDS)), ()
    if isinstance(state, s.Result | s.Refused):
        return replace(state, deadline_at=_after(now, CLOSING_SECONDS)), ()
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
    """The old socket is gone, and with it the hold on the card."""
    visit = replace(_visit(state), page=event.page)
    return refuse(visit, "bridge_lost", now, status=_status(state), cancel=False)


def change_page_at_end(state: s.State, event: e.PageVerified, now: datetime) -> Step:
    """The result or the refusal stays on the screen; what the bridge calls the card is not known any more."""
    visit = _visit(state)
    visit = replace(visit, page=event.page, presence=replace(visit.presence, instance=""))
    state = _with_visit(state, visit)
    return (replace(state, orders=()) if isinstance(state, s.Refused) else state), ()


def lose_bridge_idle(state: s.State, event: e.BridgeLost, now: datetime) -> Step:
    return s.OutOfService(_terminal_code(event.cause), s.derive_visit(state)), ()


def lose_bridge_at_card(state: s.State, event: e.BridgeLost, now: datetime) -> Step:
    return refuse(_visit(state), _terminal_code(event.cause), now, status=_status(state), cancel=False)


def _terminal_code(cause: str) -> str:
    code = CODES.get(cause)
    return cause if code is not None and code.group == "terminal" else "bridge_lost"


# --- before the card --------------------------------------------------------------------------------------------------


def choose_service(state: s.State, event: e.ServiceChosen, now: datetime) -> Step:
    visit = _visit(state)
    visit = replace(visit, service=event.service, started_at=visit.started_at or now)
    if visit.presence.card == "ours":
        return _ask_card(visit, now)
    return s.AwaitingCard(visit, _after(now, STEP_SECONDS)), ()


def _ask_card(visit: s.Visit, now: datetime) -> Step:
    return s.ReadingCard(visit, _after(now, READING_SECONDS)), (c.IssueChallenge(visit),)


def notice_card_while_choosing(state: s.ChoosingService, event: e.CardChanged, now: datetime) -> Step:
    visit = replace(state.visit, presence=s.Presence(event.reader, event.card, event.instance))
    deadline = _after(now, STEP_SECONDS) if event.card == "ours" else state.deadline_at
    return s.ChoosingService(visit, deadline), ()


def notice_card_while_awaiting(state: s.AwaitingCard, event: e.CardChanged, now: datetime) -> Step:
    visit = replace(state.visit, presence=s.Presence(event.reader, event.card, event.instance))
    if event.card == "ours":
        return _ask_card(visit, now)
    return s.AwaitingCard(visit, state.deadline_at), ()


def go_back(state: s.ChoosingService | s.AwaitingCard, event: e.Cancelled, now: datetime) -> Step:
    return start_visit(state.visit, now), ()


def rest(state: s.ChoosingService, event: e.DeadlinePassed, now: datetime) -> Step:
    """Nobody is there: language and text size go back to their defaults. A card left behind starts no further clock."""
    return replace(start_visit(state.visit, now), deadline_at=None), ()


def give_up_awaiting(state: s.AwaitingCard, event: e.DeadlinePassed, now: datetime) -> Step:
    return start_visit(state.visit, now), (c.RecordAudit(state.visit, "abandoned", "session_timeout", None),)


# --- the card is being used -------------------------------------------------------------------------------------------


def _status(state: s.State) -> s.StatusEvidence | None:
    if isinstance(state, s.AwaitingPin | s.ConfirmingLastPin | s.CheckingPin | s.Checking):
        return state.evidence.status
    return None


def _require_challenge(state: s.State, event: e.Event, challenge: str) -> None:
    if not challenge or challenge != s.derive_challenge(state):
        raise IllegalEvent(state, event)


def notice_card_in_use(state: s.State, event: e.CardChanged, now: datetime) -> Step:
    """Nothing changes as long as it is the same stay of the same card; anything else ends the visit."""
    visit = _visit(state)
    presence = s.Presence(event.reader, event.card, event.instance)
    if event.card == "ours" and event.instance == visit.presence.instance:
        return _with_visit(state, replace(visit, presence=presence)), ()
    if event.card == "none":
        code = READER_CODES.get(event.reader, "card_removed")
    else:
        code = {"ours": "card_swapped", "mute": "card_mute"}.get(event.card, "card_swapped")
    refused, commands = refuse(replace(visit, presence=presence), code, now, status=_status(state))
    if isinstance(refused, s.Refused) and code == "card_swapped":
        # The card that lies there now is another one: it is kept, but it is not the card of this visit.
        refused = replace(refused, visit=replace(refused.visit, presence=presence))
    return refused, commands


def start_reading(state: s.ReadingCard, event: e.ChallengeIssued, now: datetime) -> Step:
    visit, order = _order(replace(state.visit, reference=event.reference), "read_certificate", ticket=event.ticket)
    return s.ReadingCard(visit, state.deadline_at, event.challenge, (order,)), ()


def judge_certificate(state: s.ReadingCard, event: e.CertificateRead, now: datetime) -> Step:
    _require_challenge(state, event, event.challenge)
    judge = c.JudgeCertificate(event.challenge, event.certificate, event.tries_left, event.counter, event.signature)
    return state, (judge,)


def trust_certificate(state: s.ReadingCard, event: e.CertificateTrusted, now: datetime) -> Step:
    """The 暗証番号 can be typed at once;

    VERIFY waits for the status. A locked card is refused here, with no try burnt.
    """
    _require_challenge(state, event, event.challenge)
    if event.tries_left == 0:
        return refuse(state.visit, "pin_locked", now, tries_left=0)
    evidence = s.CardEvidence(
        event.challenge, event.certificate_sha256, event.tries_left, status_asked=event.early_check
    )
    condition = s.ConfirmingLastPin if event.tries_left == 1 else s.AwaitingPin
    holding = condition(state.visit, evidence, _after(now, STEP_SECONDS), _after(now, RELEASE_SECONDS))
    if event.early_check:
        return holding, (c.CheckStatus(event.challenge),)
    return _release(holding), ()


def reject_certificate(state: s.ReadingCard, event: e.CertificateRejected, now: datetime) -> Step:
    _require_challenge(state, event, event.challenge)
    return refuse(state.visit, event.code, now)


def _release(state: s.Holding) -> s.Holding:
    if state.release_at is None:
        return state
    visit, order = _order(state.visit, "authenticate")
    return replace(state, visit=visit, release_at=None, orders=(*state.orders, order))


def learn_status(state: s.Holding, event: e.StatusChecked, now: datetime) -> Step:
    """Good lets VERIFY go. Anything else ends the visit, mostly before a try was used."""
    _require_challenge(state, event, event.challenge)
    status = s.StatusEvidence(event.json, event.checked_at)
    if event.code:
        return refuse(state.visit, event.code, now, status=status)
    return _release(replace(state, evidence=replace(state.evidence, status=status))), ()


def submit_pin(state: s.AwaitingPin, event: e.PinSubmitted, now: datetime) -> Step:
    _require_challenge(state, event, event.challenge)
    deadline = _after(now, SIGNING_SECONDS)
    return s.CheckingPin(state.visit, state.evidence, deadline, state.release_at, state.orders), ()


def refuse_pin(state: s.Holding, event: e.PinRefused, now: datetime) -> Step:
    _require_challenge(state, event, event.challenge)
    if event.tries_left == 0:
        return refuse(state.visit, "pin_locked", now, tries_left=0, status=state.evidence.status)
    evidence = replace(state.evidence, tries_left=event.tries_left)
    condition = s.ConfirmingLastPin if event.tries_left == 1 else s.AwaitingPin
    return condition(state.visit, evidence, _after(now, STEP_SECONDS), state.release_at, state.orders, True), ()


def confirm_last_try(state: s.ConfirmingLastPin, event: e.LastTryConfirmed, now: datetime) -> Step:
    visit, order = _order(state.visit, "confirm_last_try")
    orders = (*state.orders, order)
    deadline = _after(now, STEP_SECONDS)
    return s.AwaitingPin(visit, state.evidence, deadline, state.release_at, orders, state.refused), ()


def decline_last_try(state: s.ConfirmingLastPin, event: e.Cancelled, now: datetime) -> Step:
    left = state.evidence.tries_left
    return refuse(state.visit, "last_try_declined", now, tries_left=left, status=state.evidence.status)


def cancel_at_card(state: s.State, event: e.Cancelled, now: datetime) -> Step:
    return refuse(_visit(state), "cancelled", now, status=_status(state))


def fail_at_card(state: s.State, event: e.BridgeFailed, now: datetime) -> Step:
    """The bridge gave up: its code is ours. An unknown one is told as `internal`, never repeated from outside."""
    if event.challenge and event.challenge != s.derive_challenge(state):
        raise IllegalEvent(state, event)
    code = event.code if event.code in CODES else "internal"
    return refuse(_visit(state), code, now, tries_left=event.tries_left, status=_status(state))


def interrupt(state: s.State, event: e.WorkInterrupted, now: datetime) -> Step:
    return refuse(_visit(state), "internal", now, status=_status(state))


def time_out_reading(state: s.ReadingCard, event: e.DeadlinePassed, now: datetime) -> Step:
    return refuse(state.visit, "session_timeout", now)


def pass_time_holding(state: s.Holding, event: e.DeadlinePassed, now: datetime) -> Step:
    if now >= state.deadline_at:
        code = "session_timeout" if isinstance(state, s.CheckingPin) else "pin_timeout"
        return refuse(state.visit, code, now, status=state.evidence.status)
    if state.release_at is not None and now >= state.release_at:
        return _release(state), ()
    return state, ()


# --- after the signature ----------------------------------------------------------------------------------------------


def judge_proof(state: s.AwaitingPin | s.CheckingPin, event: e.Signed, now: datetime) -> Step:
    _require_challenge(state, event, event.challenge)
    evidence = state.evidence
    judge = c.JudgeProof(
        event.challenge,
        evidence.certificate_sha256,
        event.certificate,
        event.card_signature,
        event.counter,
        event.signature,
    )
    return s.Checking(state.visit, evidence, _after(now, CHECKING_SECONDS)), (judge,)


def accept_proof(state: s.Checking, event: e.ProofAccepted, now: datetime) -> Step:
    _require_challenge(state, event, event.challenge)
    return _conclude(replace(state, proven=True), now)


def _conclude(state: s.Checking, now: datetime) -> Step:
    evidence = state.evidence
    if evidence.status is not None:
        if now - evidence.status.checked_at <= timedelta(seconds=STATUS_MAX_AGE_SECONDS):
            return state, (c.Conclude(evidence.challenge, state.visit, evidence.status.json),)
        evidence = replace(evidence, status=None, status_asked=False)
    if evidence.status_asked:
        return replace(state, evidence=evidence), ()
    asked = replace(evidence, status_asked=True)
    return replace(state, evidence=asked), (c.CheckStatus(evidence.challenge),)


def reject_proof(state: s.Checking, event: e.ProofRejected, now: datetime) -> Step:
    _require_challenge(state, event, event.challenge)
    return refuse(state.visit, event.code, now, status=state.evidence.status)


def learn_last_status(state: s.Checking, event: e.StatusChecked, now: datetime) -> Step:
    _require_challenge(state, event, event.challenge)
    status = s.StatusEvidence(event.json, event.checked_at)
    if event.code:
        return refuse(state.visit, event.code, now, status=status)
    state = replace(state, evidence=replace(state.evidence, status=status))
    return _conclude(state, now) if state.proven else (state, ())


def conclude(state: s.Checking, event: e.VisitConcluded, now: datetime) -> Step:
    _require_challenge(state, event, event.challenge)
    if not state.proven or state.evidence.status is None:
        raise IllegalEvent(state, event)
    result = s.Result(
        visit=state.visit,
        deadline_at=_after(now, CLOSING_SECONDS),
        profile=event.profile,
        identifier_kind=event.identifier_kind,
        identifier=event.identifier,
        expires_soon=event.expires_soon,
        checked_at=event.checked_at,
        method="ocsp",
        status_as_of=event.status_as_of,
        card_held=state.visit.presence.card != "none",
    )
    status = state.evidence.status
    return result, (c.RecordAudit(state.visit, "done", "", None if status is None else status.json),)


def reject_visit(state: s.Checking, event: e.VisitRejected, now: datetime) -> Step:
    _require_challenge(state, event, event.challenge)
    return refuse(state.visit, event.code, now, status=state.evidence.status)


def time_out_checking(state: s.Checking, event: e.DeadlinePassed, now: datetime) -> Step:
    return refuse(state.visit, "status_unavailable", now, status=state.evidence.status)


# --- the end of a visit -----------------------------------------------------------------------------------------------


def notice_card_at_end(state: s.Result | s.Refused, event: e.CardChanged, now: datetime) -> Step:
    """Card taken: everything is forgotten.

    A card that was gone already, or another one put, changes nothing on the screen.
    """
    before = state.visit.presence
    presence = s.Presence(event.reader, event.card, event.instance)
    swapped = state.card_held and before.instance not in ("", event.instance)
    if (before.card != "none" and event.card == "none" and event.reader == "ready") or swapped:
        return start_visit(state.visit, now, presence), ()
    return replace(state, visit=replace(state.visit, presence=presence)), ()


def finish(state: s.Result | s.Refused, event: e.Finished | e.DeadlinePassed, now: datetime) -> Step:
    if state.card_held and state.visit.presence.card != "none":
        visit = s.Visit(state.visit.page, state.visit.number + 1, state.visit.presence, language=state.visit.language)
        return s.TakingCard(visit), ()
    return start_visit(state.visit, now), ()


def notice_card_while_taking(state: s.TakingCard, event: e.CardChanged, now: datetime) -> Step:
    before = state.visit.presence
    presence = s.Presence(event.reader, event.card, event.instance)
    swapped = event.card != "none" and before.instance not in ("", event.instance)
    if event.card == "none" or swapped:
        return start_visit(state.visit, now, presence), ()
    return s.TakingCard(replace(state.visit, presence=presence)), ()
