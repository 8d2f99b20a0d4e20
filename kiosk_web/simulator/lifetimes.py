"""How long certificates live: birthdays, Japanese time, and the years of the CA generations. Pure: `now` comes in.

Source: pki.md 1.1 (generations), 1.2 (23:59:59 JST), 1.4 (5th birthday after issue, or the end of stay).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

JST = timezone(timedelta(hours=9), "JST")

#: The year in which the published generations of 2015 (expired), 2019 and 2023 look as they do in the sheet.
_REFERENCE_YEAR = 2026


@dataclass(frozen=True, slots=True)
class Lifetime:
    """A validity period, both ends included, in whole seconds UTC (RFC 5280 4.1.2.5)."""

    not_before: datetime
    not_after: datetime

    def covers(self, moment: datetime) -> bool:
        """Whether `moment` lies inside."""
        return self.not_before <= moment <= self.not_after


def birthday_in(birth: date, year: int) -> date:
    """The birthday in a given year; one born on 29 February has it on the 28th when the year has no 29th."""
    try:
        return birth.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def next_birthday_after(birth: date, day: date) -> date:
    """The first birthday strictly after `day`."""
    this_year = birthday_in(birth, day.year)
    return this_year if this_year > day else birthday_in(birth, day.year + 1)


def fifth_birthday_after(birth: date, issued: date) -> date:
    """The fifth birthday that comes after the day of issue; a birthday on that very day does not count."""
    return birthday_in(birth, next_birthday_after(birth, issued).year + 4)


def last_birthday_before(birth: date, day: date) -> date:
    """The latest birthday strictly before `day`."""
    this_year = birthday_in(birth, day.year)
    return this_year if this_year < day else birthday_in(birth, day.year - 1)


def end_of_day(day: date) -> datetime:
    """23:59:59 of `day` in Japan, in UTC: 14:59:59 of the same day."""
    return datetime(day.year, day.month, day.day, 14, 59, 59, tzinfo=UTC)


def judge_lifetime(birth: date, issued: datetime, stay_until: date | None = None) -> Lifetime:
    """Validity of a certificate issued at `issued`: to the 5th birthday, or to the end of stay if that is earlier."""
    last = fifth_birthday_after(birth, issued.astimezone(JST).date())
    if stay_until is not None:
        last = min(last, stay_until)
    return Lifetime(issued.replace(microsecond=0), end_of_day(last))


def issue_time_for_expiry(expiry: date) -> datetime:
    """A moment of issue for a certificate whose 5th birthday is `expiry`: five months after the last one before."""
    start = birthday_in(expiry, expiry.year - 5) + timedelta(days=150)
    return datetime(start.year, start.month, start.day, 2, 17, 43, tzinfo=UTC)


def derive_generations(now: datetime) -> tuple[Lifetime, Lifetime, Lifetime]:
    """The three generations of each CA: one expired, one in the middle of its life, one that issues now.

    They have the dates of the real ones, moved by whole years so that a demo made in any year looks the same.
    """
    shift = now.year - _REFERENCE_YEAR

    def moved(moment: datetime) -> datetime:
        return moment.replace(year=moment.year + shift)

    return (
        Lifetime(
            moved(datetime(2015, 10, 20, 3, 11, 5, tzinfo=UTC)), moved(datetime(2025, 10, 19, 14, 59, 59, tzinfo=UTC))
        ),
        Lifetime(
            moved(datetime(2019, 9, 14, 1, 23, 47, tzinfo=UTC)), moved(datetime(2029, 9, 14, 14, 59, 59, tzinfo=UTC))
        ),
        Lifetime(
            moved(datetime(2023, 7, 16, 1, 5, 31, tzinfo=UTC)), moved(datetime(2033, 7, 15, 14, 59, 59, tzinfo=UTC))
        ),
    )


def era_digits(birth: date) -> str:
    """`YYMMDD` with the year of the Japanese era, as in the birth key and verification code B (card.md 1.4, 1.5)."""
    for start, first_year in ((date(2019, 5, 1), 2019), (date(1989, 1, 8), 1989), (date(1926, 12, 25), 1926)):
        if birth >= start:
            return f"{birth.year - first_year + 1:02}{birth:%m%d}"
    return f"{birth.year - 1911:02}{birth:%m%d}"


def era_birth(birth: date) -> str:
    """`EYYYYMMDD` of the signature certificate: the era as one digit, then the Gregorian date (pki.md 1.3)."""
    for start, era in ((date(2019, 5, 1), 5), (date(1989, 1, 8), 4), (date(1926, 12, 25), 3), (date(1912, 7, 30), 2)):
        if birth >= start:
            return f"{era}{birth:%Y%m%d}"
    return f"1{birth:%Y%m%d}"
