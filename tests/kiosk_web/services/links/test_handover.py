"""What a masked number shows."""

from __future__ import annotations

import pytest

from kiosk_web.services.links.handover import mask_number


@pytest.mark.parametrize(
    ("number", "shown"),
    [("2026041823", "••••••••23"), ("12345", "•••45"), ("1234", "••••"), ("7", "•"), ("", "")],
)
def test_the_last_two_signs_and_of_a_short_number_none(number: str, shown: str) -> None:
    assert mask_number(number) == shown
