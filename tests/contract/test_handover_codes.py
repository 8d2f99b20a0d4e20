"""Every way in which the bridge ends a hand-over has a number on the screen."""

from __future__ import annotations

import pytest

from bridge.output import errors
from kiosk_web.session.codes import CODES, HANDOVER_CODES, Code

FAILURES = {failure.code: failure for failure in errors.OutputError.__subclasses__()}


def test_the_bridge_and_the_screen_know_the_same_failures() -> None:
    assert FAILURES.keys() == HANDOVER_CODES.keys()
    assert not HANDOVER_CODES.keys() & CODES.keys()  # none of them ends a visit


@pytest.mark.parametrize("code", HANDOVER_CODES.values(), ids=lambda code: code.name)
def test_both_say_whether_sending_again_makes_sense(code: Code) -> None:
    assert code.retriable == FAILURES[code.name].retriable


def test_numbers_are_given_once() -> None:
    numbers = [code.number for code in (*CODES.values(), *HANDOVER_CODES.values())]
    assert len(set(numbers)) == len(numbers)
