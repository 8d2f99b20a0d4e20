"""The surface application (券面事項確認AP): a signature that needs no PIN, and the age record that names its key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from bridge.card.applet import Applet
from bridge.card.application import (
    DEFAULT_KEY,
    SURFACE,
    SURFACE_AGE_RECORD,
    SURFACE_BIRTH_KEY,
    SURFACE_ISSUER_CERTIFICATE,
    Application,
)
from bridge.card.pin import BIRTH_KEY, Pin
from bridge.card.tlv import parse_fields, parse_object
from bridge.errors import CardDataMalformed

_AGE_RECORD: Final = 0xFF10
_BIRTH, _PUBLIC_KEY, _SIGNATURE = 0xDF11, 0xDF12, 0xDF13
_EXPONENT, _MODULUS = 0x90, 0x91
_BIRTH_LENGTH: Final = 8


@dataclass(frozen=True, slots=True, repr=False)
class AgeRecord:
    """EF 0001: birth date `YYYYMMDD`, the RSA key of the surface application, and the issuer's signature over the
    record.

    `raw` is the record as read, for whoever checks the signature. Its `repr` shows nothing.
    """

    birth: str
    modulus: int
    exponent: int
    signature: bytes
    raw: bytes

    def __repr__(self) -> str:
        return "AgeRecord(****)"


class SurfaceApplet(Applet):
    """See `Applet`. Nothing here proves the holder: it proves that a card is present (`docs/card.md` 4)."""

    application: ClassVar[Application] = SURFACE

    def sign_digest(self, digest: bytes) -> bytes:
        """256-byte signature over a 32-byte SHA-256 digest by the application's own key; the card asks for nothing."""
        return self._sign_digest(DEFAULT_KEY, digest)

    def read_birth_key_tries_left(self) -> int | None:
        """None when the card says that there is no limit (6300): whether a real card has one is not known."""
        return self._read_limit(SURFACE_BIRTH_KEY)

    def verify_birth_key(self, key: Pin) -> None:
        """Six digits `YYMMDD` with the year of the Japanese era. See `Applet._verify`."""
        self._verify(SURFACE_BIRTH_KEY, key, BIRTH_KEY)

    def read_age_record(self) -> AgeRecord:
        """Needs the birth key verified. Raises `CardDataMalformed` or `StatusWordError`."""
        return parse_age_record(self._read_object(SURFACE_AGE_RECORD))

    def read_issuer_certificate(self) -> bytes:
        """EF 0004: the card-verifiable certificate of the issuer key, unjudged.

        Raises `CardDataMalformed` or `StatusWordError`.
        """
        return self._read_object(SURFACE_ISSUER_CERTIFICATE)


def parse_age_record(data: bytes) -> AgeRecord:
    """Raises `CardDataMalformed`."""
    outer = parse_object(data)
    if outer.tag != _AGE_RECORD:
        raise CardDataMalformed("not an age record")
    fields = parse_fields(outer.value)
    try:
        birth, signature = fields[_BIRTH], fields[_SIGNATURE]
        key = parse_fields(fields[_PUBLIC_KEY])
        modulus, exponent = key[_MODULUS], key[_EXPONENT]
    except KeyError:
        raise CardDataMalformed("the age record lacks a field") from None
    if len(birth) != _BIRTH_LENGTH or not birth.isdigit():
        raise CardDataMalformed("the birth date is not a date")
    return AgeRecord(
        birth=birth.decode("ascii"),
        modulus=int.from_bytes(modulus, "big"),
        exponent=int.from_bytes(exponent, "big"),
        signature=signature,
        raw=data,
    )
