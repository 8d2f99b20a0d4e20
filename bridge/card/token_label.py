"""The token label: which kind of card this is, and with it everything that differs from kind to kind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from bridge.card.pin import FOUR_DIGITS, SIMULATED_PIN, PinRule
from bridge.errors import CardDataMalformed, NotMyNumberCard

LABEL_LENGTH: Final = 32


class CardKind(Enum):
    """The kinds with a JPKI application; the value is the label on the card."""

    MY_NUMBER_CARD = "JPKIAPICCTOKEN2"
    SIMULATED = "JPKIAPSIMTOKEN"
    RESIDENT_CARD = "JPKIAPICCTOKEN"
    ANDROID = "JPKIAPGPSETOKEN"
    IPHONE = "JPKIAPIOSTOKEN"


# The old resident card holds no certificate in force; a phone gives its certificate only after a PIN, which this
# product does not ask for before it has seen the certificate. All three are known and refused.
_PIN_RULES: Final[dict[CardKind, PinRule]] = {
    CardKind.MY_NUMBER_CARD: FOUR_DIGITS,
    CardKind.SIMULATED: SIMULATED_PIN,
}


@dataclass(frozen=True, slots=True)
class TokenLabel:
    """The label of a card that this product serves."""

    kind: CardKind
    pin_rule: PinRule

    @property
    def text(self) -> str:
        return self.kind.value

    @property
    def simulated(self) -> bool:
        """True for a label that exists on virtual cards alone."""
        return self.kind is CardKind.SIMULATED


def parse_token_label(data: bytes) -> TokenLabel:
    """The label from the first 32 bytes of the token information.

    Raises `CardDataMalformed` when it is cut short or not ASCII, `NotMyNumberCard` when it is another token's.
    """
    if len(data) < LABEL_LENGTH:
        raise CardDataMalformed("the token label is cut short")
    try:
        text = data[:LABEL_LENGTH].decode("ascii").rstrip(" \0")
    except UnicodeDecodeError:
        raise CardDataMalformed("the token label is not text") from None
    for kind, rule in _PIN_RULES.items():
        if kind.value == text:
            return TokenLabel(kind, rule)
    raise NotMyNumberCard("the token label is not that of a My Number Card")
