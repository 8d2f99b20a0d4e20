"""A visit before and after its card is in use: who is still there, what is kept, what is forgotten."""

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
from kiosk_web.session.table import TABLE
from tests.kiosk_web.session.visit_steps import (
    CONCLUDED,
    GONE,
    GOOD,
    HERE,
    HERE_EVENT,
    LATER,
    NOW,
    OTHER,
    SIGNED,
    hold,
    run,
    start,
)

SOON = NOW + timedelta(seconds=10)
AGAIN = e.PageVerified("newer", again=True)


def result() -> s.Result:
    state = run(hold(GOOD, e.PinSubmitted("c1")), SIGNED, e.ProofAccepted("c1"), CONCLUDED)[0]
    assert isinstance(state, s.Result)
    return state


def sent() -> s.BasicFourSent:
    shown = result()
    return s.BasicFourSent(shown.visit, shown, NOW + timedelta(seconds=60), NOW + timedelta(seconds=600), True)


def refused() -> s.Refused:
    state = hold(e.Cancelled())
    assert isinstance(state, s.Refused)
    return state


def visit_of(state: s.State) -> s.Visit:
    visit = s.derive_visit(state)
    assert visit is not None
    return visit


# --- who is still there -----------------------------------------------------------------------------------------------

OF_THE_RESIDENT = {
    "choosing_service", "staff_sign_in", "awaiting_card", "awaiting_pin", "confirming_last_pin", "awaiting_birth",
    "awaiting_text", "agreeing", "consenting", "entering_number", "confirming_link",
}  # fmt: skip
AT_THE_END = {"result", "basic_four_sent", "kazashi_set", "refused"}


@pytest.mark.parametrize("state", build_examples(NOW), ids=lambda state: state.name)
@pytest.mark.parametrize("event", [e.Extended(), e.HelpCalled(), e.LanguageChosen("en"), e.TextSizeChosen("large")])
def test_a_touch_gives_the_resident_time_and_the_machine_none(state: s.State, event: e.Event) -> None:
    if type(event) not in TABLE[type(state)].legal:
        return
    after, commands = step(state, event, SOON)
    assert commands == ()
    if state.name in OF_THE_RESIDENT:
        assert after.deadline_at == SOON + timedelta(seconds=120)
    elif state.name in AT_THE_END:
        assert after.deadline_at == SOON + timedelta(seconds=60)
    else:
        assert after.deadline_at == state.deadline_at
    before, visit = visit_of(state), visit_of(after)
    assert visit.help_called == (isinstance(event, e.HelpCalled) or before.help_called)
    assert visit.language == ("en" if isinstance(event, e.LanguageChosen) else before.language)
    assert visit.text_size == ("large" if isinstance(event, e.TextSizeChosen) else before.text_size)


@pytest.mark.parametrize("state", build_examples(NOW), ids=lambda state: state.name)
def test_nothing_happens_at_a_revoked_terminal_any_more(state: s.State) -> None:
    if state.name == "superseded":
        return
    after, commands = step(state, e.TerminalRevoked(), NOW)
    assert (after, commands) == (s.OutOfService("terminal_revoked"), ())


# --- before the card --------------------------------------------------------------------------------------------------


def test_a_visit_begins_with_the_first_choice_and_not_with_the_second() -> None:
    state, _ = step(start(), e.ServiceChosen("library"), NOW)
    state, _ = step(state, e.ServiceChosen("facility"), SOON)
    assert isinstance(state, s.AwaitingCard)
    assert (state.visit.service, state.visit.started_at) == ("facility", NOW)
    assert state.deadline_at == SOON + timedelta(seconds=120)


@pytest.mark.parametrize("card", ["none", "unknown", "mute"])
def test_only_a_my_number_card_is_asked(card: facts.CardCondition) -> None:
    chosen, _ = run(start(), e.ServiceChosen("library"))
    state, commands = step(chosen, e.CardChanged("ready", card, "x"), SOON)
    assert isinstance(state, s.AwaitingCard)
    assert (commands, state.deadline_at) == ((), chosen.deadline_at)
    assert state.visit.presence == facts.Presence("ready", card, "x")
    first, _ = run(start(), e.CardChanged("ready", card, "x"))
    assert isinstance(first, s.ChoosingService)
    assert (first.deadline_at, first.visit.presence) == (None, facts.Presence("ready", card, "x"))
    waiting, commands = step(first, e.ServiceChosen("library"), NOW)
    assert isinstance(waiting, s.AwaitingCard)
    assert commands == ()


def test_a_card_that_is_asked_for_its_certificate_has_half_a_minute() -> None:
    for order in ((e.ServiceChosen("library"), HERE_EVENT), (HERE_EVENT, e.ServiceChosen("library"))):
        state, commands = run(start(), *order)
        assert isinstance(state, s.ReadingCard)
        assert commands == [c.IssueChallenge(state.visit)]
        assert (state.deadline_at, state.visit.presence) == (NOW + timedelta(seconds=30), HERE)
        late, _ = step(state, e.DeadlinePassed(), NOW + timedelta(seconds=30))
        assert isinstance(late, s.Refused)
        assert late.code == "session_timeout"


def test_going_back_forgets_the_choice_and_keeps_the_card() -> None:
    state, commands = run(start(), e.LanguageChosen("en"), e.ServiceChosen("library"), e.Cancelled())
    assert state == s.ChoosingService(s.Visit("page", 2, facts.Presence()))
    assert commands == []
    laid, _ = run(start(), HERE_EVENT, e.Cancelled())
    assert laid == s.ChoosingService(s.Visit("page", 2, HERE), NOW + timedelta(seconds=120))


def test_who_leaves_before_a_card_lay_there_is_on_record() -> None:
    chosen, _ = run(start(), e.ServiceChosen("library"))
    state, commands = step(chosen, e.DeadlinePassed(), LATER)
    assert state == s.ChoosingService(s.Visit("page", 2, facts.Presence()))
    assert commands == (c.RecordAudit(visit_of(chosen), "abandoned", "session_timeout", None),)


@pytest.mark.parametrize(("card", "state"), [("none", s.ChoosingService), ("unknown", s.TakingCard)])
def test_whatever_was_left_on_the_reader_must_be_taken_first(card: facts.CardCondition, state: type) -> None:
    touched, _ = run(start(), e.CardChanged("ready", card, ""), e.LanguageChosen("en"))
    after, _ = step(touched, e.DeadlinePassed(), LATER)
    assert isinstance(after, state)
    assert (visit_of(after).language, after.deadline_at) == ("ja", None)


# --- pages and bridges ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cause", "code"),
    [("bridge_untrusted", "bridge_untrusted"), ("card_removed", "bridge_lost"), ("certificate_revoked", "bridge_lost")],
)
def test_what_a_page_says_of_its_bridge_is_about_the_terminal_alone(cause: str, code: str) -> None:
    idle, _ = run(start(), e.BridgeLost(cause))
    assert idle == s.OutOfService(code, visit_of(start()))
    busy, _ = run(hold(), e.BridgeLost(cause))
    assert isinstance(busy, s.Refused)
    assert (busy.code, busy.orders) == (code, ())  # there is no bridge to be told


def test_a_page_that_found_its_bridge_again_is_told_why_the_visit_ended() -> None:
    state, _ = run(hold(), AGAIN)
    assert isinstance(state, s.Refused)
    assert (state.code, state.visit.page, state.orders) == ("bridge_lost", "newer", ())


@pytest.mark.parametrize("state", [result(), sent(), refused()], ids=lambda state: state.name)
def test_what_a_visit_led_to_stays_on_its_own_page_and_on_no_other(state: s.State) -> None:
    kept, commands = run(state, AGAIN)
    assert type(kept) is type(state)
    assert (visit_of(kept).page, visit_of(kept).presence, commands) == ("newer", replace(HERE, instance=""), [])
    assert s.derive_orders(kept) == ()  # the old socket is gone
    assert run(state, e.PageVerified("other"))[0] == s.ChoosingService(s.Visit("other", 1))


@pytest.mark.parametrize("state", [result(), sent()], ids=lambda state: state.name)
def test_across_a_lost_bridge_a_result_knows_its_card(state: s.State) -> None:
    kept, _ = run(state, AGAIN)
    same, _ = run(kept, HERE_EVENT)
    assert type(same) is type(state)
    assert visit_of(same).presence == HERE
    other, _ = run(kept, OTHER)
    assert other == s.ChoosingService(s.Visit("newer", 2, facts.Presence("ready", "ours", "card-2")), other.deadline_at)
    assert isinstance(run(same, OTHER)[0], s.ChoosingService)


def test_what_has_no_card_of_its_own_stays_across_a_lost_bridge_whatever_lies_there() -> None:
    kept, _ = run(refused(), AGAIN)
    assert isinstance(run(kept, OTHER)[0], s.Refused)
    registered = s.KazashiSet(result().visit, NOW + timedelta(seconds=60), True, True)
    kept, _ = run(registered, AGAIN)
    assert isinstance(run(kept, OTHER)[0], s.KazashiSet)


# --- the end of a visit -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", ["missing", "service_down"])
def test_a_reader_that_fails_leaves_the_reason_of_a_refusal_to_be_read(reader: facts.ReaderCondition) -> None:
    stopped, _ = run(hold(), e.BridgeFailed("c1", "service_down", None))
    state, commands = run(stopped, e.CardChanged(reader, "none", ""))
    assert isinstance(state, s.Refused)
    assert (state.code, state.visit.presence, commands) == ("service_down", facts.Presence(reader, "none", ""), [])
    assert isinstance(run(state, HERE_EVENT)[0], s.Refused)
    assert isinstance(run(state, e.Finished())[0], s.ChoosingService)  # nobody is asked for a card that is not seen


@pytest.mark.parametrize("state", [result(), sent()], ids=lambda state: state.name)
@pytest.mark.parametrize("known", [True, False], ids=["named card", "nameless card"])
def test_a_result_goes_with_its_card_whatever_the_reader_says_of_itself(state: s.State, known: bool) -> None:
    before = state if known else run(state, AGAIN)[0]
    for event in (GONE, e.CardChanged("missing", "none", "")):
        assert isinstance(run(before, event)[0], s.ChoosingService)


def test_another_card_where_none_was_held_changes_nothing() -> None:
    gone = replace(result(), card_held=False, visit=replace(result().visit, presence=facts.Presence()))
    state, _ = run(gone, OTHER)
    assert isinstance(state, s.Result)
    assert isinstance(run(result(), OTHER)[0], s.ChoosingService)


def test_a_finished_visit_keeps_its_language_alone_until_the_card_is_taken() -> None:
    shown, _ = run(result(), e.LanguageChosen("en"), e.TextSizeChosen("extra"), e.HelpCalled())
    state, commands = run(shown, e.Finished())
    assert state == s.TakingCard(s.Visit("page", 2, HERE, language="en"))
    assert commands == []
    gone = replace(shown, visit=replace(visit_of(shown), presence=facts.Presence()))  # type: ignore[call-arg]  # a result
    assert run(gone, e.Finished())[0] == s.ChoosingService(s.Visit("page", 2))
    lost = replace(shown, card_held=False)  # type: ignore[call-arg]  # a result
    assert isinstance(run(lost, e.Finished())[0], s.ChoosingService)


def test_a_card_that_waits_to_be_taken_is_the_one_that_is_waited_for() -> None:
    taking, _ = run(result(), e.Finished())
    assert run(taking, HERE_EVENT)[0] == taking
    assert run(taking, OTHER)[0] == s.ChoosingService(
        s.Visit("page", 3, facts.Presence("ready", "ours", "card-2")), NOW + timedelta(seconds=120)
    )
    assert run(taking, GONE)[0] == s.ChoosingService(s.Visit("page", 3))
    nameless, _ = run(taking, AGAIN)
    assert isinstance(run(nameless, HERE_EVENT)[0], s.TakingCard)
    assert isinstance(run(nameless, OTHER)[0], s.TakingCard)


# --- a refusal after a result -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["certificate_changed", "card_removed", "card_swapped", "card_reset"])
def test_a_refusal_about_another_card_leaves_nothing_of_the_result(code: str) -> None:
    shown = result()
    visit = replace(shown.visit, purpose="basic_four", reached=shown)
    reading = s.ReadingCard(visit, LATER, "c2")
    state, _ = step(reading, e.BridgeFailed("c2", code, None), NOW)
    assert isinstance(state, s.Refused)
    assert state.visit.reached is None


def test_a_refusal_has_a_minute_and_says_whether_a_card_is_still_there() -> None:
    state = refused()
    assert (state.deadline_at, state.card_held) == (NOW + timedelta(seconds=60), True)
    assert [(order.name, order.id) for order in state.orders] == [("cancel", "page.1.2")]


# --- staff ------------------------------------------------------------------------------------------------------------


def test_staff_sign_in_with_a_code_that_no_state_keeps() -> None:
    asked, _ = run(start(), e.StaffAsked())
    assert isinstance(asked, s.StaffSigningIn)
    assert asked.deadline_at == NOW + timedelta(seconds=120)
    state, commands = run(asked, e.StaffIdentified("1001", "123456"))
    assert (state, commands) == (asked, [c.OpenLease("page", "1001", "123456")])
    refusal, _ = step(state, e.LeaseRefused("staff_code_limit"), SOON)
    assert refusal == replace(asked, refused="staff_code_limit", deadline_at=SOON + timedelta(seconds=120))
    assert run(refusal, e.LeaseOpened())[0] == s.ChoosingService(s.Visit("page", 2))


@pytest.mark.parametrize("event", [e.Cancelled(), e.DeadlinePassed()])
def test_who_does_not_sign_in_leaves_the_first_screen(event: e.Event) -> None:
    asked, _ = run(start(), HERE_EVENT, e.StaffAsked())
    state, commands = run(asked, event, now=LATER)
    assert state == s.ChoosingService(s.Visit("page", 2, HERE), LATER + timedelta(seconds=120))
    assert commands == []


def test_a_card_that_is_laid_while_staff_sign_in_is_there_afterwards_and_is_not_read() -> None:
    asked, _ = run(start(), e.StaffAsked())
    laid, commands = run(asked, HERE_EVENT)
    assert (laid, commands) == (replace(asked, visit=replace(visit_of(asked), presence=HERE)), [])  # type: ignore[call-arg]
    assert visit_of(run(laid, e.LeaseOpened())[0]).presence == HERE


def test_signing_out_is_for_the_first_screen() -> None:
    assert run(start(), e.StaffSignedOut()) == (start(), [c.CloseLease()])
    with pytest.raises(IllegalEvent):
        run(hold(), e.StaffSignedOut())


def test_a_reader_that_says_the_same_again_begins_no_visit_anew() -> None:
    extended, _ = step(start(), e.Extended(), SOON)
    empty, _ = run(extended, GONE)
    assert (visit_of(empty).number, empty.deadline_at) == (1, extended.deadline_at)
    laid, _ = run(start(), HERE_EVENT)
    swapped, _ = step(laid, OTHER, SOON)
    assert visit_of(swapped) == s.Visit("page", 1, facts.Presence("ready", "ours", "card-2"))


def test_a_refusal_goes_with_its_card_and_with_another_one_that_comes_instead() -> None:
    for event in (GONE, OTHER, e.CardChanged("busy", "unknown", "card-2")):
        assert isinstance(run(refused(), event)[0], s.ChoosingService)
    nameless, _ = run(refused(), AGAIN)
    assert isinstance(run(nameless, GONE)[0], s.ChoosingService)


def test_a_nameless_card_that_waits_to_be_taken_gets_its_name_back() -> None:
    taking, _ = run(result(), e.Finished(), AGAIN, HERE_EVENT)
    assert isinstance(taking, s.TakingCard)
    assert visit_of(taking).presence == HERE
    assert isinstance(run(taking, OTHER)[0], s.ChoosingService)
