"""The text application (券面事項入力補助AP): the basic 4 information, and nothing else of what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from bridge.card.applet import Applet
from bridge.card.application import TEXT, TEXT_BASIC_FOUR, TEXT_CODE_B, TEXT_PIN, Application
from bridge.card.pin import CODE_B, FOUR_DIGITS, Pin
from bridge.card.reader_keypad import Keypad
from bridge.card.tlv import parse_fields, parse_object
from bridge.errors import CardDataMalformed

_BASIC_FOUR: Final = 0xFF20
_NAME, _ADDRESS, _BIRTH, _SEX = 0xDF22, 0xDF23, 0xDF24, 0xDF25


@dataclass(frozen=True, slots=True, repr=False)
class BasicFour:
    """Name and address as on the card's face (family name, U+3000, given name), birth `YYYYMMDD`, sex `1`, `2` or `9`.

    Its `repr` shows nothing: it is personal data.
    """

    name: str
    address: str
    birth: str
    sex: str

    def __repr__(self) -> str:
        return "BasicFour(****)"


class TextApplet(Applet):
    """See `Applet`.

    One of the two secrets must be verified before reading; code B opens the basic 4 and not the My Number.
    """

    application: ClassVar[Application] = TEXT

    def read_pin_tries_left(self) -> int:
        return self._read_tries_left(TEXT_PIN)

    def read_code_b_tries_left(self) -> int:
        return self._read_tries_left(TEXT_CODE_B)

    def verify_pin(self, pin: Pin) -> None:
        """Four digits. See `Applet._verify`."""
        self._verify(TEXT_PIN, pin, FOUR_DIGITS)

    def verify_pin_at_keypad(self, keypad: Keypad) -> None:
        """See `Applet._verify_at_keypad`."""
        self._verify_at_keypad(TEXT_PIN, keypad)

    def verify_code_b(self, code: Pin) -> None:
        """Fourteen digits: birth date in era years, year of expiry, security code. See `Applet._verify`."""
        self._verify(TEXT_CODE_B, code, CODE_B)

    def read_basic_four(self) -> BasicFour:
        """Raises `SecurityStatusNotSatisfied` without a verified secret, `CardDataMalformed` or another
        `StatusWordError`.
        """
        return parse_basic_four(self._read_object(TEXT_BASIC_FOUR))


def parse_basic_four(data: bytes) -> BasicFour:
    """EF 0002.

    Fields that are not known are skipped: the card has gained some since 2026. Raises `CardDataMalformed`.
    """
    outer = parse_object(data)
    if outer.tag != _BASIC_FOUR:
        raise CardDataMalformed("not a record of the basic 4 information")
    fields = parse_fields(outer.value)
    birth, sex = _read_text(fields, _BIRTH), _read_text(fields, _SEX)
    if not _judge_date(birth):
        raise CardDataMalformed("the birth date is not a date")
    if len(sex) != 1 or not sex.isascii() or not sex.isdigit():
        raise CardDataMalformed("the sex is not one digit")
    return BasicFour(_read_text(fields, _NAME), _read_text(fields, _ADDRESS), birth, sex)


def _read_text(fields: dict[int, bytes], tag: int) -> str:
    try:
        text = fields[tag].decode("utf-8")
    except KeyError:
        raise CardDataMalformed(f"data object {tag:X} is missing") from None
    except UnicodeDecodeError:
        raise CardDataMalformed(f"data object {tag:X} is not text") from None
    if not text:
        raise CardDataMalformed(f"data object {tag:X} is empty")
    return text


def _judge_date(text: str) -> bool:
    """`YYYYMMDD`; month and day may be 00, as in registers of people whose day of birth is not known."""
    if len(text) != 8 or not text.isascii() or not text.isdigit():
        return False
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:])
    try:
        date(year, month or 1, day or 1)
    except ValueError:
        return False
    return True
