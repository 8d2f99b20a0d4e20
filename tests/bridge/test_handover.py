"""The hand-over within a page connection: one ticket, one card, one end."""

from __future__ import annotations

import pytest

from bridge.effects import EndOutput, StartOutput
from bridge.messages import BadState, HandedOver, Reader
from bridge.output.order import OutputEnd
from bridge.states import State
from bridge.strict_json import encode_base64url
from tests.bridge.page_driver import AUTHORITY, CARD, Driver, sent


def test_an_output_ticket_starts_one_hand_over_and_its_end_is_told() -> None:
    driver = Driver().reach(State.IDLE)
    (start,) = driver.hand_over("0123AZ")
    assert isinstance(start, StartOutput)
    assert (start.output.number, start.output.kind, start.output.card) == ("0123AZ", "serial", CARD)
    assert "0123AZ" not in repr(start)
    assert sent(driver.hand_over("0124")) == [BadState(driver.seq, "handing_over")]
    ended = driver.machine.report(OutputEnd(start.output.jti, "", 7), driver.now)
    assert sent(ended) == [HandedOver(start.output.jti, "", 7)]
    assert driver.machine.state is State.IDLE


@pytest.mark.parametrize(
    ("reader", "code"),
    [
        (Reader("ready", "none", ""), "card_removed"),
        (Reader("ready", "ours", encode_base64url(b"d" * 16)), "card_swapped"),
        (Reader("missing", "none", ""), "card_removed"),
    ],
)
def test_without_its_card_nothing_is_handed_over(reader: Reader, code: str) -> None:
    driver = Driver(reader).reach(State.IDLE)
    (answer,) = sent(driver.hand_over())
    assert isinstance(answer, HandedOver)
    assert (answer.code, answer.sent) == (code, 0)
    assert driver.machine.state is State.IDLE


def test_a_card_that_goes_ends_the_hand_over() -> None:
    driver = Driver().reach(State.HANDING_OVER)
    (end,) = [it for it in driver.machine.show_reader(Reader("ready", "none", "")) if isinstance(it, EndOutput)]
    assert (end.output, end.error.code) == (driver.output, "card_removed")


@pytest.mark.parametrize("how", ["cancel", "bye"])
def test_the_page_can_end_the_hand_over(how: str) -> None:
    driver = Driver().reach(State.HANDING_OVER)
    output = driver.output
    ends = [effect for effect in driver.say(how) if isinstance(effect, EndOutput)]
    assert [end.output for end in ends] == [output]


@pytest.mark.parametrize("later", [5.1, 60.0])
def test_an_output_ticket_lives_five_seconds(later: float) -> None:
    driver = Driver().reach(State.IDLE)
    driver.now += later
    (answer,) = sent(driver.hand_over())
    assert answer == HandedOver("", "ticket_refused", 0)


def test_an_output_ticket_is_used_once() -> None:
    driver = Driver().reach(State.IDLE)
    ticket = AUTHORITY.output(CARD, "0123")
    driver.say("hand_over", ticket=ticket)
    driver.machine.report(OutputEnd(driver.output, "output_window_missing", 0), driver.now)
    assert sent(driver.say("hand_over", ticket=ticket)) == [HandedOver("", "ticket_refused", 0)]
