"""The limiter of the gate. Its other steps are tested through the socket in `test_server.py`."""

from __future__ import annotations

from bridge.gate import BURST, MAXIMUM_SOCKETS, RATE_PER_SECOND, RateLimiter, Refusal, judge_load


def test_a_burst_is_let_through_and_then_the_rate_holds() -> None:
    limiter = RateLimiter(0.0)
    assert [limiter.take(0.0) for _ in range(int(BURST) + 1)] == [True] * int(BURST) + [False]
    assert limiter.take(1 / RATE_PER_SECOND)
    assert not limiter.take(1 / RATE_PER_SECOND)


def test_a_long_quiet_time_saves_up_no_more_than_a_burst() -> None:
    limiter = RateLimiter(0.0)
    assert sum(limiter.take(1e6) for _ in range(1000)) == int(BURST)


def test_sockets_come_before_the_rate() -> None:
    assert judge_load(sockets=MAXIMUM_SOCKETS, within_rate=False) == Refusal(503, "sockets")
    assert judge_load(sockets=0, within_rate=False) == Refusal(503, "rate")
    assert judge_load(sockets=MAXIMUM_SOCKETS - 1, within_rate=True) is None
