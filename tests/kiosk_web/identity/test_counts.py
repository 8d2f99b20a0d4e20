"""Confirmations by system, month, way and method."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kiosk_web.identity.counts import MONTH, MonthlyCount, Validation, count_months

LAST = datetime(2026, 10, 31, 14, 59, 59, tzinfo=UTC)  # of October in Japan
FIRST = datetime(2026, 10, 31, 15, 0, tzinfo=UTC)  # of November

TOLD = [
    Validation("hall", "ocsp", "terminal", LAST),
    Validation("hall", "ocsp", "terminal", FIRST),
    Validation("hall", "ocsp", "terminal", FIRST),
    Validation("hall", "crl", "terminal", FIRST),
    Validation("hall", "ocsp", "api", FIRST),
    Validation("books", "ocsp", "terminal", FIRST),
]
NOVEMBER = (
    MonthlyCount("2026-11", "books", "terminal", "ocsp", 1),
    MonthlyCount("2026-11", "hall", "api", "ocsp", 1),
    MonthlyCount("2026-11", "hall", "terminal", "crl", 1),
    MonthlyCount("2026-11", "hall", "terminal", "ocsp", 2),
)


def test_each_way_and_method_is_counted_by_itself_in_the_months_of_japan() -> None:
    assert count_months(TOLD) == (MonthlyCount("2026-10", "hall", "terminal", "ocsp", 1), *NOVEMBER)


def test_one_month_can_be_asked_for() -> None:
    assert count_months(TOLD, "2026-11") == NOVEMBER
    assert count_months(TOLD, "2026-12") == ()


@pytest.mark.parametrize(("text", "is_month"), [("2026-09", True), ("2026-13", False), ("2026-00", False)])
def test_a_month_is_one_of_twelve(text: str, is_month: bool) -> None:
    assert bool(MONTH.fullmatch(text)) == is_month
