"""A reading that a system asks for, at a terminal where nobody is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import facts
from kiosk_web.session import states as s
from kiosk_web.session.diagram import build_examples
from kiosk_web.session.machine import IllegalEvent, step
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
