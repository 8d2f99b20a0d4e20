"""What a system hears of a reading that came to no verdict."""

from __future__ import annotations

import pytest

from kiosk_web.identity.readings import name_reading_end
from kiosk_web.session.codes import CODES

HEARD = {
    "cancelled": "declined",
    "last_try_declined": "declined",
    "session_timeout": "expired",
    "pin_timeout": "expired",
    "reading_expired": "expired",
    "reading_withdrawn": "cancelled",
}


@pytest.mark.parametrize("code", CODES)
def test_whatever_else_it_was_is_the_residents_own_matter(code: str) -> None:
    assert name_reading_end(code) == HEARD.get(code, "failed")
