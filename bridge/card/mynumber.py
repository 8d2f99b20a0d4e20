"""The whole card over one connection, in the words of a visit."""

from __future__ import annotations

from typing import TypeVar

from bridge.card.applet import Applet, CommandForms
from bridge.card.channel import CardChannel
from bridge.card.jpki import JpkiApplet
from bridge.card.pin import Pin
from bridge.card.reader_keypad import Keypad
from bridge.card.status_word import MemoryFailure, MemoryUnchanged, NoDiagnosis, StatusWordError
from bridge.card.surface import SurfaceApplet
from bridge.card.text import TextApplet
from bridge.card.token_label import TokenLabel
from bridge.card.transport import CardTransport
from bridge.errors import BridgeError, NotMyNumberCard

AnyApplet = TypeVar("AnyApplet", bound=Applet)


class NotRecognised(BridgeError):
    """A defect of this program: the card was used before `recognise` or after `end`."""


class MyNumberCard:
    """One card, from `recognise` to `end`; constructing does no I/O. Used from one thread only.

    Every method may raise `StatusWordError`, `CardGone`, `CardCommunicationError` or `ReaderServiceDown` beside what
    it names. A visit costs 5 + ceil(L/256) exchanges with short identifiers, L the length of the certificate; `end` is
    one more.
    """

    def __init__(self, transport: CardTransport, *, forms: CommandForms = CommandForms.SHORT_IDS) -> None:
        self._channel = CardChannel(transport)
        self._forms = forms
        self._applet: Applet | None = None
        self._label: TokenLabel | None = None

    @property
    def forms(self) -> CommandForms:
        """The command forms in use: the given ones, unless the card or the reader did not take them."""
        return self._applet.forms if self._applet else self._forms

    def recognise(self) -> TokenLabel:
        """Select the JPKI application and read the label; ATR and UID are not looked at. 2 exchanges.

        Raises `NotMyNumberCard` or `CardDataMalformed`.
        """
        try:
            applet = self._open(JpkiApplet)
        except (NoDiagnosis, MemoryFailure, MemoryUnchanged):
            raise
        except StatusWordError as refusal:
            raise NotMyNumberCard("there is no JPKI application") from refusal
        self._label = applet.read_label()
        return self._label

    def read_authentication_certificate(self) -> bytes:
        """DER, exactly its own length. ceil(L/256) exchanges. Raises `CertificateMissing` or `CardDataMalformed`."""
        return self._jpki().read_authentication_certificate()

    def read_pin_tries_left(self) -> int:
        """Tries left of the user-authentication PIN, 0 when it is locked; uses none."""
        return self._jpki().read_pin_tries_left()

    def verify_pin(self, pin: Pin) -> None:
        """Have the card compare, once, and never again by itself.

        Raises `PinMalformed` (the card was not asked), `PinRefused` with the tries left, or `PinLocked`.
        """
        self._jpki().verify_pin(pin, self._require_label().pin_rule)

    def verify_pin_at_keypad(self, keypad: Keypad) -> None:
        """The same for a PIN that is typed on the reader. Raises also `PinTimeout`, `Cancelled` or `KeypadFailed`."""
        self._jpki().verify_pin_at_keypad(keypad)

    def sign_digest(self, digest: bytes) -> bytes:
        """256-byte PKCS #1 v1.5 signature over a 32-byte SHA-256 digest.

        The PIN must have been verified just before.
        """
        return self._jpki().sign_digest(digest)

    def sign_with_surface_key(self, digest: bytes) -> bytes:
        """The same by the key of the surface application, without any PIN.

        Leaves the JPKI application: a verified PIN is gone.
        """
        return self.open_surface().sign_digest(digest)

    def open_surface(self) -> SurfaceApplet:
        """Select the surface application, unless it is."""
        return self._opened(SurfaceApplet)

    def open_text(self) -> TextApplet:
        """Select the text application, unless it is. Its file of the My Number is out of reach of this program."""
        return self._opened(TextApplet)

    def end(self) -> None:
        """Select the JPKI application once more, so that the card forgets a verified PIN.

        Never raises; unpowering comes after.
        """
        applet, self._applet, self._label = self._applet, None, None
        if applet is None:
            return
        try:
            self._channel.select(JpkiApplet.application)
        except BridgeError:
            return  # the card is gone, or says no: unpowering it ends the session all the same

    def _jpki(self) -> JpkiApplet:
        self._require_label()
        return self._opened(JpkiApplet)

    def _opened(self, kind: type[AnyApplet]) -> AnyApplet:
        self._require_label()
        return self._applet if isinstance(self._applet, kind) else self._open(kind)

    def _open(self, kind: type[AnyApplet]) -> AnyApplet:
        self._forms, self._applet = self.forms, None
        applet = kind(self._channel, self._forms)
        self._applet = applet
        return applet

    def _require_label(self) -> TokenLabel:
        if self._label is None:
            raise NotRecognised("the card has not been recognised")
        return self._label
