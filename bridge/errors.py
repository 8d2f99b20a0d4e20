"""Every error of the bridge, each with the stable wire code of `docs/wire.md` 6.

BridgeError
├── ReaderError        ReaderMissing · ReaderBusy · ReaderServiceDown · AccessDenied
├── CardError
│   ├── CardGone       CardRemoved · CardReset · CardSwapped
│   ├── CardMute · CardCommunicationError · NotMyNumberCard · CardDataMalformed · CertificateMissing
│   ├── StatusWordError  one subclass per status word of ISO/IEC 7816-4 and JICSAP (bridge/card/status_word.py)
│   └── SignatureMismatch
├── PinError           PinRefused(tries_left) · PinLocked · PinMalformed · PinTriesUsed · PinTimeout · PinUndecryptable
│                      KeypadFailed · KeypadBusy
│                      BirthDateWrong · BirthKeyGuarded · BirthKeyWithoutLimit · TextSecretWrong · TextSecretGuarded
├── TicketRefused(reason)
├── Cancelled
└── SettingsError · EnrolmentError
"""

from __future__ import annotations

from typing import ClassVar


class BridgeError(Exception):
    """Base of all errors that the bridge reports. `code` is stable and public; the message holds no personal data."""

    code: ClassVar[str] = "internal"
    retriable: ClassVar[bool] = False


class ReaderError(BridgeError):
    """The reader or the smart card service, not the card."""


class ReaderMissing(ReaderError):
    code = "reader_missing"
    retriable = True


class ReaderBusy(ReaderError):
    code = "reader_busy"
    retriable = True


class ReaderServiceDown(ReaderError):
    code = "service_down"
    retriable = True


class AccessDenied(ReaderError):
    """The smart card service refused this user (polkit: SCARD_W_SECURITY_VIOLATION)."""

    code = "access_denied"


class CardError(BridgeError):
    """The card, or what it answered."""

    code = "card_error"
    retriable = True


class CardGone(CardError):
    """The card with which the work began is no longer there. The work starts again; nothing is ever resent."""


class CardRemoved(CardGone):
    code = "card_removed"


class CardReset(CardGone):
    code = "card_reset"


class CardSwapped(CardGone):
    code = "card_swapped"


class CardMute(CardError):
    code = "card_mute"


class CardCommunicationError(CardError):
    code = "card_error"


class NotMyNumberCard(CardError):
    code = "not_my_number_card"
    retriable = False


class CardDataMalformed(CardError):
    """A file on the card is truncated or is not what its specification says."""

    code = "card_data_malformed"
    retriable = False


class CertificateMissing(CardError):
    code = "certificate_missing"
    retriable = False


class SignatureMismatch(CardError):
    """The signature does not fit the certificate that was read: a swapped or faulty card. Nothing leaves the bridge."""

    code = "signature_mismatch"


class PinError(BridgeError):
    """A PIN could not be used, or the card refused it."""

    def __init__(self, message: str = "", *, tries_left: int | None = None) -> None:
        super().__init__(message or self.code)
        self.tries_left = tries_left


class PinRefused(PinError):
    """The card compared and said no; `tries_left` is what remains after this try."""

    code = "pin_refused"
    retriable = True


class PinLocked(PinError):
    code = "pin_locked"


class PinMalformed(PinError):
    """Not of the form the card wants; the card was not asked and no try is used."""

    code = "pin_malformed"
    retriable = True


class PinTriesUsed(PinError):
    """Two PINs were tried with this card instance; the card must be lifted first."""

    code = "pin_tries_used"


class PinTimeout(PinError):
    code = "pin_timeout"
    retriable = True


class PinUndecryptable(PinError):
    code = "pin_undecryptable"
    retriable = True


class KeypadFailed(PinError):
    """The reader announces a keypad and does not have a PIN typed on it as it was asked."""

    code = "keypad_failed"


class KeypadBusy(PinError):
    """The reader still waits for the keys of a visit that is over; only the reader itself ends that."""

    code = "keypad_busy"
    retriable = True


class BirthDateWrong(PinError):
    """The card compared the birth date and said no. How many tries are left is told to nobody."""

    code = "birth_date_wrong"


class BirthKeyGuarded(PinError):
    """One try or none is left for the birth date: the last one is never used here."""

    code = "birth_key_guarded"


class BirthKeyWithoutLimit(PinError):
    """The card names no limit of tries, and this bridge was not told to go on then."""

    code = "birth_key_without_limit"


class TextSecretWrong(PinError):
    """The card compared the text application's PIN or verification code B and said no."""

    code = "text_secret_wrong"


class TextSecretGuarded(PinError):
    """Fewer than two tries are left for that secret: it is not compared here."""

    code = "text_secret_guarded"


class TicketRefused(BridgeError):
    """A ticket of the server did not pass; the reason is for the log and for staff, never for the page."""

    code = "ticket_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Cancelled(BridgeError):
    code = "cancelled"
    retriable = True


class SettingsError(BridgeError):
    """The bridge cannot start as it is configured; the message says what to change."""


class EnrolmentError(BridgeError):
    """The terminal could not be enrolled; the message says what to do."""
