"""How a visit begins and what ends it: the card, the bridge, the page and the time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import facts
from kiosk_web.session import states as s
from kiosk_web.session.machine import step
from tests.kiosk_web.session.visit_steps import (
    CONCLUDED,
    GONE,
    GOOD,
    LATER,
    NOW,
    OTHER,
    READ,
    SIGNED,
    agreeing,
    hold,
    run,
    start,
)


def test_no_certificate_is_read_before_a_service_is_chosen() -> None:
    state, commands = run(start(), e.CardChanged("ready", "ours", "card-1"))
    assert isinstance(state, s.ChoosingService)
    assert commands == []


def test_the_card_may_come_before_the_service() -> None:
    state, commands = run(start(), e.CardChanged("ready", "ours", "card-1"), e.ServiceChosen("library"))
    assert isinstance(state, s.ReadingCard)
    assert [type(command) for command in commands] == [c.IssueChallenge]


AT_CARD = {
    "reading": run(start(), *READ)[0],
    "typing": hold(),
    "last try": run(start(), *READ, e.CertificateTrusted("c1", "ab" * 32, 1, True))[0],
    "signing": hold(GOOD, e.PinSubmitted("c1")),
    "checking": hold(e.PinSubmitted("c1"), SIGNED),
    "agreeing": agreeing(),
}


@pytest.mark.parametrize("state", AT_CARD.values(), ids=AT_CARD.keys())
@pytest.mark.parametrize(
    ("event", "code"),
    [
        (GONE, "card_removed"),
        (OTHER, "card_swapped"),
        (e.CardChanged("missing", "none", ""), "reader_missing"),
        (e.CardChanged("service_down", "none", ""), "service_down"),
        (e.CardChanged("ready", "mute", "x"), "card_mute"),
        (e.BridgeLost("bridge_missing"), "bridge_missing"),
        (e.BridgeLost("anything"), "bridge_lost"),
        (e.PageVerified("newer", again=True), "bridge_lost"),
        (e.BridgeFailed("c1", "card_error", None), "card_error"),
        (e.BridgeFailed("", "no such code", None), "internal"),
        (e.WorkInterrupted(), "internal"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_whatever_happens_to_card_or_bridge_ends_the_visit(state: s.State, event: e.Event, code: str) -> None:
    after, commands = step(state, event, NOW)
    assert isinstance(after, s.Refused)
    assert after.code == code
    assert [command.code for command in commands if isinstance(command, c.RecordAudit)] == [code]


@pytest.mark.parametrize("state", AT_CARD.values(), ids=AT_CARD.keys())
def test_a_page_loaded_anew_begins_afresh_and_the_visit_before_is_on_record(state: s.State) -> None:
    after, commands = step(state, e.PageVerified("newer"), NOW)
    assert after == s.ChoosingService(s.Visit("newer", 1))
    assert [command.code for command in commands if isinstance(command, c.RecordAudit)] == ["bridge_lost"]


def test_the_same_card_reported_again_changes_nothing() -> None:
    state = hold()
    assert step(state, e.CardChanged("ready", "ours", "card-1"), NOW) == (state, ())


def test_taking_the_card_after_the_result_forgets_everything() -> None:
    state = hold(GOOD, e.LanguageChosen("en"), e.TextSizeChosen("extra"), e.PinSubmitted("c1"))
    state, _ = run(state, SIGNED, e.ProofAccepted("c1"), CONCLUDED)
    assert isinstance(state, s.Result)
    assert (state.visit.language, state.visit.text_size) == ("en", "extra")
    state, _ = run(state, GONE)
    assert isinstance(state, s.ChoosingService)
    assert state.visit == s.Visit("page", 2, facts.Presence("ready", "none", ""))


def test_a_finished_visit_waits_for_the_card_to_be_taken() -> None:
    state = hold(e.Cancelled(), e.Finished())
    assert isinstance(state, s.TakingCard)
    assert isinstance(run(state, e.CardChanged("ready", "ours", "card-1"))[0], s.TakingCard)
    assert isinstance(run(state, GONE)[0], s.ChoosingService)


@pytest.mark.parametrize("code", ["card_removed", "card_swapped", "card_reset"])
def test_the_screen_of_a_lost_card_stays_when_the_reader_says_so_later(code: str) -> None:
    state = hold(e.BridgeFailed("c1", code, None))
    for event in (GONE, OTHER):
        state, _ = run(state, event)
        assert isinstance(state, s.Refused)
    assert isinstance(run(state, e.Finished())[0], s.ChoosingService)


def test_a_swapped_card_is_kept_for_the_next_visit() -> None:
    state = hold(OTHER)
    assert isinstance(state, s.Refused)
    assert state.code == "card_swapped"


def test_an_older_deadline_does_not_fire_after_an_extension() -> None:
    state, _ = run(start(), e.ServiceChosen("library"))
    state, _ = step(state, e.Extended(), NOW + timedelta(seconds=100))
    assert step(state, e.DeadlinePassed(), NOW + timedelta(seconds=121)) == (state, ())
    assert isinstance(step(state, e.DeadlinePassed(), NOW + timedelta(seconds=220))[0], s.ChoosingService)


def test_language_survives_a_step_and_not_an_idle_terminal() -> None:
    state, _ = run(start(), e.LanguageChosen("en"))
    assert s.derive_visit(run(state, e.ServiceChosen("library"))[0]).language == "en"  # type: ignore[union-attr]  # a visit is there
    rested, _ = step(state, e.DeadlinePassed(), LATER)
    assert isinstance(rested, s.ChoosingService)
    assert (rested.visit.language, rested.deadline_at) == ("ja", None)


def test_a_card_forgotten_before_a_choice_must_be_taken_before_the_next_resident_comes() -> None:
    state, _ = run(start(), e.CardChanged("ready", "ours", "card-1"))
    assert state.deadline_at is not None
    forgotten, _ = step(state, e.DeadlinePassed(), LATER)
    assert isinstance(forgotten, s.TakingCard)
    assert isinstance(run(forgotten, GONE)[0], s.ChoosingService)


def test_a_card_taken_from_the_first_screen_leaves_it_as_if_nobody_came() -> None:
    state, _ = run(start(), e.CardChanged("ready", "ours", "card-1"), GONE)
    assert state == s.ChoosingService(s.Visit("page", 2, facts.Presence("ready", "none", "")), None)


def test_who_chose_a_language_keeps_it_while_the_card_is_laid_anew() -> None:
    state, _ = run(start(), e.LanguageChosen("en"), e.CardChanged("ready", "ours", "card-1"), GONE)
    assert isinstance(state, s.ChoosingService)
    assert state.visit.language == "en"
    assert state.deadline_at is not None


def test_a_clock_that_was_set_back_ends_what_waits_for_a_time() -> None:
    back = e.DeadlinePassed(clock_set_back=True)
    for state in AT_CARD.values():
        after, _ = step(state, back, NOW)
        assert isinstance(after, s.Refused)
    assert step(start(), back, NOW) == (start(), ())  # it waits for nothing
