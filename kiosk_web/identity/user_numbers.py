"""利用者番号: the number by which a cooperating system knows its user. PURE.

It is read as people type it and barcode readers send it. Only digits and Latin capitals, because that is what a
keyboard wedge can type into any system without an accident.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

CheckDigit = Literal["none", "luhn", "modulus11", "seven_check"]
NumberRefusal = Literal["number_malformed", "number_check_digit"]

MOST_SIGNS = 32
_PLAIN = re.compile(rf"[0-9A-Z]{{1,{MOST_SIGNS}}}")
_READ = re.compile(r"[ -~\u00a0\u3000！-～‐‑‒–—−ーｰ]*")
"""Signs that people write in a number. Others that have a plain form are refused: the note in 1234① would be a digit
of somebody else's number, and two numbers in the lines of one cell a third one.
"""
_IGNORED = re.compile(r"[\s\-‐‑‒–—−ー]")
_FRAMED = re.compile(r"[A-D]([0-9]+)[A-D]")  # Codabar's start and stop signs, where a reader sends them


@dataclass(frozen=True)
class NumberFormat:
    """`pattern` must match the whole number. `check_digit`: how the last digit is computed from those before it.

    `luhn`: modulus 10, weights 2 and 1. `modulus11`: weights 2 to 7 from the right; a remainder that would need ten is
    refused. `seven_check`: the remainder of all digits before it divided by 7 (7DR, common with NW-7 cards).
    """

    pattern: str = r"[0-9A-Z]{1,32}"
    check_digit: CheckDigit = "none"


ANY_NUMBER = NumberFormat()


class NumberRefused(ValueError):
    """`name` says why, and the number is not quoted."""

    def __init__(self, name: NumberRefusal) -> None:
        super().__init__(name)
        self.name: NumberRefusal = name


def read_user_number(text: str, form: NumberFormat) -> str:
    """The number in its one form: full-width signs made half-width, capitals, no spaces and hyphens, no Codabar frame.

    Raises `NumberRefused`.
    """
    if _READ.fullmatch(text.strip()) is None:
        raise NumberRefused("number_malformed")
    plain = _IGNORED.sub("", unicodedata.normalize("NFKC", text)).upper()
    framed = _FRAMED.fullmatch(plain)
    if framed is not None and re.fullmatch(form.pattern, plain) is None:
        plain = framed[1]
    if _PLAIN.fullmatch(plain) is None or re.fullmatch(form.pattern, plain) is None:
        raise NumberRefused("number_malformed")
    if form.check_digit != "none" and not judge_check_digit(plain, form.check_digit):
        raise NumberRefused("number_check_digit")
    return plain


def judge_check_digit(number: str, kind: CheckDigit) -> bool:
    """Does the last digit agree with the others? A number with letters never does, except where nothing is checked."""
    if kind == "none":
        return True
    if len(number) < 2 or not (number.isascii() and number.isdecimal()):
        return False
    return _derive_check_digit(number[:-1], kind) == int(number[-1])


def _derive_check_digit(body: str, kind: CheckDigit) -> int:
    """The digit that belongs behind `body`; 10 where there is none."""
    digits = [int(sign) for sign in reversed(body)]
    if kind == "seven_check":
        return int(body) % 7
    if kind == "luhn":
        total = sum(sum(divmod(digit * (2 if place % 2 == 0 else 1), 10)) for place, digit in enumerate(digits))
        return -total % 10
    total = sum(digit * (2 + place % 6) for place, digit in enumerate(digits))
    return -total % 11
