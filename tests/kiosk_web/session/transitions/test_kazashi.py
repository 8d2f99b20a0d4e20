"""かざし利用 in the table: a tap and its way on, and what a resident decides about it after a result."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import facts
from kiosk_web.session import states as s
from kiosk_web.session.machine import IllegalEvent, step
from tests.kiosk_web.session.visit_steps import (
    CONCLUDED,
    GONE,
    GOOD,
    HERE_EVENT,
    LATER,
    NOW,
    OTHER,
    READ,
    SIGNED,
    TRUSTED,
    hold,
    orders,
    run,
    start,
)

HASH = TRUSTED.certificate_sha256
TAPPED = (*READ[:2], replace(READ[2], method="kazashi"), TRUSTED)
ENROLLING = (e.KazashiWanted(), e.ConsentGiven(), e.ChallengeIssued("c2", "ticket", "WXYZ-2345", "kazashi"))
TRUSTED_AGAIN = replace(TRUSTED, challenge="c2")
GOOD_AGAIN = replace(GOOD, challenge="c2")
SURFACE_SIGNED = e.EnrolmentSigned("c2", b"certificate", b"signature", b"record", b"issuer", 4, b"terminal")


def tap(*more: e.Event) -> s.State:
    return run(start(), *TAPPED, *more)[0]


def result(**changes: object) -> s.Result:
    concluded = replace(CONCLUDED, kazashi="offered", fallback="window")
    state = run(hold(GOOD, e.PinSubmitted("c1")), SIGNED, e.ProofAccepted("c1"), concluded)[0]
    assert isinstance(state, s.Result)
    return replace(state, **changes)  # type: ignore[arg-type]  # handed through


def enrol(*more: e.Event) -> s.State:
    return run(result(), *ENROLLING, *more)[0]


def visit_of(state: s.State) -> s.Visit:
    visit = s.derive_visit(state)
    assert visit is not None
    return visit


# --- a tap ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tries_left", [3, 1, 0])
def test_a_tapped_card_signs_without_a_pin_however_many_tries_it_has(tries_left: int) -> None:
    state, commands = run(start(), *TAPPED[:-1], replace(TRUSTED, tries_left=tries_left))
    assert isinstance(state, s.CheckingCard)
    assert state.visit.method == "kazashi"
    assert c.CheckStatus("c1") in commands
    assert orders(state) == []
    assert state.release_at is None


def test_a_tap_concludes_by_the_same_proof_and_status() -> None:
    state, commands = run(tap(GOOD), SIGNED, e.ProofAccepted("c1"))
    assert [type(command) for command in commands] == [c.JudgeProof, c.Conclude]
    assert isinstance(run(state, CONCLUDED)[0], s.Result)


def goes_on_by_pin(before: s.State, event: e.Event) -> None:
    state, commands = step(before, event, NOW)
    assert isinstance(state, s.ReadingCard)
    assert (state.visit.method, state.visit.by_pin, state.challenge) == ("pin", True, "")
    assert commands == (c.IssueChallenge(state.visit),)


def is_refused(before: s.State, event: e.Event, code: str) -> None:
    state, commands = step(before, event, NOW)
    assert isinstance(state, s.Refused)
    assert state.code == code
    assert [type(command) for command in commands] == [c.RecordAudit]


@pytest.mark.parametrize("code", ["card_error", "card_data_malformed"])
def test_a_card_that_cannot_be_tapped_goes_on_by_pin(code: str) -> None:
    goes_on_by_pin(tap(), e.BridgeFailed("c1", code, None))
    is_refused(hold(), e.BridgeFailed("c1", code, None), code)
    is_refused(enrol(TRUSTED_AGAIN, e.PinSubmitted("c2")), e.BridgeFailed("c2", code, None), code)


@pytest.mark.parametrize("code", ["card_removed", "signature_mismatch", "cancelled"])
def test_whatever_else_ends_a_tap_is_no_way_to_the_pin(code: str) -> None:
    is_refused(tap(), e.BridgeFailed("c1", code, None), code)


@pytest.mark.parametrize("kind", [e.ProofRejected, e.VisitRejected])
def test_what_a_tap_lacks_is_made_good_by_pin(kind: type[e.ProofRejected | e.VisitRejected]) -> None:
    tapped = tap(GOOD, SIGNED)
    goes_on_by_pin(tapped, kind("c1", "kazashi_unavailable"))
    is_refused(tapped, kind("c1", "evidence_refused"), "evidence_refused")
    enrolling = enrol(TRUSTED_AGAIN, GOOD_AGAIN, e.PinSubmitted("c2"), SURFACE_SIGNED)
    is_refused(enrolling, kind("c2", "kazashi_unavailable"), "kazashi_unavailable")


# --- registered after a PIN, for the very certificate -----------------------------------------------------------------


def test_the_card_is_asked_by_its_other_key_for_the_certificate_just_proven() -> None:
    state, commands = run(result(), *ENROLLING[:2])
    visit = visit_of(state)
    assert (visit.purpose, visit.method, visit.consent) == ("enrol", "kazashi", "kazashi")
    assert visit.proven_certificate == HASH
    assert commands == [c.IssueChallenge(visit)]
    is_refused(enrol(), replace(TRUSTED_AGAIN, certificate_sha256="cd" * 32), "certificate_changed")


def test_an_enrolment_waits_for_the_birth_date_and_is_judged_with_record_and_issuer() -> None:
    state = enrol(TRUSTED_AGAIN)
    assert isinstance(state, s.AwaitingBirth)
    assert orders(state) == []
    state, commands = run(state, GOOD_AGAIN, e.PinSubmitted("c2"), SURFACE_SIGNED)
    assert commands == [
        c.JudgeProof("c2", HASH, b"certificate", b"signature", 4, b"terminal", b"record", b"issuer"),
    ]
    state, commands = run(state, e.ProofAccepted("c2"))
    assert [type(command) for command in commands] == [c.Conclude]
    state, commands = run(state, e.EnrolmentConcluded("c2"))
    assert isinstance(state, s.KazashiSet)
    assert (state.on, state.card_held) == (True, True)
    assert commands == [c.RecordAudit(state.visit, "enrolled", "", "{}")]


def test_the_seconds_for_the_status_pass_while_the_birth_date_is_picked() -> None:
    released, _ = step(enrol(TRUSTED_AGAIN), e.DeadlinePassed(), NOW + timedelta(seconds=3))
    assert isinstance(released, s.AwaitingBirth)
    assert orders(released) == ["authenticate"]
    ended, _ = step(released, e.DeadlinePassed(), NOW + timedelta(seconds=120))
    assert isinstance(ended, s.Refused)
    assert ended.code == "session_timeout"


def test_a_signature_of_one_purpose_is_none_of_the_other() -> None:
    with pytest.raises(IllegalEvent):
        step(enrol(TRUSTED_AGAIN, GOOD_AGAIN, e.PinSubmitted("c2")), replace(SIGNED, challenge="c2"), NOW)
    with pytest.raises(IllegalEvent):
        step(tap(GOOD), replace(SURFACE_SIGNED, challenge="c1"), NOW)


def test_an_enrolment_ends_in_no_result_and_a_visit_in_no_enrolment() -> None:
    enrolling = enrol(TRUSTED_AGAIN, GOOD_AGAIN, e.PinSubmitted("c2"), SURFACE_SIGNED, e.ProofAccepted("c2"))
    with pytest.raises(IllegalEvent):
        step(enrolling, replace(CONCLUDED, challenge="c2"), NOW)
    with pytest.raises(IllegalEvent):
        step(tap(GOOD, SIGNED, e.ProofAccepted("c1")), e.EnrolmentConcluded("c1"), NOW)


def test_nothing_is_registered_without_proof_and_status() -> None:
    waiting = enrol(TRUSTED_AGAIN, e.PinSubmitted("c2"), SURFACE_SIGNED)
    for missing in (waiting, run(waiting, GOOD_AGAIN)[0], run(waiting, e.ProofAccepted("c2"))[0]):
        with pytest.raises(IllegalEvent):
            step(missing, e.EnrolmentConcluded("c2"), NOW)


# --- offered, declined, switched off ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "state",
    [
        result(kazashi=""),
        result(kazashi="on"),
        result(card=""),
        result(card="another"),
        result(visit=replace(result().visit, presence=facts.Presence())),
        result(card="x", visit=replace(result().visit, presence=facts.Presence("ready", "unknown", "x"))),
        result(card="", visit=replace(result().visit, presence=facts.Presence("ready", "ours", ""))),
    ],
    ids=["not offered", "registered", "unknown card", "another card", "card gone", "card of no use", "nameless card"],
)
def test_it_is_registered_only_beside_the_card_whose_pin_was_right(state: s.Result) -> None:
    with pytest.raises(IllegalEvent):
        step(state, e.KazashiWanted(), NOW)


def test_who_does_not_consent_goes_back_to_the_result_as_it_was() -> None:
    consenting, commands = run(result(), e.KazashiWanted())
    assert isinstance(consenting, s.Consenting)
    assert (consenting.subject, commands) == ("kazashi", [])
    assert run(consenting, e.Cancelled()) == (result(), [])
    late = NOW + timedelta(seconds=120)
    timed_out, commands = run(consenting, e.DeadlinePassed(), now=late)
    assert (timed_out, commands) == (result(deadline_at=late + timedelta(seconds=60)), [])


def test_a_card_taken_before_the_consent_forgets_everything() -> None:
    consenting, _ = run(result(), e.KazashiWanted())
    assert run(consenting, HERE_EVENT)[0] == consenting
    for event in (GONE, OTHER, e.CardChanged("ready", "unknown", "card-1")):
        state, _ = run(consenting, event)
        assert isinstance(state, s.ChoosingService)
        assert visit_of(state) == s.Visit("page", 2, facts.Presence(event.reader, event.card, event.instance))


def test_a_bridge_lost_before_the_consent_ends_the_visit() -> None:
    state, _ = run(result(), e.KazashiWanted(), e.BridgeLost("bridge_missing"))
    assert isinstance(state, s.OutOfService)
    assert state.code == "bridge_missing"


def test_it_is_switched_off_for_the_certificate_just_proven() -> None:
    registered = result(kazashi="on")
    state, commands = run(registered, e.KazashiStopped())
    assert (state, commands) == (registered, [c.EndKazashi(HASH)])
    state, commands = run(state, e.KazashiEnded())
    assert isinstance(state, s.KazashiSet)
    assert (state.on, state.card_held) == (False, True)
    assert commands == [c.RecordAudit(state.visit, "ended", "", None)]
    for other in ("", "offered"):
        with pytest.raises(IllegalEvent):
            step(result(kazashi=other), e.KazashiStopped(), NOW)


def test_after_it_was_switched_off_beside_no_card_nobody_has_to_take_one() -> None:
    gone = result(kazashi="on", card_held=False, visit=replace(result().visit, presence=facts.Presence()))
    state, _ = run(gone, e.KazashiStopped(), e.KazashiEnded())
    assert isinstance(state, s.KazashiSet)
    assert not state.card_held
    assert isinstance(run(state, e.DeadlinePassed(), now=LATER)[0], s.ChoosingService)


def test_what_was_chosen_at_the_consent_stays_and_no_items_were_asked_for() -> None:
    consenting, _ = run(result(), e.KazashiWanted(), e.LanguageChosen("en"))
    busy = e.CardChanged("busy", "ours", "card-1")
    moved, commands = run(consenting, busy)
    assert isinstance(moved, s.Consenting)
    assert (visit_of(moved).presence, commands) == (facts.Presence("busy", "ours", "card-1"), [])
    back, _ = run(moved, e.Cancelled())
    assert visit_of(back) == visit_of(moved)
    assert run(moved, GONE)[1] == []
