"""連携登録 at a terminal: it begins and ends at the result, and no state ever has the number."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import facts
from kiosk_web.session import states as s
from kiosk_web.session.machine import IllegalEvent, step
from kiosk_web.session.state_codec import StateCodec
from kiosk_web.session.transitions.linking import MOST_TRIES
from tests.kiosk_web.session.visit_steps import CONCLUDED, GONE, GOOD, HERE_EVENT, NOW, OTHER, SIGNED, hold, run

UNKNOWN = e.NumberRefused("link_number_unknown")


def result(**changes: object) -> s.Result:
    concluded = replace(CONCLUDED, link="open")
    state = run(hold(GOOD, e.PinSubmitted("c1")), SIGNED, e.ProofAccepted("c1"), concluded)[0]
    assert isinstance(state, s.Result)
    return replace(state, **changes)  # type: ignore[arg-type]  # handed through


def entering() -> s.State:
    return run(result(), e.LinkWanted())[0]


def test_the_number_goes_to_the_service_and_stays_in_no_state() -> None:
    state, commands = run(entering(), e.NumberEntered("2026041828"))
    assert commands == [c.CheckNumber(result().visit, "2026041828")]
    assert "2026041828" not in StateCodec.encode(state)
    assert "2026041828" not in repr(commands) + repr(e.NumberEntered("2026041828"))
    state, _ = run(state, e.NumberAccepted())
    assert isinstance(state, s.ConfirmingLink)
    state, commands = run(state, e.StaffIdentified("1001", "123456"))
    assert commands == [c.ConfirmLink(result().visit, "1001", "123456")]
    state, _ = run(state, e.LeaseRefused("staff_code_refused"))
    assert isinstance(state, s.ConfirmingLink)
    assert state.refused == "staff_code_refused"
    state, _ = run(state, e.NumberLinked())
    assert state == result(link="linked")


def test_a_number_that_nobody_confirms_is_linked_at_once() -> None:
    assert run(entering(), e.NumberEntered("1"), e.NumberLinked())[0] == result(link="linked")


def test_five_numbers_that_do_not_do_end_it_whatever_was_left_in_between() -> None:
    state = entering()
    for tries in range(1, MOST_TRIES):
        state, _ = run(state, e.NumberEntered("1"), UNKNOWN)
        assert isinstance(state, s.EnteringNumber)
        assert (state.refused, state.result.link_tries) == ("link_number_unknown", tries)
        state, _ = run(state, e.Cancelled(), e.LinkWanted())
    state, _ = run(state, e.NumberEntered("1"), UNKNOWN)
    assert state == result(link="used_up", link_tries=MOST_TRIES)
    with pytest.raises(IllegalEvent):
        step(state, e.LinkWanted(), NOW)


@pytest.mark.parametrize("state", [entering(), run(entering(), e.NumberAccepted())[0]], ids=lambda state: state.name)
def test_leaving_keeps_the_result_and_taking_the_card_forgets_it(state: s.State) -> None:
    assert run(state, e.Cancelled())[0] == result()
    timed_out, _ = step(state, e.DeadlinePassed(), NOW + timedelta(seconds=121))
    assert isinstance(timed_out, s.Result)
    assert run(state, HERE_EVENT)[0] == state
    for event in (GONE, OTHER):
        assert isinstance(run(state, event)[0], s.ChoosingService)


@pytest.mark.parametrize(
    "state",
    [
        result(link=""),
        result(link="linked"),
        result(visit=replace(result().visit, method="kazashi")),
        result(visit=replace(result().visit, presence=facts.Presence())),
        result(card="another"),
    ],
    ids=["elsewhere", "linked", "tapped", "card gone", "another card"],
)
def test_it_begins_only_beside_the_card_whose_pin_was_right(state: s.Result) -> None:
    with pytest.raises(IllegalEvent):
        step(state, e.LinkWanted(), NOW)


def test_what_was_chosen_meanwhile_stays_and_the_result_has_its_minute_again() -> None:
    later = NOW + timedelta(seconds=100)
    for state in (entering(), run(entering(), e.NumberAccepted())[0]):
        for event, link in ((e.Cancelled(), "open"), (e.NumberLinked(), "linked")):
            back, _ = run(run(state, e.LanguageChosen("en"), e.HelpCalled())[0], event, now=later)
            assert isinstance(back, s.Result)
            assert (back.visit.language, back.visit.help_called, back.link) == ("en", True, link)
            assert back.deadline_at == later + timedelta(seconds=60)


def test_a_code_that_did_not_do_leaves_time_for_another() -> None:
    later = NOW + timedelta(seconds=100)
    state, _ = run(run(entering(), e.NumberAccepted())[0], e.LeaseRefused("staff_code_limit"), now=later)
    assert isinstance(state, s.ConfirmingLink)
    assert (state.refused, state.deadline_at) == ("staff_code_limit", later + timedelta(seconds=120))
