"""The JPKI application (公的個人認証AP): label, user-authentication certificate, PIN, signature."""

from __future__ import annotations

from typing import ClassVar

from bridge.card.applet import Applet, CommandForms
from bridge.card.application import (
    JPKI,
    JPKI_AUTHENTICATION_CERTIFICATE,
    JPKI_AUTHENTICATION_KEY,
    JPKI_AUTHENTICATION_PIN,
    JPKI_LABEL,
    Application,
)
from bridge.card.pin import Pin, PinRule
from bridge.card.reader_keypad import Keypad
from bridge.card.status_word import FileNotFound, WrongLength, WrongParameters
from bridge.card.tlv import parse_object, parse_objects
from bridge.card.token_label import LABEL_LENGTH, TokenLabel, parse_token_label
from bridge.errors import CardDataMalformed, CertificateMissing, NotMyNumberCard

_SEQUENCE = 0x30
_BIT_STRING = 0x03


class JpkiApplet(Applet):
    """See `Applet`; after it was opened the card has no PIN verified."""

    application: ClassVar[Application] = JPKI

    def read_label(self) -> TokenLabel:
        """Which card this is. The serial number that follows the label on the card is not read.

        A card that knows no short identifiers is asked again in the long form, which then stays in use.
        Raises `NotMyNumberCard`, `CardDataMalformed` or `StatusWordError`.
        """
        try:
            return parse_token_label(self._read_bytes(JPKI_LABEL, LABEL_LENGTH))
        except FileNotFound:
            raise NotMyNumberCard("there is no token label") from None
        except (WrongParameters, WrongLength):
            if self.forms is CommandForms.LONG:
                raise
            self.forms = CommandForms.LONG
            return self.read_label()

    def read_authentication_certificate(self) -> bytes:
        """The certificate as DER, exactly its own length; its content is not judged here.

        Raises `CertificateMissing`, `CardDataMalformed` or `StatusWordError`.
        """
        try:
            der = self._read_object(JPKI_AUTHENTICATION_CERTIFICATE)
        except FileNotFound:
            raise CertificateMissing("the card holds no user-authentication certificate") from None
        _require_certificate_shape(der)
        return der

    def read_pin_tries_left(self) -> int:
        """Tries left of the user-authentication PIN; 0 is locked."""
        return self._read_tries_left(JPKI_AUTHENTICATION_PIN)

    def verify_pin(self, pin: Pin, rule: PinRule) -> None:
        """See `Applet._verify`."""
        self._verify(JPKI_AUTHENTICATION_PIN, pin, rule)

    def verify_pin_at_keypad(self, keypad: Keypad) -> None:
        """See `Applet._verify_at_keypad`."""
        self._verify_at_keypad(JPKI_AUTHENTICATION_PIN, keypad)

    def sign_digest(self, digest: bytes) -> bytes:
        """256-byte signature over a 32-byte SHA-256 digest.

        Raises `SecurityStatusNotSatisfied` without a verified PIN.
        """
        return self._sign_digest(JPKI_AUTHENTICATION_KEY, digest)


def _require_certificate_shape(der: bytes) -> None:
    """X.509 from afar (RFC 5280 section 4.1): a SEQUENCE that two SEQUENCEs and a BIT STRING fill exactly."""
    outer = parse_object(der)
    if outer.tag != _SEQUENCE:
        raise CardDataMalformed("the certificate file holds no certificate")
    if [item.tag for item in parse_objects(outer.value)] != [_SEQUENCE, _SEQUENCE, _BIT_STRING]:
        raise CardDataMalformed("the certificate file holds no certificate")
