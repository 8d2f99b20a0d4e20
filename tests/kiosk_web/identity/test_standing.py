"""Have the basic 4 information changed since the last confirmation? Days are those of Japan."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from kiosk_web.identity.standing import HolderStanding, derive_day, judge_items

SINCE = date(2026, 11, 10)


@pytest.mark.parametrize(
    ("changed_at", "state"),
    [
        (None, "unchanged"),
        (datetime(2026, 11, 9, 14, 59, 59, tzinfo=UTC), "unchanged"),  # the last second of the 9th in Japan
        (datetime(2026, 11, 9, 15, 0, tzinfo=UTC), "changed"),  # the day itself counts
        (datetime(2026, 11, 20, 3, 0, tzinfo=UTC), "changed"),
    ],
)
def test_a_change_on_the_day_of_the_confirmation_counts(changed_at: datetime | None, state: str) -> None:
    assert judge_items(changed_at, SINCE) == state


@pytest.mark.parametrize("changed_at", [None, datetime(2026, 11, 20, tzinfo=UTC)])
def test_without_an_earlier_confirmation_nothing_is_known(changed_at: datetime | None) -> None:
    assert judge_items(changed_at, None) == "unknown"


def test_no_answer_is_neither_valid_nor_unchanged() -> None:
    silent = HolderStanding(why="timeout")
    assert (silent.signature, silent.items, silent.as_of) == ("unknown", "unknown", None)


def test_the_day_begins_at_midnight_in_japan() -> None:
    assert derive_day(datetime(2026, 12, 31, 15, 0, tzinfo=UTC)) == date(2027, 1, 1)
