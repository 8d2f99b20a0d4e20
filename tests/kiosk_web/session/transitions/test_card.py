"""From the card to the verdict: certificate, status, PIN and the last try."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import facts
from kiosk_web.session import states as s
from kiosk_web.session.machine import IllegalEvent, step
from tests.kiosk_web.session.visit_steps import CONCLUDED, GOOD, NOW, READ, SIGNED, TRUSTED, hold, orders, run, start


def test_the_bridge_is_told_to_read_once_the_challenge_is_issued() -> None:
    state, _ = run(start(), *READ)
    assert isinstance(state, s.ReadingCard)
    assert [(order.name, order.arguments) for order in state.orders] == [("read_certificate", {"ticket": "ticket"})]
    assert state.visit.reference == "ABCD-EFGH"


def test_the_pad_shows_at_once_while_the_status_is_asked() -> None:
    state, commands = run(start(), *READ, TRUSTED)
    assert isinstance(state, s.AwaitingPin)
    assert orders(state) == []
    assert c.CheckStatus("c1") in commands


def test_a_good_status_lets_verify_go() -> None:
    assert orders(hold(GOOD)) == ["authenticate"]


def test_three_seconds_let_verify_go_without_a_status() -> None:
    state = hold()
    early, _ = step(state, e.DeadlinePassed(), NOW + timedelta(seconds=2))
    assert orders(early) == []
    released, _ = step(state, e.DeadlinePassed(), NOW + timedelta(seconds=3))
    assert isinstance(released, s.AwaitingPin)
    assert orders(released) == ["authenticate"]
    assert s.derive_wake_at(released) == NOW + timedelta(seconds=120)


def test_a_good_status_after_the_release_gives_no_second_command() -> None:
    released, _ = step(hold(), e.DeadlinePassed(), NOW + timedelta(seconds=3))
    assert orders(run(released, GOOD)[0]) == ["authenticate"]


@pytest.mark.parametrize(
    "code", ["certificate_revoked", "certificate_on_hold", "status_unknown", "status_unavailable", "status_stale"]
)
@pytest.mark.parametrize("events", [(), (e.PinSubmitted("c1"),)], ids=["while typing", "while held"])
def test_a_card_that_cannot_succeed_is_refused_before_a_try_is_used(code: str, events: tuple[e.Event, ...]) -> None:
    state, commands = run(hold(*events), e.StatusChecked("c1", code, "{}", NOW))
    assert isinstance(state, s.Refused)
    assert state.code == code
    assert state.stopped_in == ("checking_pin" if events else "awaiting_pin")
    assert orders(state) == ["cancel"]
    assert c.RecordAudit(state.visit, "refused", code, "{}") in commands


def test_a_locked_card_is_refused_at_once() -> None:
    state, commands = run(start(), *READ, e.CertificateTrusted("c1", "ab" * 32, 0, True))
    assert isinstance(state, s.Refused)
    assert (state.code, state.tries_left, orders(state)) == ("pin_locked", 0, ["cancel"])
    assert not [command for command in commands if isinstance(command, c.CheckStatus)]


def test_an_expired_card_is_refused_at_once() -> None:
    state, _ = run(start(), *READ, e.CertificateRejected("c1", "certificate_expired"))
    assert isinstance(state, s.Refused)
    assert (state.code, orders(state), state.stopped_in) == ("certificate_expired", ["cancel"], "reading_card")


def test_the_last_try_is_never_used_unasked() -> None:
    state, _ = run(start(), *READ, e.CertificateTrusted("c1", "ab" * 32, 1, True), GOOD)
    assert isinstance(state, s.ConfirmingLastPin)
    with pytest.raises(IllegalEvent):
        step(state, e.PinSubmitted("c1"), NOW)
    confirmed, _ = run(state, e.LastTryConfirmed())
    assert isinstance(confirmed, s.AwaitingPin)
    assert orders(confirmed) == ["authenticate", "confirm_last_try"]


def test_the_last_try_may_be_declined() -> None:
    state, _ = run(start(), *READ, e.CertificateTrusted("c1", "ab" * 32, 1, True), e.Cancelled())
    assert isinstance(state, s.Refused)
    assert (state.code, state.tries_left) == ("last_try_declined", 1)


def test_a_wrong_pin_asks_again_and_the_next_one_counts() -> None:
    state = hold(GOOD, e.PinSubmitted("c1"), e.PinRefused("c1", 2))
    assert isinstance(state, s.AwaitingPin)
    assert (state.refused, state.evidence.tries_left) == (True, 2)
    assert isinstance(run(state, e.PinSubmitted("c1"), SIGNED)[0], s.Checking)


def test_a_wrong_pin_with_one_try_left_asks_for_confirmation() -> None:
    state = hold(GOOD, e.PinSubmitted("c1"), e.PinRefused("c1", 1))
    assert isinstance(state, s.ConfirmingLastPin)
    assert state.refused


def test_a_wrong_pin_that_locks_the_card_ends_the_visit() -> None:
    state = hold(GOOD, e.PinSubmitted("c1"), e.PinRefused("c1", 0))
    assert isinstance(state, s.Refused)
    assert (state.code, state.tries_left) == ("pin_locked", 0)


def test_the_verdict_waits_for_the_status_and_then_comes_by_itself() -> None:
    state, commands = run(hold(e.PinSubmitted("c1")), SIGNED, e.ProofAccepted("c1"))
    assert isinstance(state, s.Checking)
    assert not [command for command in commands if isinstance(command, c.Conclude)]
    state, commands = run(state, GOOD)
    assert [type(command) for command in commands] == [c.Conclude]
    assert isinstance(run(state, CONCLUDED)[0], s.Result)


def test_nothing_concludes_without_proof_and_status() -> None:
    state = hold(e.PinSubmitted("c1"), SIGNED)
    for missing in (state, run(state, GOOD)[0], run(state, e.ProofAccepted("c1"))[0]):
        with pytest.raises(IllegalEvent):
            step(missing, CONCLUDED, NOW)


def test_a_status_alone_gives_no_verdict() -> None:
    state, commands = run(hold(e.PinSubmitted("c1")), SIGNED, GOOD)
    assert isinstance(state, s.Checking)
    assert not [command for command in commands if isinstance(command, c.Conclude)]


def test_evidence_older_than_three_minutes_is_fetched_again() -> None:
    state = hold(GOOD, e.PinSubmitted("c1"))
    late = NOW + timedelta(seconds=181)
    state, commands = run(state, SIGNED, e.ProofAccepted("c1"), now=late)
    assert [type(command) for command in commands] == [c.JudgeProof, c.CheckStatus]
    state, commands = run(state, e.StatusChecked("c1", "", "{}", late), now=late)
    assert [type(command) for command in commands] == [c.Conclude]


def test_without_the_early_check_the_status_is_asked_after_the_signature() -> None:
    state, commands = run(start(), *READ, e.CertificateTrusted("c1", "ab" * 32, 3, False))
    assert orders(state) == ["authenticate"]
    assert not [command for command in commands if isinstance(command, c.CheckStatus)]
    _, commands = run(state, SIGNED, e.ProofAccepted("c1"))
    assert c.CheckStatus("c1") in commands


def test_evidence_is_fresh_for_three_minutes_to_the_second() -> None:
    held = hold(GOOD, e.PinSubmitted("c1"))
    _, commands = run(held, SIGNED, e.ProofAccepted("c1"), now=NOW + timedelta(seconds=180))
    assert [type(command) for command in commands] == [c.JudgeProof, c.Conclude]


def test_evidence_that_grew_old_is_worth_nothing_while_it_is_fetched_again() -> None:
    late = NOW + timedelta(seconds=181)
    state, _ = run(hold(GOOD, e.PinSubmitted("c1")), SIGNED, e.ProofAccepted("c1"), now=late)
    assert isinstance(state, s.Checking)
    assert (state.evidence.status, state.evidence.status_asked) == (None, True)
    with pytest.raises(IllegalEvent):
        step(state, CONCLUDED, late)


def test_the_responder_is_asked_once_however_late_its_answer_is() -> None:
    state, commands = run(hold(e.PinSubmitted("c1")), SIGNED, e.ProofAccepted("c1"))
    assert [type(command) for command in commands] == [c.JudgeProof]
    held, _ = run(start(), *READ, replace(TRUSTED, early_check=False))
    for _ in range(2):
        state, commands = run(held, SIGNED, e.ProofAccepted("c1"))
        assert [type(command) for command in commands] == [c.JudgeProof, c.CheckStatus]
    again, commands = run(state, e.ProofAccepted("c1"))
    assert (again, commands) == (state, [])


def test_a_pin_is_no_tap_however_the_reader_fails() -> None:
    for state in (run(start(), *READ)[0], hold(), hold(e.PinSubmitted("c1"))):
        after, _ = step(state, e.BridgeFailed("c1", "card_error", None), NOW)
        assert isinstance(after, s.Refused)


@pytest.mark.parametrize("code", ["certificate_revoked", "certificate_expired", "status_unavailable", "certificate"])
def test_the_bridge_says_nothing_about_the_certificate_or_its_status(code: str) -> None:
    state, _ = step(hold(), e.BridgeFailed("c1", code, None), NOW)
    assert isinstance(state, s.Refused)
    assert state.code == "internal"


def test_the_tries_left_that_the_bridge_reports_are_shown() -> None:
    state, _ = step(hold(GOOD, e.PinSubmitted("c1")), e.BridgeFailed("c1", "pin_tries_used", 1), NOW)
    assert isinstance(state, s.Refused)
    assert (state.code, state.tries_left) == ("pin_tries_used", 1)


def test_what_another_card_is_called_is_kept_and_it_is_not_the_card_of_this_visit() -> None:
    swapped, _ = step(hold(), e.CardChanged("ready", "ours", "card-2"), NOW)
    assert isinstance(swapped, s.Refused)
    assert (swapped.card_held, swapped.visit.presence) == (False, facts.Presence("ready", "ours", "card-2"))
    foreign, _ = step(hold(), e.CardChanged("ready", "unknown", "card-1"), NOW)
    assert isinstance(foreign, s.Refused)
    assert (foreign.code, foreign.card_held) == ("card_swapped", False)


def test_a_card_that_falls_silent_lies_there_still() -> None:
    state, _ = step(hold(), e.CardChanged("ready", "mute", "x"), NOW)
    assert isinstance(state, s.Refused)
    assert (state.code, state.card_held, state.visit.presence.card) == ("card_mute", True, "mute")


def test_a_reader_that_is_gone_has_no_card() -> None:
    state, _ = step(hold(), e.CardChanged("missing", "none", ""), NOW)
    assert isinstance(state, s.Refused)
    assert (state.card_held, state.visit.presence) == (False, facts.Presence("missing", "none", ""))


def test_the_time_for_typing_ends_on_the_second_and_holds_nothing_back_before() -> None:
    released, _ = step(hold(), e.DeadlinePassed(), NOW + timedelta(seconds=3))
    kept, commands = step(released, e.DeadlinePassed(), NOW + timedelta(seconds=119))
    assert (kept, commands) == (released, ())
    ended, _ = step(released, e.DeadlinePassed(), NOW + timedelta(seconds=120))
    assert isinstance(ended, s.Refused)
    assert (ended.code, ended.deadline_at) == ("pin_timeout", NOW + timedelta(seconds=180))


@pytest.mark.parametrize("fallback", ["", "window"])
def test_the_result_says_what_it_rests_on(fallback: facts.FallbackCause) -> None:
    concluded = replace(CONCLUDED, fallback=fallback, status_method="crl", link="open", kazashi="offered")
    state, commands = run(hold(GOOD, e.PinSubmitted("c1")), SIGNED, e.ProofAccepted("c1"), concluded)
    assert isinstance(state, s.Result)
    assert (state.fallback, state.method, state.link, state.kazashi) == (fallback, "crl", "open", "offered")
    assert (state.card, state.certificate_sha256, state.same_card) == ("card-1", "ab" * 32, True)
    assert commands[-1] == c.RecordAudit(state.visit, "done", "", "{}")


def test_a_visit_refused_once_stays_stopped_where_it_was() -> None:
    refused = hold(e.Cancelled())
    after, _ = run(refused, e.CardChanged("ready", "none", ""), e.LanguageChosen("en"))
    assert isinstance(refused, s.Refused)
    for state in (refused, run(refused, e.HelpCalled())[0]):
        assert isinstance(state, s.Refused)
        assert state.stopped_in == "awaiting_pin"
    assert isinstance(after, s.ChoosingService)


def test_what_the_reader_says_of_itself_is_kept_while_the_same_card_lies_there() -> None:
    state, commands = step(hold(), e.CardChanged("busy", "ours", "card-1"), NOW)
    assert isinstance(state, s.AwaitingPin)
    assert (state.visit.presence, commands) == (facts.Presence("busy", "ours", "card-1"), ())
