"""The table of the session: complete, deaf to what does not belong, and never stuck."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
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
from tests.kiosk_web.session.visit_steps import GONE, GOOD, LATER, NOW, READ, TRUSTED, hold, run, start


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


AT_WORK = [state for state in build_examples(NOW) if s.derive_challenge(state)]
OF_A_CHALLENGE = [
    event
    for event in build_example_events(NOW)
    if hasattr(event, "challenge") and not isinstance(event, e.ChallengeIssued | e.WorkInterrupted)
]


@pytest.mark.parametrize("state", AT_WORK, ids=lambda state: state.name)
@pytest.mark.parametrize("challenge", ["", "another"])
def test_nothing_that_belongs_to_another_challenge_or_to_none_moves_a_visit(state: s.State, challenge: str) -> None:
    for event in OF_A_CHALLENGE:
        other = replace(event, challenge=challenge)  # type: ignore[call-arg]  # each of these has one
        if type(event) in TABLE[type(state)].kept:
            assert step(state, other, NOW) == (state, ())
        elif not isinstance(event, e.BridgeFailed) or challenge:  # a bridge may fail before it has a ticket
            with pytest.raises(IllegalEvent):
                step(state, other, NOW)


@pytest.mark.parametrize("state", AT_WORK, ids=lambda state: state.name)
def test_work_that_broke_off_for_an_earlier_challenge_ends_nothing(state: s.State) -> None:
    assert step(state, e.WorkInterrupted("another"), NOW) == (state, ())
    ended, commands = step(state, e.WorkInterrupted(s.derive_challenge(state)), NOW)
    assert ended != state
    assert [command.code for command in commands if isinstance(command, c.RecordAudit)] == ["internal"]


def test_an_answer_before_the_challenge_was_issued_is_an_answer_to_nothing() -> None:
    state, _ = run(start(), *READ[:2])
    assert isinstance(state, s.ReadingCard)
    for event in (
        e.CertificateRead("", b"", 3, 1, b""),
        e.CertificateTrusted("", "ab" * 32, 3, True),
        e.CertificateRejected("", "certificate_expired"),
    ):
        with pytest.raises(IllegalEvent):
            step(state, event, NOW)


KNOWN = facts.StatusEvidence("what the responder said", NOW)


@pytest.mark.parametrize("now", [NOW, LATER])
@pytest.mark.parametrize("state", AT_WORK, ids=lambda state: state.name)
def test_a_visit_that_ends_has_on_record_what_was_known_of_its_certificate(state: s.State, now: datetime) -> None:
    if isinstance(state, s.ReadingCard):
        return
    state = replace(state, evidence=replace(state.evidence, status=KNOWN))  # type: ignore[union-attr,call-arg]  # it has one
    for event in (*build_example_events(NOW), e.BridgeFailed("", "card_error", None)):
        try:
            _, commands = step(state, event, now)
        except IllegalEvent:
            continue
        told = event.json if isinstance(event, e.StatusChecked) else KNOWN.json
        for command in commands:
            if isinstance(command, c.RecordAudit):
                assert command.status_json == told, event


@pytest.mark.parametrize("state", build_examples(NOW), ids=lambda state: state.name)
def test_only_a_state_at_the_card_or_after_it_has_orders_for_the_bridge(state: s.State) -> None:
    assert s.derive_orders(state) == getattr(state, "orders", ())


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
