"""The requests of a client: so many a minute, and its own alone."""

from __future__ import annotations

from datetime import timedelta

from kiosk_web.services.api.rate_limit import RateLimits
from tests.support.jpki import NOW


def test_a_minutes_requests_may_come_at_once_and_then_one_by_one() -> None:
    limits = RateLimits()
    assert [limits.take("portal", 6, NOW) for _ in range(7)] == [0, 0, 0, 0, 0, 0, 10]
    assert limits.take("portal", 6, NOW + timedelta(seconds=9)) == 1
    assert limits.take("portal", 6, NOW + timedelta(seconds=10)) == 0
    assert limits.take("portal", 6, NOW + timedelta(seconds=10)) == 10


def test_a_client_does_not_use_up_anothers() -> None:
    limits = RateLimits()
    assert limits.take("portal", 1, NOW) == 0
    assert limits.take("portal", 1, NOW) == 60
    assert limits.take("other", 1, NOW) == 0


def test_a_clock_that_goes_back_gives_nothing_and_takes_nothing() -> None:
    limits = RateLimits()
    assert limits.take("portal", 1, NOW) == 0
    assert limits.take("portal", 1, NOW - timedelta(hours=1)) == 60
    assert limits.take("portal", 1, NOW + timedelta(hours=1)) == 0
    assert limits.take("portal", 1, NOW + timedelta(hours=1)) == 60
