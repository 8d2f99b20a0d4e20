"""When a list may stand in for the responder: only by the operator's word, never by the network's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk_web.pki.fallback import (
    JAPAN,
    OUT_OF_REACH,
    DatedWindow,
    FallbackState,
    OpeningRecord,
    Route,
    WeeklyWindow,
    describe_window,
    find_next_opening,
    find_openings,
    is_out_of_reach,
    plan_route,
    read_window,
)
from kiosk_web.pki.status import Evidence, Good, OnHold, Opening, Revoked, Stale, Unavailable, Unknown
from kiosk_web.pki.status_policy import PolicyName, StatusContext, StatusPolicy

NOW = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
"""Monday 03:00 in Japan, Sunday evening in UTC."""

HOUR = timedelta(hours=1)
WINDOW = DatedWindow(NOW - HOUR, NOW + HOUR)
UNASKED = replace(WINDOW, ask_responder=False)
MANAGER = OpeningRecord("manager", NOW - HOUR, NOW + HOUR, reason="notice of the operator", opened_by="Suzuki")
AUTOMATIC = OpeningRecord("automatic", NOW - HOUR, NOW + HOUR)


def state(*opened: DatedWindow | WeeklyWindow | OpeningRecord) -> FallbackState:
    windows = tuple(one for one in opened if isinstance(one, DatedWindow | WeeklyWindow))
    return FallbackState(windows, tuple(one for one in opened if isinstance(one, OpeningRecord)))


def context(name: PolicyName | None = "ocsp-then-crl", **changes: object) -> StatusContext:
    usual = StatusContext(StatusPolicy(name), "pin", "identify", lists_permitted=True)
    return replace(usual, **changes)  # type: ignore[arg-type]  # handed through


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("Sun 01:00-05:00", WeeklyWindow(6, time(1), timedelta(hours=4))),
        ("Sun 01:00–05:00", WeeklyWindow(6, time(1), timedelta(hours=4))),
        (" Mon 22:30-24:00 ", WeeklyWindow(0, time(22, 30), timedelta(hours=1, minutes=30))),
        ("Sat 23:00-02:00 no-ocsp", WeeklyWindow(5, time(23), timedelta(hours=3), False)),
        (
            "2026-12-31T22:00+09:00/2027-01-01T06:00+09:00",
            DatedWindow(datetime(2026, 12, 31, 13, tzinfo=UTC), datetime(2026, 12, 31, 21, tzinfo=UTC)),
        ),
        (
            "2026-12-31T13:00Z/2027-01-01T06:00+09:00 no-ocsp",
            DatedWindow(datetime(2026, 12, 31, 13, tzinfo=UTC), datetime(2026, 12, 31, 21, tzinfo=UTC), False),
        ),
    ],
)
def test_windows_are_written_by_day_or_by_date(text: str, window: DatedWindow | WeeklyWindow) -> None:
    assert read_window(text) == window
    assert read_window(describe_window(window)) == window


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "write Sun 01:00-05:00"),
        ("always", "write Sun 01:00-05:00"),
        ("Sun 1:00-5:00", "write Sun 01:00-05:00"),
        ("Sunday 01:00-05:00", "write Sun 01:00-05:00"),
        ("Sun 01:00-24:01", "a day ends at 24:00"),
        ("Sun 05:00-05:00", "less than a day"),
        ("Sun 00:00-24:00", "less than a day"),
        ("Sun 01:00-05:00 no-ocsp please", "nothing follows"),
        ("2026-12-31T22:00/2027-01-01T06:00+09:00", "needs an offset"),
        ("2026-12-31T22:00+09:00/tomorrow", "no ISO 8601 time"),
        ("2027-01-01T06:00+09:00/2026-12-31T22:00+09:00", "ends after it begins"),
        ("2026-12-31T22:00+09:00/2026-12-31T22:00+09:00", "ends after it begins"),
        ("2026-12-01T00:00+09:00/2026-12-08T00:01+09:00", "at most 7 days"),
    ],
)
def test_a_window_that_means_nothing_is_named(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refusal:
        read_window(text)
    assert repr(text) in str(refusal.value)


@pytest.mark.parametrize(
    ("local", "is_open"),
    [
        ("2026-11-21T22:59:59", False),
        ("2026-11-21T23:00:00", True),
        ("2026-11-22T00:00:00", True),
        ("2026-11-22T01:59:59", True),
        ("2026-11-22T02:00:00", False),
        ("2026-11-28T23:00:00", True),
        ("2026-11-27T23:30:00", False),
    ],
)
def test_a_weekly_window_follows_the_clock_of_japan_past_midnight(local: str, is_open: bool) -> None:
    moment = datetime.fromisoformat(local).replace(tzinfo=JAPAN).astimezone(UTC)
    openings = find_openings(state(read_window("Sat 23:00-02:00")), moment)
    assert bool(openings) is is_open
    if is_open:
        assert openings[0].since <= moment < openings[0].until
        assert (openings[0].cause, openings[0].until - openings[0].since) == ("window", timedelta(hours=3))


@given(
    st.builds(
        WeeklyWindow,
        st.integers(0, 6),
        st.times().map(lambda at: at.replace(second=0, microsecond=0)),
        st.integers(1, 1439).map(lambda minutes: timedelta(minutes=minutes)),
    ),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 zones above
)
def test_a_weekly_window_is_open_for_its_length_every_week(window: WeeklyWindow, moment: datetime) -> None:
    begins = find_next_opening([window], moment)
    assert begins is not None
    assert moment < begins <= moment + timedelta(days=7)
    local = begins.astimezone(JAPAN)
    assert (local.weekday(), local.time()) == (window.weekday, window.start)
    (opening,) = find_openings(state(window), begins + window.length - timedelta(seconds=1))
    assert (opening.since, opening.until) == (begins, begins + window.length)
    assert find_openings(state(window), begins - timedelta(seconds=1)) == ()
    assert find_openings(state(window), begins + window.length) == ()


def test_the_next_opening_is_the_earliest_to_come() -> None:
    later = DatedWindow(NOW + HOUR, NOW + 2 * HOUR)
    assert find_next_opening([later, WINDOW, read_window("Mon 03:30-04:00")], NOW) == NOW + HOUR / 2
    assert find_next_opening([WINDOW], NOW) is None


@pytest.mark.parametrize("cause", ["manager", "automatic"])
def test_a_recorded_opening_holds_until_its_end_or_until_it_is_closed(cause: Literal["manager", "automatic"]) -> None:
    record = OpeningRecord(cause, NOW, NOW + HOUR)
    assert find_openings(state(record), NOW - timedelta(seconds=1)) == ()
    assert find_openings(state(record), NOW) == (Opening(cause, NOW, NOW + HOUR),)
    assert find_openings(state(record), NOW + HOUR) == ()
    closed = replace(record, closed_at=NOW + HOUR / 2)
    assert find_openings(state(closed), NOW + HOUR / 4) != ()
    assert find_openings(state(closed), NOW + HOUR / 2) == ()
    assert replace(record, closed_at=NOW + 2 * HOUR).ends_at == NOW + HOUR


def test_of_several_openings_the_configured_one_is_named() -> None:
    openings = find_openings(state(AUTOMATIC, MANAGER, UNASKED, WINDOW), NOW)
    assert [(one.cause, one.ask_responder) for one in openings] == [
        ("window", True),
        ("window", False),
        ("manager", True),
        ("automatic", True),
    ]


CLOSED = state()
OPEN: dict[str, FallbackState] = {
    "window": state(WINDOW),
    "manager": state(MANAGER),
    "automatic": state(AUTOMATIC),
    "all": state(WINDOW, MANAGER, AUTOMATIC),
}


@pytest.mark.parametrize("opened", OPEN)
def test_an_opening_lets_lists_follow_a_responder_that_is_asked_first(opened: str) -> None:
    cause = "window" if opened == "all" else opened
    route = plan_route(context(), OPEN[opened], NOW)
    assert route == Route(True, True, Opening(cause, NOW - HOUR, NOW + HOUR))  # type: ignore[arg-type]  # a cause


def test_a_window_may_say_that_nobody_is_there_to_ask() -> None:
    route = plan_route(context(), state(UNASKED), NOW)
    assert route == Route(False, True, Opening("window", NOW - HOUR, NOW + HOUR, False))


@pytest.mark.parametrize("opened", [CLOSED, *OPEN.values()])
def test_an_empty_policy_asks_nobody_and_ocsp_asks_the_responder_alone(opened: FallbackState) -> None:
    assert plan_route(StatusContext(), opened, NOW) == Route()
    assert plan_route(context(None), opened, NOW) == Route()
    assert plan_route(context("ocsp"), opened, NOW) == Route(ask_responder=True)


@pytest.mark.parametrize("opened", [CLOSED, *OPEN.values()])
def test_lists_alone_are_no_downgrade_and_need_no_opening(opened: FallbackState) -> None:
    assert plan_route(context("crl"), opened, NOW) == Route(consult_lists=True)
    for changes in ({"purpose": "enrol"}, {"lists_permitted": False}, {"method": "kazashi", "kazashi_in_window": True}):
        assert plan_route(context("crl", **changes), opened, NOW) == Route()


@pytest.mark.parametrize("opened", OPEN)
@pytest.mark.parametrize("purpose", ["enrol", "relink", ""])
def test_what_is_kept_for_later_visits_never_rests_on_a_fallback(opened: str, purpose: str) -> None:
    for method in ("pin", "kazashi"):
        route = plan_route(context(purpose=purpose, method=method, kazashi_in_window=True), OPEN[opened], NOW)
        assert route == Route(ask_responder=True)


@pytest.mark.parametrize("opened", OPEN)
def test_a_person_for_whom_no_list_may_speak_needs_the_responder(opened: str) -> None:
    assert plan_route(context(lists_permitted=False), OPEN[opened], NOW) == Route(ask_responder=True)


@pytest.mark.parametrize("opened", OPEN)
@pytest.mark.parametrize("allowed", [True, False])
def test_kazashi_goes_on_only_in_a_window_and_only_where_the_service_says_so(opened: str, allowed: bool) -> None:
    route = plan_route(context(method="kazashi", kazashi_in_window=allowed), OPEN[opened], NOW)
    assert route.consult_lists is (allowed and opened in ("window", "all"))
    assert route.opening is None or route.opening.cause == "window"


EVIDENCE = Evidence("ocsp", None, None, None, "", b"", NOW)


def test_only_an_answer_that_never_came_is_out_of_reach() -> None:
    assert {why for why in OUT_OF_REACH if is_out_of_reach(Unavailable(why, EVIDENCE))} == OUT_OF_REACH
    answered = ["http_status", "responder_try_later", "responder_unauthorized", "malformed", "nonce_missing"]
    answered += ["nonce_wrong", "signature_invalid", "content_type", "redirect", "too_large", "delegate_not_valid_now"]
    ours = ["address", "no_responder", "no_answer", "clock_unreliable", "no_policy"]
    assert not any(is_out_of_reach(Unavailable(why, EVIDENCE)) for why in [*answered, *ours])
    signed = [Good(EVIDENCE), Revoked(NOW, None, EVIDENCE), OnHold(NOW, EVIDENCE), Unknown(EVIDENCE)]
    assert not any(is_out_of_reach(status) for status in [*signed, Stale("too_old", EVIDENCE)])
    assert not is_out_of_reach(Unavailable("timeout", replace(EVIDENCE, method="crl")))
