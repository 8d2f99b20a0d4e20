"""Birthdays, the end of a Japanese day, and the years of the generations."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk_web.simulator.lifetimes import (
    JST,
    birthday_in,
    derive_generations,
    era_birth,
    era_digits,
    fifth_birthday_after,
    issue_time_for_expiry,
    judge_lifetime,
    last_birthday_before,
    next_birthday_after,
)

BIRTHS = st.dates(date(1926, 1, 1), date(2024, 12, 31))
DAYS = st.dates(date(2025, 1, 1), date(2060, 12, 31))
MOMENTS = st.dates(date(2025, 1, 1), date(2060, 12, 31)).map(
    lambda day: datetime(day.year, day.month, day.day, 20, 15, tzinfo=UTC)
)


@given(BIRTHS, DAYS)
def test_a_certificate_lives_through_four_birthdays_and_ends_on_the_fifth(birth: date, issued: date) -> None:
    last = fifth_birthday_after(birth, issued)
    birthdays = [birthday_in(birth, year) for year in range(issued.year, last.year + 1)]
    assert len([day for day in birthdays if issued < day <= last]) == 5
    assert last in birthdays


@given(BIRTHS, DAYS)
def test_the_last_and_the_next_birthday_enclose_a_day(birth: date, day: date) -> None:
    assert last_birthday_before(birth, day) < day < next_birthday_after(birth, day)


def test_a_birthday_on_the_day_of_issue_does_not_count() -> None:
    assert fifth_birthday_after(date(1990, 4, 1), date(2026, 4, 1)) == date(2031, 4, 1)
    assert fifth_birthday_after(date(1990, 4, 1), date(2026, 3, 31)) == date(2030, 4, 1)


def test_one_born_on_29_february_has_a_birthday_every_year() -> None:
    assert fifth_birthday_after(date(2000, 2, 29), date(2026, 1, 5)) == date(2030, 2, 28)
    assert fifth_birthday_after(date(2000, 2, 29), date(2023, 6, 5)) == date(2028, 2, 29)


def test_a_certificate_ends_at_the_end_of_the_day_in_japan() -> None:
    lifetime = judge_lifetime(date(1990, 4, 1), datetime(2026, 11, 23, 3, 4, 5, 678, tzinfo=UTC))
    assert lifetime.not_after == datetime(2031, 4, 1, 23, 59, 59, tzinfo=JST)
    assert lifetime.not_after.astimezone(UTC).timetuple()[3:6] == (14, 59, 59)
    assert lifetime.not_before.microsecond == 0


def test_the_day_of_issue_is_the_day_in_japan() -> None:
    # 16:00 UTC on 31 March is 1 April in Japan: the birthday itself, which does not count.
    assert judge_lifetime(date(1990, 4, 1), datetime(2026, 3, 31, 16, tzinfo=UTC)).not_after.year == 2031


def test_the_end_of_stay_comes_first_when_it_is_earlier() -> None:
    issued = datetime(2026, 1, 1, tzinfo=UTC)
    assert judge_lifetime(date(1990, 4, 1), issued, date(2027, 3, 31)).not_after.date() == date(2027, 3, 31)
    assert judge_lifetime(date(1990, 4, 1), issued, date(2040, 3, 31)).not_after.date() == date(2030, 4, 1)


@given(DAYS)
def test_the_derived_moment_of_issue_leads_to_the_wanted_expiry(expiry: date) -> None:
    issued = issue_time_for_expiry(expiry)
    assert fifth_birthday_after(expiry, issued.date()) == expiry


@given(MOMENTS)
def test_on_any_day_one_generation_is_expired_and_two_are_in_force(now: datetime) -> None:
    first, second, third = derive_generations(now)
    assert first.not_after < now
    assert second.covers(now)
    assert third.covers(now)
    assert third.not_after > now + timedelta(days=365 * 6)  # room for a certificate of five years


def test_in_the_reference_year_the_generations_have_the_published_years() -> None:
    years = [(g.not_before.year, g.not_after.year) for g in derive_generations(datetime(2026, 11, 23, tzinfo=UTC))]
    assert years == [(2015, 2025), (2019, 2029), (2023, 2033)]


@pytest.mark.parametrize(
    ("birth", "digits", "coded"),
    [
        (date(1980, 2, 17), "550217", "319800217"),
        (date(1989, 1, 7), "640107", "319890107"),
        (date(1989, 1, 8), "010108", "419890108"),
        (date(2019, 4, 30), "310430", "420190430"),
        (date(2019, 5, 1), "010501", "520190501"),
        (date(1926, 12, 24), "151224", "219261224"),
        (date(1910, 3, 3), "-10303", "119100303"),
    ],
)
def test_eras_change_on_their_day(birth: date, digits: str, coded: str) -> None:
    assert era_birth(birth) == coded
    if not digits.startswith("-"):
        assert era_digits(birth) == digits
