"""User numbers of the demo's library: ten digits, the last one by Luhn."""

from __future__ import annotations

from kiosk_web.identity.user_numbers import judge_check_digit


def number(body: int) -> str:
    """A valid one for each `body` below a thousand million."""
    return next(text for last in range(10) if judge_check_digit(text := f"{body:09}{last}", "luhn"))
