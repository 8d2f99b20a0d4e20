"""受付番号 as people copy it from a screen to a desk."""

from __future__ import annotations

import pytest

from kiosk_web.identity.reference import build_reference, read_reference


@pytest.mark.parametrize(
    "typed", ["7KQP-29XA", " 7kqp-29xa ", "7kqp29xa", "7KQP 29XA", "７ＫＱＰ－２９ＸＡ", "7KQPー29XA", "7KQP−29XA"]
)
def test_it_is_read_as_people_type_it(typed: str) -> None:
    assert read_reference(typed) == "7KQP-29XA"


def test_what_is_drawn_is_read_as_itself() -> None:
    drawn = build_reference(bytes(range(8)))
    assert read_reference(drawn) == drawn


@pytest.mark.parametrize("typed", ["", "7KQP-29X", "7KQP-29XAA", "%", "7KQP-29XA;"])
def test_what_is_none_becomes_none(typed: str) -> None:
    assert len(read_reference(typed)) != len("7KQP-29XA")
