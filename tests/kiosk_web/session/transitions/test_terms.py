"""New terms before a result, and what becomes of the verdict meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import states as s
from kiosk_web.session.machine import IllegalEvent, step
from tests.kiosk_web.session.visit_steps import CHANGES, CONCLUDED, GOOD, NOW, SIGNED, agreeing, hold, run


def test_new_terms_come_before_the_result_and_the_verdict_is_made_anew_after_them() -> None:
    state = agreeing()
    assert isinstance(state, s.Agreeing)
    assert state.changes == CHANGES
    assert s.derive_challenge(state) == "c1"  # the certificate stays in memory
    state, commands = run(state, e.TermsAgreed())
    assert commands == [c.Conclude("c1", state.visit, "{}", agreed=True)]  # type: ignore[union-attr]  # it has a visit
    assert isinstance(run(state, CONCLUDED)[0], s.Result)
    with pytest.raises(IllegalEvent):
        step(state, e.TermsOutdated("c1", CHANGES), NOW)  # nobody is asked twice


def test_reading_the_terms_for_long_asks_the_responder_again() -> None:
    state, commands = run(agreeing(), e.TermsAgreed(), now=NOW + timedelta(seconds=181))
    assert [type(command) for command in commands] == [c.CheckStatus]
    after, _ = run(state, e.StatusChecked("c1", "certificate_revoked", "{}", NOW))
    assert isinstance(after, s.Refused)


def test_not_agreeing_ends_the_visit_by_name() -> None:
    state, commands = run(agreeing(), e.Cancelled())
    assert isinstance(state, s.Refused)
    assert (state.code, state.stopped_in) == ("terms_declined", "agreeing")
    assert [command.outcome for command in commands if isinstance(command, c.RecordAudit)] == ["refused"]


def test_nobody_is_asked_before_the_card_was_proven_or_for_another_challenge() -> None:
    proven = run(hold(GOOD, e.PinSubmitted("c1")), SIGNED, e.ProofAccepted("c1"))[0]
    unproven = run(hold(GOOD, e.PinSubmitted("c1")), SIGNED)[0]
    assert isinstance(step(proven, e.TermsOutdated("c1", CHANGES), NOW)[0], s.Agreeing)
    for state, challenge in ((unproven, "c1"), (proven, "c2"), (proven, "")):
        with pytest.raises(IllegalEvent):
            step(state, e.TermsOutdated(challenge, CHANGES), NOW)


def test_reading_has_two_minutes_and_the_verdict_after_it_its_own_time() -> None:
    asked = agreeing()
    assert asked.deadline_at == NOW + timedelta(seconds=120)
    later = NOW + timedelta(seconds=100)
    checking, _ = step(asked, e.TermsAgreed(), later)
    assert checking.deadline_at == later + timedelta(seconds=20)
    ended, commands = step(asked, e.DeadlinePassed(), NOW + timedelta(seconds=120))
    assert isinstance(ended, s.Refused)
    assert ended.code == "session_timeout"
    assert [command.status_json for command in commands if isinstance(command, c.RecordAudit)] == ["{}"]
