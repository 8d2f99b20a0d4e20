"""A state as text for the database, and back."""

from __future__ import annotations

import pytest

from kiosk_web.session import states as s
from kiosk_web.session.diagram import build_examples
from kiosk_web.session.state_codec import StateCodec
from tests.kiosk_web.session.visit_steps import NOW


@pytest.mark.parametrize("state", build_examples(NOW), ids=lambda state: state.name)
def test_a_state_survives_the_database(state: s.State) -> None:
    assert StateCodec.decode(StateCodec.encode(state)) == state


def test_a_state_that_does_not_read_back_is_an_error() -> None:
    with pytest.raises(ValueError):
        StateCodec.decode('{"name": "result"}')


def test_a_state_of_another_version_is_a_lost_visit_and_no_error() -> None:
    state = build_examples(NOW)[-1]
    assert StateCodec.restore(StateCodec.encode(state)) == state
    for text in ("", "{", '{"name": "result"}', '{"name": "no_such_state"}'):
        assert StateCodec.restore(text) == s.Connecting()
