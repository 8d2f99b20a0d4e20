"""The basic 4 information (基本4情報) on its way to one receiver. PURE.

Text is what the card says, sign for sign: no normalisation, no substitution (𠮷, 髙, ●).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from kiosk_web.identity.words import Words

NAME_SIGNS = 200
ADDRESS_SIGNS = 500
_BIRTH = re.compile(r"[0-9]{8}")
_SEX = re.compile(r"[0-9]")


@dataclass(frozen=True)
class BasicFourTerms:
    """What the consent says of a service that asks for these items: who receives them, what for, how long they are kept
    there, and for how many minutes a ciphertext waits here. `on_request_only`: a touch of the tile does not ask.
    """

    receiver: Words
    purpose: Words
    kept: Words
    minutes: int
    on_request_only: bool = False


class BasicFourMalformed(ValueError):
    """Not what a card has. The message quotes nothing."""


@dataclass(frozen=True, slots=True, repr=False)
class BasicFour:
    """`name` with U+3000 between family and given name; `birth` YYYYMMDD, month and day may be 00; `sex` `1`, `2` or
    `9` (reference: card.md 1.3). No text form shows it. Raises `BasicFourMalformed`.
    """

    name: str
    address: str
    birth: str
    sex: str

    def __post_init__(self) -> None:
        for text, limit in ((self.name, NAME_SIGNS), (self.address, ADDRESS_SIGNS)):
            if not 1 <= len(text) <= limit:
                raise BasicFourMalformed("length")
            try:
                text.encode("utf-8")
            except UnicodeEncodeError:  # half of a surrogate pair
                raise BasicFourMalformed("no text") from None
        if _BIRTH.fullmatch(self.birth) is None or _SEX.fullmatch(self.sex) is None:
            raise BasicFourMalformed("birth or sex")

    def __repr__(self) -> str:
        return "BasicFour(****)"


def build_statement(four: BasicFour, *, ppid: str, read_at: int) -> bytes:
    """What is sealed: canonical JSON (RFC 8785: keys in order, no spaces, UTF-8 unescaped). `read_at` in seconds since
    1970-01-01T00:00:00Z.
    """
    items = {"address": four.address, "birth": four.birth, "name": four.name, "sex": four.sex}
    statement = {"basic_four": items, "ppid": ppid, "read_at": read_at}
    return json.dumps(statement, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8")
