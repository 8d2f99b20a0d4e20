"""The circuit breaker: closed, open, half open, and exactly one probe."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk_web.pki.circuit import Admission, Circuit, CircuitPolicy, Closed, HalfOpen, Open, Outcome, admit, note
from tests.support.jpki import NOW

POLICY = CircuitPolicy(failures=3, pause=timedelta(seconds=15))
SECOND = timedelta(seconds=1)


def fail(circuit: Circuit, times: int) -> Circuit:
    for _ in range(times):
        circuit = note(circuit, POLICY, NOW, "ask", "failed")
    return circuit


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    assert fail(Closed(), 2) == Closed(2)
    assert fail(Closed(), 3) == Open(NOW)
    assert admit(Closed(2), POLICY, NOW) == (Closed(2), "ask")


def test_an_answer_between_failures_starts_the_count_anew() -> None:
    assert note(fail(Closed(), 2), POLICY, NOW, "ask", "answered") == Closed(0)
    assert fail(note(fail(Closed(), 2), POLICY, NOW, "ask", "answered"), 2) == Closed(2)


def test_a_question_that_was_given_up_says_nothing() -> None:
    assert note(Closed(2), POLICY, NOW, "ask", "withdrawn") == Closed(2)


def test_an_open_circuit_refuses_until_its_pause_is_over() -> None:
    for moment in (NOW, NOW + 14 * SECOND, NOW + timedelta(seconds=14, microseconds=999_999)):
        assert admit(Open(NOW), POLICY, moment) == (Open(NOW), "refuse")
    assert admit(Open(NOW), POLICY, NOW + 15 * SECOND) == (HalfOpen(), "probe")


def test_a_clock_that_was_set_back_does_not_make_a_pause_longer() -> None:
    assert admit(Open(NOW), POLICY, NOW - SECOND) == (HalfOpen(), "probe")


def test_while_one_probe_is_under_way_everybody_else_is_refused() -> None:
    assert admit(HalfOpen(), POLICY, NOW) == (HalfOpen(), "refuse")
    assert admit(HalfOpen(), POLICY, NOW + timedelta(days=1)) == (HalfOpen(), "refuse")


def test_a_probe_closes_the_circuit_or_opens_it_again() -> None:
    assert note(HalfOpen(), POLICY, NOW, "probe", "answered") == Closed()
    assert note(HalfOpen(), POLICY, NOW, "probe", "failed") == Open(NOW)


def test_after_a_probe_that_was_given_up_the_next_question_is_one() -> None:
    circuit = note(HalfOpen(), POLICY, NOW, "probe", "withdrawn")
    assert admit(circuit, POLICY, NOW) == (HalfOpen(), "probe")


def test_questions_that_began_before_it_opened_do_not_keep_it_open_but_an_answer_to_one_closes_it() -> None:
    assert note(Open(NOW), POLICY, NOW + SECOND, "ask", "failed") == Open(NOW)
    assert note(HalfOpen(), POLICY, NOW, "ask", "failed") == HalfOpen()
    assert note(Open(NOW), POLICY, NOW + SECOND, "ask", "answered") == Closed()
    assert note(HalfOpen(), POLICY, NOW, "ask", "answered") == Closed()
    assert note(Closed(), POLICY, NOW, "probe", "failed") == Closed(1)


steps = st.lists(
    st.one_of(
        st.just("ask"),
        st.tuples(st.integers(0, 5), st.sampled_from(["answered", "failed", "withdrawn"])),
        st.integers(1, 20),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(steps)
def test_whatever_happens_there_is_one_probe_at_most_and_it_never_stays_shut(
    events: list[str | int | tuple[int, Outcome]],
) -> None:
    circuit: Circuit = Closed()
    now = NOW
    asking: list[Admission] = []
    for event in events:
        if event == "ask":
            circuit, admission = admit(circuit, POLICY, now)
            if admission != "refuse":
                asking.append(admission)
        elif isinstance(event, int):
            now += event * SECOND
        elif asking:
            index, outcome = event
            circuit = note(circuit, POLICY, now, asking.pop(int(index) % len(asking)), outcome)  # type: ignore[arg-type]
        assert isinstance(circuit, HalfOpen) <= ("probe" in asking)
        assert asking.count("probe") <= 1 or not isinstance(circuit, HalfOpen)
    while asking:
        circuit = note(circuit, POLICY, now, asking.pop(), "failed")
    _, admission = admit(circuit, POLICY, now + POLICY.pause)
    assert admission in ("ask", "probe")
