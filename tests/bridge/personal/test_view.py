"""The lines between bridge and window."""

from __future__ import annotations

import pytest

from bridge.personal.view import (
    Agreed,
    Declined,
    LastTryConfirmed,
    PinTyped,
    View,
    WindowAction,
    WindowGone,
    build_action_line,
    build_view_line,
    parse_action_line,
    parse_view_line,
)
from bridge.strict_json import NotStrict


def test_a_view_comes_back_as_it_went() -> None:
    view = View("last_try", "https://www.city.mihon.example", "s", "code", 1, 4, 16, wrong=True)
    assert parse_view_line(build_view_line(view)) == view


@pytest.mark.parametrize("action", [Agreed(), LastTryConfirmed(), Declined(), PinTyped(bytearray(b"1234"))])
def test_an_action_comes_back_as_it_went(action: WindowAction) -> None:
    assert parse_action_line(build_action_line(action)) == action


def test_a_pin_shows_in_no_text() -> None:
    assert "1234" not in repr(PinTyped(bytearray(b"1234")))


@pytest.mark.parametrize(
    "line",
    ["", "{}", "[]", '{"act":"sign"}', '{"act":"pin"}', '{"act":"pin","pin":"１２３４"}', '{"act":"agree","x":1}'],
)
def test_anything_else_is_no_action(line: str) -> None:
    with pytest.raises(NotStrict):
        parse_action_line(line)


@pytest.mark.parametrize(
    "line",
    [
        '{"act":"pin","pin":1234}',
        '{"act":"pin","pin":"1234","x":1}',
        '{"act":"confirm","x":1}',
        '{"act":"decline","x":1}',
        '{"act":"agree","act":"pin"}',
        '{"act":"pin","pin":"' + "1" * 2048 + '"}',
    ],
)
def test_an_action_has_its_own_fields_and_no_others(line: str) -> None:
    with pytest.raises(NotStrict) as refusal:
        parse_action_line(line)
    assert "1234" not in str(refusal.value)


def test_a_window_does_not_say_of_itself_that_it_is_gone() -> None:
    with pytest.raises(ValueError, match="not an action"):
        build_action_line(WindowGone(opened=True))
