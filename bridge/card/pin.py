"""A PIN in memory, and the form a card wants of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn

from bridge.errors import PinMalformed

_MASKED = "Pin(****)"
DIGITS: Final = frozenset(b"0123456789")
CAPITALS_AND_DIGITS: Final = DIGITS | frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_LENGTH_MAXIMUM = 16


class Pin:
    """The characters of a PIN in one `bytearray` that `wipe` overwrites. No text form ever shows them.

    Copies that the smart card interface makes on the way to the card live until they are collected: Python cannot
    overwrite those.
    """

    __slots__ = ("_characters",)

    def __init__(self, characters: bytearray) -> None:
        self._characters = characters

    @classmethod
    def from_ascii(cls, characters: bytes | bytearray) -> Pin:
        """A copy of 1 to 16 characters `0-9A-Z`. Raises `PinMalformed`; the message does not quote them."""
        if not 1 <= len(characters) <= _LENGTH_MAXIMUM or not CAPITALS_AND_DIGITS.issuperset(characters):
            raise PinMalformed("a PIN has 1 to 16 characters 0-9 A-Z")
        return cls(bytearray(characters))

    def reveal(self) -> bytes:
        """The characters, for the VERIFY command alone. Raises `PinMalformed` after `wipe`."""
        if not self._characters:
            raise PinMalformed("this PIN has been wiped")
        return bytes(self._characters)

    def wipe(self) -> None:
        """Overwrite and forget the characters."""
        for position in range(len(self._characters)):
            self._characters[position] = 0
        self._characters.clear()

    def __repr__(self) -> str:
        return _MASKED

    def __str__(self) -> str:
        return _MASKED

    def __format__(self, specification: str) -> str:
        return _MASKED

    def __reduce__(self) -> NoReturn:
        raise TypeError("a PIN is never written anywhere")

    def __copy__(self) -> NoReturn:
        raise TypeError("a PIN is never copied")

    def __deepcopy__(self, memo: object) -> NoReturn:
        raise TypeError("a PIN is never copied")

    __hash__ = None  # type: ignore[assignment]  # a hash of four digits tells the digits

    def __eq__(self, other: object) -> bool:
        return self is other


class OnKeypad:
    """In the place of a PIN: it is typed on the reader's own keypad and is never in this program."""

    __slots__ = ()

    def wipe(self) -> None:
        """There is nothing to forget."""


Secret = Pin | OnKeypad


@dataclass(frozen=True, slots=True)
class PinRule:
    """The form a card wants of one PIN: length from `minimum` to `maximum`, every character from `alphabet`."""

    minimum: int
    maximum: int
    alphabet: frozenset[int]

    def require(self, pin: Pin) -> bytes:
        """The characters of a PIN of this form. Raises `PinMalformed` before the card is asked: no try is used."""
        characters = pin.reveal()
        if not self.minimum <= len(characters) <= self.maximum or not self.alphabet.issuperset(characters):
            raise PinMalformed("not of the form this card wants")
        return characters


FOUR_DIGITS: Final = PinRule(4, 4, DIGITS)
SIMULATED_PIN: Final = PinRule(4, 16, CAPITALS_AND_DIGITS)
BIRTH_KEY: Final = PinRule(6, 6, DIGITS)
CODE_B: Final = PinRule(14, 14, DIGITS)
