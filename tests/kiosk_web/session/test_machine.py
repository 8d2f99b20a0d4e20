"""The table of the session: complete, deaf to what does not belong, and never stuck."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import facts
from kiosk_web.session import states as s
from kiosk_web.session.codes import CODES
from kiosk_web.session.diagram import build_example_events, build_examples
from kiosk_web.session.machine import IllegalEvent, step
from kiosk_web.session.state_codec import StateCodec
from kiosk_web.session.table import TABLE
from kiosk_web.session.terms_change import TermsChange

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
HERE = facts.Presence("ready", "ours", "card-1")
GONE = e.CardChanged("ready", "none", "")
HERE_EVENT = e.CardChanged("ready", "ours", "card-1")
OTHER = e.CardChanged("ready", "ours", "card-2")
LATER = NOW + timedelta(seconds=3600)


def run(state: s.State, *events: e.Event, now: datetime = NOW) -> tuple[s.State, list[c.Command]]:
    commands: list[c.Command] = []
    for event in events:
        state, wanted = step(state, event, now)
        commands += wanted
    return state, commands


def start() -> s.State:
    return run(s.Connecting(), e.PageVerified("page"))[0]


READ = (
    e.ServiceChosen("library"),
    e.CardChanged("ready", "ours", "card-1"),
    e.ChallengeIssued("c1", "ticket", "ABCD-EFGH"),
)
TRUSTED = e.CertificateTrusted("c1", "ab" * 32, 3, True)
GOOD = e.StatusChecked("c1", "", "{}", NOW)
SIGNED = e.Signed("c1", b"certificate", b"signature", 2, b"terminal")
CONCLUDED = e.VisitConcluded("c1", "library", "mykey_id", "7KX2M9QD", False, NOW, NOW)


def hold(*more: e.Event) -> s.State:
    return run(start(), *READ, TRUSTED, *more)[0]


def orders(state: s.State) -> list[str]:
    return [order.name for order in s.derive_orders(state)]


@pytest.mark.parametrize("state", s.STATES)
def test_every_event_is_in_the_row_of_every_state_exactly_once(state: type) -> None:
    row = TABLE[state]
    places = [set(row.legal), set(row.kept), set(row.illegal)]
    assert set.union(*places) == set(e.EVENTS)
    assert sum(len(place) for place in places) == len(e.EVENTS)


def test_every_state_of_the_wire_has_a_row() -> None:
    names = {state.name for state in build_examples(NOW)}
    assert names == {
        "connecting",
        "choosing_service",
        "awaiting_card",
        "reading_card",
        "awaiting_pin",
        "confirming_last_pin",
        "checking_pin",
        "checking",
        "agreeing",
        "result",
        "refused",
        "taking_card",
        "superseded",
        "out_of_service",
        "awaiting_birth",
        "checking_card",
        "consenting",
        "kazashi_set",
        "entering_number",
        "confirming_link",
        "awaiting_text",
        "checking_text",
        "basic_four_sent",
        "staff_sign_in",
    }
    assert {type(state) for state in build_examples(NOW)} == set(TABLE)
    assert {type(event) for event in build_example_events(NOW)} == set(e.EVENTS)


@pytest.mark.parametrize("state", build_examples(NOW), ids=lambda state: state.name)
def test_an_illegal_event_raises_and_a_kept_one_changes_nothing(state: s.State) -> None:
    row = TABLE[type(state)]
    for event in build_example_events(NOW):
        if type(event) in row.illegal:
            with pytest.raises(IllegalEvent):
                step(state, event, LATER)
        elif type(event) in row.kept:
            assert step(state, event, LATER) == (state, ())


@pytest.mark.parametrize("state", build_examples(NOW), ids=lambda state: state.name)
def test_a_state_survives_the_database(state: s.State) -> None:
    assert StateCodec.decode(StateCodec.encode(state)) == state


def test_a_state_that_does_not_read_back_is_an_error() -> None:
    with pytest.raises(ValueError):
        StateCodec.decode('{"name": "result"}')


def test_no_certificate_is_read_before_a_service_is_chosen() -> None:
    state, commands = run(start(), e.CardChanged("ready", "ours", "card-1"))
    assert isinstance(state, s.ChoosingService)
    assert commands == []


def test_the_card_may_come_before_the_service() -> None:
    state, commands = run(start(), e.CardChanged("ready", "ours", "card-1"), e.ServiceChosen("library"))
    assert isinstance(state, s.ReadingCard)
    assert [type(command) for command in commands] == [c.IssueChallenge]


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


CHANGES = (TermsChange("terms-of-use", "2", "1", NOW),)


def agreeing() -> s.State:
    return run(hold(GOOD, e.PinSubmitted("c1")), SIGNED, e.ProofAccepted("c1"), e.TermsOutdated("c1", CHANGES))[0]


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


@pytest.mark.parametrize(
    "event",
    [
        e.CertificateRead("old", b"", 3, 1, b""),
        e.CertificateTrusted("old", "ab" * 32, 3, True),
        e.CertificateRejected("old", "certificate_expired"),
        e.BridgeFailed("old", "card_error", None),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_belongs_to_another_challenge_is_illegal_while_reading(event: e.Event) -> None:
    state, _ = run(start(), *READ)
    with pytest.raises(IllegalEvent):
        step(state, event, NOW)


@pytest.mark.parametrize(
    "event",
    [
        e.PinSubmitted("old"),
        e.PinRefused("old", 2),
        e.Signed("old", b"", b"", 1, b""),
        e.StatusChecked("old", "certificate_revoked", "{}", NOW),
        e.BridgeFailed("old", "card_error", None),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_belongs_to_another_challenge_is_illegal_while_holding(event: e.Event) -> None:
    with pytest.raises(IllegalEvent):
        step(hold(), event, NOW)


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


def test_the_numbers_of_commands_never_come_twice() -> None:
    state = start()
    seen: list[str] = []
    for _ in range(3):
        state, _ = run(state, *READ, TRUSTED)
        state, _ = run(state, GOOD)
        seen += [order.id for order in s.derive_orders(state)]
        state, _ = run(state, e.Cancelled())
        seen += [order.id for order in s.derive_orders(state)]
        state, _ = run(state, GONE)
    assert len(seen) == len(set(seen)) == 6


EVENTS = st.sampled_from(build_example_events(NOW))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(EVENTS, st.integers(0, 200)), max_size=40))
def test_a_random_walk_keeps_what_must_hold(walk: list[tuple[e.Event, int]]) -> None:
    state: s.State = s.Connecting()
    now = NOW
    consumed = concluded = 0
    for event, seconds in walk:
        now += timedelta(seconds=seconds)
        try:
            after, commands = step(state, event, now)
        except IllegalEvent:
            continue
        if isinstance(after, s.Result) and not isinstance(state, s.Result):
            concluded += 1
            assert isinstance(state, s.Checking)
        consumed += sum(isinstance(command, c.JudgeProof) for command in commands)
        ended = isinstance(after, s.Result | s.Refused) and not isinstance(state, s.Result | s.Refused)
        # given up before a card lay there, or left by a page that was loaded anew while the card was in use
        abandoned = isinstance(state, s.AwaitingCard) and isinstance(event, e.DeadlinePassed) and after != state
        left = s.derive_challenge(state) != "" or isinstance(state, s.ReadingCard)
        left = left and isinstance(event, e.PageVerified) and not event.again
        assert sum(isinstance(command, c.RecordAudit) for command in commands) == int(ended or abandoned or left)
        if isinstance(after, s.Refused):
            assert after.code in CODES
        assert StateCodec.decode(StateCodec.encode(after)) == after
        state = after
    assert concluded <= consumed


def test_every_command_is_one_that_the_service_knows() -> None:
    assert {kind.__name__ for kind in get_args(c.Command)} == {
        "IssueChallenge",
        "JudgeCertificate",
        "CheckStatus",
        "JudgeProof",
        "Conclude",
        "RecordAudit",
        "SealBasicFour",
        "EndKazashi",
        "CheckNumber",
        "ConfirmLink",
        "OpenLease",
        "CloseLease",
    }


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
