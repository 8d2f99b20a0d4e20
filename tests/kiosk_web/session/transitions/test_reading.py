"""A reading that a system asks for, at a terminal where nobody is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import facts
from kiosk_web.session import states as s
from kiosk_web.session.diagram import build_examples
from kiosk_web.session.machine import IllegalEvent, step
from kiosk_web.session.transitions.reading import is_free
from tests.kiosk_web.session.visit_steps import HERE_EVENT, NOW, run, start

ASKED = e.ReadingRequested(facts.AskedReading("r1", "体育館", "Gymnasium"), "facility", NOW + timedelta(seconds=120))


def test_a_reading_is_asked_for_only_where_nobody_is() -> None:
    state, commands = run(start(), ASKED)
    assert isinstance(state, s.AwaitingCard)
    assert (state.visit.service, state.visit.reading, commands) == ("facility", ASKED.reading, [])
    for busy in (HERE_EVENT, e.LanguageChosen("en"), e.CardChanged("missing", "none", "")):
        with pytest.raises(IllegalEvent):
            run(start(), busy, ASKED)


@pytest.mark.parametrize("state", build_examples(NOW), ids=lambda state: state.name)
def test_taking_a_reading_back_ends_its_own_visit_alone(state: s.State) -> None:
    visit = s.derive_visit(state)
    if type(state) is s.Superseded:
        return
    other, commands = step(state, e.ReadingCancelled("another", "reading_withdrawn"), NOW)
    assert (other, commands) == (state, ())
    ended, commands = step(state, e.ReadingCancelled("r", "reading_withdrawn"), NOW)
    if visit is None or visit.reading is None:
        assert (ended, commands) == (state, ())
    else:
        assert isinstance(ended, s.Refused)
        assert (ended.code, type(commands[0])) == ("reading_withdrawn", c.RecordAudit)


def test_whoever_brought_the_request_may_have_touched_the_screen_and_laid_no_card() -> None:
    brought = e.ReadingRequested(facts.AskedReading("r1", returns=True), "facility", NOW + timedelta(seconds=120))
    state, _ = run(start(), e.LanguageChosen("en"), brought)
    assert isinstance(state, s.AwaitingCard)
    assert (state.deadline_at, state.visit.started_at) == (brought.until, NOW)
    for busy in (HERE_EVENT, e.CardChanged("ready", "unknown", "x"), e.CardChanged("missing", "none", "")):
        with pytest.raises(IllegalEvent):
            run(start(), busy, brought)
    with pytest.raises(IllegalEvent):
        run(start(), e.ServiceChosen("library"), brought)


def test_what_was_asked_for_is_not_changed_and_going_back_tells_the_system() -> None:
    asked, _ = run(start(), ASKED)
    with pytest.raises(IllegalEvent):
        step(asked, e.ServiceChosen("library"), NOW)
    state, commands = step(asked, e.Cancelled(), NOW)
    assert state == s.ChoosingService(s.Visit("page", 2))
    visit = s.derive_visit(asked)
    assert visit is not None
    assert commands == (c.RecordAudit(visit, "abandoned", "cancelled", None),)


def test_a_request_taken_back_has_the_card_let_go_where_it_is_held() -> None:
    awaiting, _ = run(start(), ASKED)
    before, _ = run(awaiting, e.ReadingCancelled("r1", "reading_withdrawn"))
    assert s.derive_orders(before) == ()
    reading, _ = run(awaiting, HERE_EVENT)
    held, _ = run(reading, e.ReadingCancelled("r1", "reading_expired"))
    assert [order.name for order in s.derive_orders(held)] == ["cancel"]


def test_a_request_taken_back_does_not_end_what_a_resident_does_after_it() -> None:
    asked, _ = run(start(), ASKED, HERE_EVENT)
    visit = s.derive_visit(asked)
    assert visit is not None
    evidence = facts.CardEvidence("c2", "ab" * 32, 3)
    enrolling = s.AwaitingBirth(replace(visit, purpose="enrol"), evidence, NOW + timedelta(seconds=120), None)
    assert step(enrolling, e.ReadingCancelled("r1", "reading_withdrawn"), NOW) == (enrolling, ())


def test_a_result_that_was_left_behind_is_somebody() -> None:
    gone = facts.Presence()
    visit = s.Visit("page", 1, gone)
    shown = s.Result(visit, NOW, "type1", "ppid", "x", False, NOW, "ocsp", NOW, False)
    assert is_free(s.ChoosingService(visit))
    assert not is_free(shown, brought=True)
    assert not is_free(s.TakingCard(visit), brought=True)
