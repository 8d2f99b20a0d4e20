"""The life of a MyKey ID."""

from __future__ import annotations

from itertools import product
from typing import get_args

from kiosk_web.identity.mykey import MyKeyState, MyKeyStep, derive_state


def test_a_superseded_id_stays_that_and_each_step_has_its_states() -> None:
    steps = {
        (state, step): after
        for state, step in product(get_args(MyKeyState), get_args(MyKeyStep))
        if (after := derive_state(state, step)) is not None
    }
    assert steps == {
        ("issued", "stop"): "stopped",
        ("stopped", "resume"): "issued",
        ("issued", "supersede"): "superseded",
        ("stopped", "supersede"): "superseded",
    }
