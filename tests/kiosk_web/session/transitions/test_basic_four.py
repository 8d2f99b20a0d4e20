"""The basic 4 information in the table: asked after an accepted verdict, by a second proof, and never at its cost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from kiosk_web.session import commands as c
from kiosk_web.session import events as e
from kiosk_web.session import facts
from kiosk_web.session import states as s
from kiosk_web.session.codes import CODES
from kiosk_web.session.machine import IllegalEvent, step
from kiosk_web.session.state_codec import StateCodec
from tests.kiosk_web.session.visit_steps import NOW, orders, run

HASH = "ab" * 32
CARD = e.CardChanged("ready", "ours", "card-1")
CONCLUDED = e.VisitConcluded("c1", "type1", "ppid", "K7Q", False, NOW, NOW, basic_four=True)
FIRST = (
    e.PageVerified("page"),
    e.ServiceChosen("facility"),
    CARD,
    e.ChallengeIssued("c1", "ticket", "ABCD-EFGH"),
    e.CertificateTrusted("c1", HASH, 3, True),
    e.StatusChecked("c1", "", "{}", NOW),
    e.Signed("c1", b"certificate", b"signature", 2, b"terminal"),
    e.ProofAccepted("c1"),
    CONCLUDED,
)
SECOND = (
    e.ConsentGiven(),
    e.ChallengeIssued("c2", "ticket", "WXYZ-2345"),
    e.CertificateTrusted("c2", HASH, 3, True),
    e.StatusChecked("c2", "", "{}", NOW),
    e.Signed("c2", b"certificate", b"signature", 4, b"terminal"),
    e.ProofAccepted("c2"),
)
READY = e.TextReady("c2", 3, 10)
PERMITTED = e.BasicFourPermitted("c2")
SECRET = e.PinSubmitted("c2")
ITEMS = e.BasicFourRead("c2", b"items", 5, b"terminal")
UNTIL = NOW + timedelta(minutes=10)
SEALED = e.BasicFourSealed("c2", UNTIL)


def consent() -> s.Consenting:
    state, _ = run(s.Connecting(), *FIRST)
    assert isinstance(state, s.Consenting)
    return state


def reach(*more: e.Event) -> s.State:
    return run(consent(), *SECOND, *more)[0]


def asked() -> s.AwaitingText:
    state = reach(READY, PERMITTED)
    assert isinstance(state, s.AwaitingText)
    return state


def test_consent_is_asked_only_after_the_verdict_and_names_its_subject() -> None:
    state = consent()
    assert state.subject == "basic_four"
    assert state.result.identifier == "K7Q"
    assert isinstance(run(s.Connecting(), *FIRST[:-1], replace(CONCLUDED, basic_four=False))[0], s.Result)


def test_the_second_challenge_is_by_pin_for_the_certificate_just_proven() -> None:
    state, commands = run(consent(), e.ConsentGiven())
    assert [type(command) for command in commands] == [c.IssueChallenge]
    visit = s.derive_visit(state)
    assert visit is not None
    assert (visit.purpose, visit.method, visit.consent) == ("basic_four", "pin", "basic_four")
    assert visit.proven_certificate == HASH
    after, _ = run(state, e.ChallengeIssued("c2", "t", "X"), e.CertificateTrusted("c2", "cd" * 32, 3, True))
    assert isinstance(after, s.Refused)
    assert after.code == "certificate_changed"
    assert orders(after) == ["cancel"]


def test_the_visit_keeps_its_one_reference_number() -> None:
    visit = s.derive_visit(asked())
    assert visit is not None
    assert visit.reference == "ABCD-EFGH"


def test_the_text_application_is_not_asked_before_proof_and_verdict() -> None:
    assert isinstance(reach(READY), s.Checking)
    assert isinstance(reach(PERMITTED), s.Checking)
    assert orders(asked()) == ["authenticate"]
    assert orders(reach(PERMITTED, READY)) == ["authenticate"]
    with pytest.raises(IllegalEvent):
        run(consent(), *SECOND[:-1], PERMITTED)


def test_the_items_pass_through_and_stay_in_no_state() -> None:
    state, commands = run(asked(), SECRET, ITEMS)
    assert isinstance(state, s.CheckingText)
    assert [type(command) for command in commands] == [c.SealBasicFour]
    assert b"items" not in StateCodec.encode(state).encode()
    sent, commands = run(state, SEALED)
    assert isinstance(sent, s.BasicFourSent)
    assert sent.kept_until == UNTIL
    assert [(type(it), getattr(it, "outcome", "")) for it in commands] == [(c.RecordAudit, "provided")]
    result, _ = run(sent, e.Finished())
    assert isinstance(result, s.Result)
    assert (result.basic_four, result.identifier, result.visit.purpose) == ("sent", "K7Q", "identify")


def test_items_of_another_challenge_or_state_have_no_place() -> None:
    for state in (consent(), reach(READY), run(consent(), e.ConsentGiven())[0]):
        with pytest.raises(IllegalEvent):
            step(state, replace(ITEMS, challenge="c1"), NOW)
    with pytest.raises(IllegalEvent):
        step(asked(), replace(ITEMS, challenge="c1"), NOW)


def test_items_after_the_end_change_nothing() -> None:
    ended, _ = run(asked(), e.Cancelled())
    assert step(ended, ITEMS, NOW) == (ended, ())


@pytest.mark.parametrize(("pin", "code", "way"), [(3, 10, ""), (1, 10, "code"), (0, 2, "code"), (2, 1, "")])
def test_a_secret_with_fewer_than_two_tries_is_not_offered(pin: int, code: int, way: str) -> None:
    state = reach(PERMITTED, e.TextReady("c2", pin, code))
    assert isinstance(state, s.AwaitingText)
    assert state.way == way
    shut: tuple[facts.TextWay, ...] = ("", "pin") if pin < 2 else ("code", "security") if code < 2 else ()
    for refused in shut:
        with pytest.raises(IllegalEvent):
            step(state, e.TextWayChosen(refused), NOW)


def test_with_both_nearly_used_up_nothing_is_asked() -> None:
    state, commands = run(reach(PERMITTED), e.TextReady("c2", 1, 1))
    assert isinstance(state, s.Result)
    assert [(it.code, it.status_json) for it in commands if isinstance(it, c.RecordAudit)] == [
        ("text_secret_guarded", "{}")
    ]
    assert state.basic_four_code == "text_secret_guarded"


def test_the_way_may_be_changed_and_gone_back() -> None:
    state = asked()
    with pytest.raises(IllegalEvent):
        step(state, e.TextWayChosen("security"), NOW)
    for way in ("pin", "", "code", "pin"):
        after, _ = step(state, e.TextWayChosen(way), NOW)  # type: ignore[arg-type]
        assert isinstance(after, s.AwaitingText)
        assert after.way == way
        assert orders(after) == ["authenticate"]


FAILURES = (
    (e.BridgeFailed("c2", "text_secret_wrong", 2), "text_secret_wrong"),
    (e.BridgeFailed("c2", "text_secret_guarded", None), "text_secret_guarded"),
    (e.BridgeFailed("c2", "card_data_malformed", None), "card_data_malformed"),
    (e.BridgeFailed("c2", "card_error", None), "card_error"),
    (e.CardChanged("missing", "none", ""), "reader_missing"),
    (e.BridgeLost("bridge_lost"), "bridge_lost"),
    (e.WorkInterrupted(), "internal"),
    (e.PageVerified("page-2", again=True), "bridge_lost"),
    (e.BasicFourRejected("c2", "receiver_missing"), "receiver_missing"),
    (e.BasicFourRejected("c2", "evidence_refused"), "evidence_refused"),
)


@pytest.mark.parametrize("way", [(), (SECRET,)])
@pytest.mark.parametrize(("event", "code"), FAILURES)
def test_a_reading_that_fails_returns_to_the_result_and_says_why(
    way: tuple[e.Event, ...], event: e.Event, code: str
) -> None:
    state, commands = run(run(asked(), *way)[0], event)
    assert isinstance(state, s.Result)
    assert (state.identifier, state.certificate_sha256) == ("K7Q", HASH)
    assert (state.basic_four, state.basic_four_code) == ("failed", code)
    assert code in CODES
    assert state.visit.reached is None
    assert [(it.outcome, it.code) for it in commands if isinstance(it, c.RecordAudit)] == [("refused", code)]


@pytest.mark.parametrize("way", [(), (SECRET,)])
@pytest.mark.parametrize(
    ("event", "code"),
    [
        (e.CardChanged("ready", "none", ""), "card_removed"),
        (e.CardChanged("ready", "ours", "card-2"), "card_swapped"),
        (e.BridgeFailed("c2", "card_removed", None), "card_removed"),
        (e.BridgeFailed("c2", "card_reset", None), "card_reset"),
    ],
)
def test_a_card_that_is_gone_takes_its_result_with_it(way: tuple[e.Event, ...], event: e.Event, code: str) -> None:
    """Its holder may have left, and others stand in line before the screen."""
    state, commands = run(run(asked(), *way)[0], event)
    assert isinstance(state, s.Refused)
    assert (state.code, state.card_held, state.visit.purpose) == (code, False, "basic_four")
    assert "K7Q" not in StateCodec.encode(state)
    assert [(it.outcome, it.code) for it in commands if isinstance(it, c.RecordAudit)] == [("refused", code)]
    after, _ = run(state, e.DeadlinePassed(), now=NOW + timedelta(hours=1))
    assert isinstance(after, s.ChoosingService)


@pytest.mark.parametrize(
    ("more", "code"), [((READY, PERMITTED), "pin_timeout"), ((READY, PERMITTED, SECRET), "session_timeout")]
)
def test_time_that_passes_returns_to_the_result(more: tuple[e.Event, ...], code: str) -> None:
    state, _ = step(reach(*more), e.DeadlinePassed(), NOW + timedelta(hours=1))
    assert isinstance(state, s.Result)
    assert state.basic_four_code == code


def test_who_declines_keeps_the_result() -> None:
    for event, at, code in (
        (e.Cancelled(), NOW, "cancelled"),
        (e.DeadlinePassed(), NOW + timedelta(hours=1), "session_timeout"),
    ):
        state, commands = run(consent(), event, now=at)
        assert isinstance(state, s.Result)
        assert (state.basic_four, state.basic_four_code) == ("declined", code)
        assert [(it.outcome, it.visit.purpose) for it in commands if isinstance(it, c.RecordAudit)] == [
            ("declined", "basic_four")
        ]


def test_stopping_later_is_declining_too() -> None:
    state, _ = run(asked(), e.Cancelled())
    assert isinstance(state, s.Result)
    assert (state.basic_four, orders(state)) == ("declined", ["cancel"])


def test_a_card_taken_at_the_consent_forgets_everything() -> None:
    state, commands = run(consent(), e.CardChanged("ready", "none", ""))
    assert isinstance(state, s.ChoosingService)
    assert [it.outcome for it in commands if isinstance(it, c.RecordAudit)] == ["declined"]


def test_a_bridge_lost_at_the_consent_keeps_the_result() -> None:
    state, _ = run(consent(), e.BridgeLost("bridge_lost"))
    assert isinstance(state, s.Result)
    assert state.basic_four_code == "bridge_lost"


def test_a_certificate_that_does_not_do_any_more_is_no_result() -> None:
    state, commands = run(consent(), *SECOND[:3], e.StatusChecked("c2", "certificate_revoked", "{}", NOW))
    assert isinstance(state, s.Refused)
    assert state.code == "certificate_revoked"
    assert state.visit.reached is None
    assert [it.code for it in commands if isinstance(it, c.RecordAudit)] == ["certificate_revoked"]


def test_a_page_loaded_anew_hears_nothing_of_it() -> None:
    state, _ = run(asked(), e.PageVerified("page-2"))
    assert isinstance(state, s.ChoosingService)
    assert s.derive_visit(state) == s.Visit("page-2", 1)


def test_the_items_may_be_sent_after_all_while_the_very_card_lies_there() -> None:
    declined, _ = run(consent(), e.Cancelled())
    again, _ = run(declined, e.BasicFourWanted())
    assert isinstance(again, s.Consenting)
    assert again.subject == "basic_four"
    gone = replace(declined, card="another") if isinstance(declined, s.Result) else declined
    for state in (gone, replace(declined, visit=replace(consent().visit, reading=facts.AskedReading("r")))):  # type: ignore[call-arg]
        with pytest.raises(IllegalEvent):
            step(state, e.BasicFourWanted(), NOW)
    guarded, _ = run(asked(), e.BridgeFailed("c2", "text_secret_guarded", None))
    with pytest.raises(IllegalEvent):
        step(guarded, e.BasicFourWanted(), NOW)


@pytest.mark.parametrize("code", ["reading_withdrawn", "reading_expired", "reading_client_revoked"])
def test_a_system_that_takes_its_request_back_ends_the_reading_alone(code: str) -> None:
    event = e.ReadingCancelled("r", code)  # type: ignore[arg-type]
    asking = replace(consent(), visit=replace(consent().visit, reading=facts.AskedReading("r", basic_four=True)))
    for before in (asking, run(asking, *SECOND, READY, PERMITTED)[0]):
        state, _ = run(before, event)
        assert isinstance(state, s.Result)
        assert (state.basic_four, state.basic_four_code) == ("failed", code)
    assert run(asked(), event)[0] == asked()  # of another visit


def test_a_permission_needs_proof_and_status_and_a_reading_under_way() -> None:
    proven = run(consent(), *SECOND[:3], *SECOND[4:])[0]  # the status is still to come
    for state in (proven, run(consent(), *SECOND[:-1])[0], run(s.Connecting(), *FIRST[:-1])[0]):
        challenge = s.derive_challenge(state)
        with pytest.raises(IllegalEvent):
            step(state, replace(PERMITTED, challenge=challenge), NOW)
    with pytest.raises(IllegalEvent):  # a visit that reads no items has nothing to do with the text application
        step(run(s.Connecting(), *FIRST[:-1])[0], replace(READY, challenge="c1"), NOW)


def test_a_second_proof_is_no_second_result() -> None:
    state = reach()
    with pytest.raises(IllegalEvent):
        step(state, replace(CONCLUDED, challenge="c2"), NOW)
    with pytest.raises(IllegalEvent):
        step(state, e.EnrolmentConcluded("c2"), NOW)


def test_nothing_was_sent_without_a_result_and_a_status() -> None:
    state = asked()
    for missing in (
        replace(state, visit=replace(state.visit, reached=None)),
        replace(state, evidence=replace(state.evidence, status=None)),
    ):
        with pytest.raises(IllegalEvent):
            step(missing, SEALED, NOW)


def test_a_secret_with_exactly_two_tries_is_asked_for() -> None:
    state = reach(PERMITTED, e.TextReady("c2", 2, 2))
    assert isinstance(state, s.AwaitingText)
    later = NOW + timedelta(seconds=50)
    for way in ("pin", "code"):
        chosen, _ = step(state, e.TextWayChosen(way), later)  # type: ignore[arg-type]  # both are ways
        assert isinstance(chosen, s.AwaitingText)
        assert (chosen.way, chosen.deadline_at) == (way, later + timedelta(seconds=120))


def test_the_security_code_is_typed_after_the_birth_date_and_expiry_were_picked() -> None:
    picked, _ = run(asked(), e.TextWayChosen("code"))
    typing, _ = run(picked, e.TextWayChosen("security"))
    assert isinstance(typing, s.AwaitingText)
    assert typing.way == "security"
    assert run(typing, e.TextWayChosen("security"))[0] == typing
    with pytest.raises(IllegalEvent):
        run(asked(), e.TextWayChosen("pin"), e.TextWayChosen("security"))


@pytest.mark.parametrize(
    ("end", "code", "again"),
    [
        ("declined", "cancelled", True),
        ("failed", "card_error", True),
        ("failed", "text_secret_wrong", True),
        ("failed", "text_secret_guarded", False),
        ("failed", "receiver_missing", False),
        ("failed", "no such code", True),
        ("sent", "", False),
        ("", "", False),
        ("", "cancelled", False),
    ],
)
def test_what_may_succeed_is_offered_again_and_nothing_is_sent_twice(end: str, code: str, again: bool) -> None:
    declined, _ = run(consent(), e.Cancelled())
    state = replace(declined, basic_four=end, basic_four_code=code)  # type: ignore[call-arg]  # it is a result
    if again:
        assert isinstance(run(state, e.BasicFourWanted())[0], s.Consenting)
    else:
        with pytest.raises(IllegalEvent):
            step(state, e.BasicFourWanted(), NOW)


def test_who_was_tapped_in_reads_the_items_by_pin_and_comes_back_to_the_tap() -> None:
    tapped = replace(consent(), visit=replace(consent().visit, method="kazashi"))
    tapped = replace(tapped, result=replace(tapped.result, visit=tapped.visit))
    state, commands = run(tapped, e.ConsentGiven())
    assert [it.visit.method for it in commands if isinstance(it, c.IssueChallenge)] == ["pin"]
    back, _ = run(state, e.Cancelled())
    assert isinstance(back, s.Result)
    assert back.visit == replace(tapped.visit, orders_issued=back.visit.orders_issued)


@pytest.mark.parametrize("subject", ["kazashi", "basic_four"])
@pytest.mark.parametrize("asked_for", [None, "another", "r"])
def test_a_request_taken_back_ends_only_the_consent_to_its_own_items(subject: str, asked_for: str | None) -> None:
    reading = None if asked_for is None else facts.AskedReading(asked_for, basic_four=True)
    before = replace(consent(), subject=subject, visit=replace(consent().visit, reading=reading))  # type: ignore[arg-type]
    after, commands = run(before, e.ReadingCancelled("r", "reading_withdrawn"))
    if (subject, asked_for) != ("basic_four", "r"):
        assert (after, commands) == (before, [])
        return
    assert isinstance(after, s.Result)
    [audit] = [it for it in commands if isinstance(it, c.RecordAudit)]
    assert (audit.outcome, audit.code, audit.visit.purpose) == ("refused", "reading_withdrawn", "basic_four")


def test_a_bridge_lost_at_the_consent_is_on_record_as_a_reading_of_items() -> None:
    _, commands = run(consent(), e.BridgeLost("bridge_lost"))
    assert [(it.outcome, it.code, it.visit.purpose) for it in commands if isinstance(it, c.RecordAudit)] == [
        ("refused", "bridge_lost", "basic_four")
    ]


def test_items_that_could_not_be_sealed_leave_no_order_since_the_card_is_free() -> None:
    state, _ = run(asked(), SECRET, e.BasicFourRejected("c2", "receiver_missing"))
    assert orders(state) == []


def test_the_result_comes_back_as_it_was_with_what_the_resident_chose_meanwhile() -> None:
    first, _ = run(asked(), e.LanguageChosen("en"), e.BridgeFailed("c2", "text_secret_wrong", 7))
    assert isinstance(first, s.Result)
    assert (first.visit.language, first.card_held, first.tries_left) == ("en", True, 7)
    visit = first.visit
    assert (visit.purpose, visit.method, visit.by_pin, visit.consent) == ("identify", "pin", False, "")
    assert (visit.proven_certificate, visit.reached) == ("", None)
    assert orders(first) == ["cancel"]
    later = NOW + timedelta(seconds=30)
    again, _ = run(first, e.BasicFourWanted(), e.ConsentGiven(), now=later)
    again, _ = run(again, e.ChallengeIssued("c3", "ticket", "x"), replace(SECOND[2], challenge="c3"), now=later)
    assert orders(again) == []
    known = replace(SECOND[3], challenge="c3")
    again, _ = run(again, known, e.Signed("c3", b"", b"", 6, b""), e.ProofAccepted("c3"), now=later)
    again, _ = run(again, e.BasicFourPermitted("c3"), e.TextReady("c3", 2, 10), e.PinSubmitted("c3"), now=later)
    sent, _ = run(again, e.BasicFourSealed("c3", UNTIL), now=later)
    assert isinstance(sent, s.BasicFourSent)
    done, _ = run(sent, e.Finished(), now=later)
    assert isinstance(done, s.Result)
    assert (done.basic_four, done.basic_four_code, done.tries_left, orders(done)) == ("sent", "", None, [])
    assert done.deadline_at == later + timedelta(seconds=60)


def test_a_reader_that_was_lost_leaves_a_result_without_a_card() -> None:
    state, _ = run(asked(), e.CardChanged("missing", "none", ""))
    assert isinstance(state, s.Result)
    assert (state.card_held, state.same_card) == (False, False)


def test_who_went_on_by_pin_stays_so_in_the_result() -> None:
    by_pin = replace(consent(), visit=replace(consent().visit, by_pin=True))
    by_pin = replace(by_pin, result=replace(by_pin.result, visit=by_pin.visit))
    for back in (run(by_pin, e.Cancelled())[0], run(by_pin, e.ConsentGiven(), e.Cancelled())[0]):
        assert isinstance(back, s.Result)
        assert back.visit.by_pin
