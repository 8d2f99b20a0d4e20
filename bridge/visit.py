"""What one visit asks of the card and what comes back: the words between the page connection and the card worker. PURE.

A visit is named by the `jti` of its challenge; the bridge uses a challenge once, so no two visits share a name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

MAXIMUM_PINS = 2  # per card instance, whoever asks, since the last right one
MAXIMUM_TEXT_SECRETS = 2  # the same, for PIN and code B of the text application together
MAXIMUM_BIRTH_KEYS = 1  # the same, for the birth key of an enrolment


@dataclass(frozen=True, slots=True)
class CertificateRead:
    """The card is held. `pin_minimum` and `pin_maximum` are the length that this card takes; `secret` is what it waits
    for, "" for nothing: then it goes on by itself, and `tries_left` is 0. `keypad`: it is typed on the reader.
    """

    challenge: str
    certificate: bytes = field(repr=False)
    tries_left: int
    pin_minimum: int
    pin_maximum: int
    counter: int
    secret: Literal["pin", "birth_key", ""] = "pin"  # noqa: S105 - the name of it
    keypad: bool = False


@dataclass(frozen=True, slots=True)
class PinWrong:
    """The card compared and said no; it is still held and takes one more PIN."""

    challenge: str
    tries_left: int


@dataclass(frozen=True, slots=True)
class PinAccepted:
    challenge: str


@dataclass(frozen=True, slots=True)
class Signed:
    """The signature, already checked with the certificate that was read."""

    challenge: str
    certificate: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    counter: int


@dataclass(frozen=True, slots=True)
class EnrolmentSigned:
    """The surface key's signature, already checked with the key in `record`; `issuer` says who vouches for that key."""

    challenge: str
    certificate: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    record: bytes = field(repr=False)
    issuer: bytes = field(repr=False)
    counter: int


@dataclass(frozen=True, slots=True)
class TextReady:
    """The card has signed and waits for a secret of the text application: PIN or verification code B. `keypad`: the PIN
    is typed on the reader; the code, which is on the card, never is.
    """

    challenge: str
    pin_tries_left: int
    code_tries_left: int
    keypad: bool = False


@dataclass(frozen=True, slots=True)
class BasicFourRead:
    """`items`: name, address, birth and sex as `bridge.basic_four.build_items` writes them. Personal data."""

    challenge: str
    certificate: bytes = field(repr=False)
    items: bytes = field(repr=False)
    counter: int


@dataclass(frozen=True, slots=True)
class VisitFailed:
    """The visit is over. `code` is one of the failure codes of `docs/wire.md` 6."""

    challenge: str
    code: str
    retriable: bool
    tries_left: int | None = None


VisitReport = (
    CertificateRead | PinWrong | PinAccepted | Signed | EnrolmentSigned | TextReady | BasicFourRead | VisitFailed
)
