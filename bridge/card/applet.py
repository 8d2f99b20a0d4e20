"""What every application of the card offers alike: files, references with a limit of tries, keys.

Opening one selects it.
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar, Final

from bridge.card.apdu import (
    CLA_ISO,
    CLA_PROPRIETARY,
    EXTENDED_LE_MAXIMUM,
    SHORT_LE_MAXIMUM,
    CommandApdu,
    Instruction,
    ResponseApdu,
)
from bridge.card.application import CURRENT_FILE, DEFAULT_KEY, SHORT_IDENTIFIER, Application, build_select_file
from bridge.card.channel import CardChannel
from bridge.card.keypad import judge_entry
from bridge.card.pin import Pin, PinRule
from bridge.card.reader_keypad import Keypad
from bridge.card.status_word import (
    ComparisonFailed,
    NoMatchNoLimit,
    OffsetBeyondFile,
    ReferenceBlocked,
)
from bridge.card.tlv import parse_header
from bridge.errors import CardDataMalformed, PinLocked, PinRefused

OBJECT_LENGTH_MAXIMUM: Final = 4096
_SIGNATURE_LENGTHS: Final = frozenset({256})
_SHA256_LENGTH: Final = 32
# DER of DigestInfo for SHA-256 up to the digest itself (RFC 8017 section 9.2, note 1).
_SHA256_DIGEST_INFO: Final = bytes.fromhex("3031300D060960864801650304020105000420")


class CommandForms(Enum):
    """How files and references are named.

    Short identifiers save a SELECT each; the others are for cards and readers that want them.
    """

    SHORT_IDS = "short_ids"
    LONG = "long"
    EXTENDED = "extended"


class Applet:
    """One selected application.

    Constructing it selects it and raises `StatusWordError` when the card does not have it.
    """

    application: ClassVar[Application]

    def __init__(self, channel: CardChannel, forms: CommandForms = CommandForms.SHORT_IDS) -> None:
        self._channel = channel
        self.forms = forms
        channel.select(self.application)

    def _read_bytes(self, file: int, length: int) -> bytes:
        """The first `length` (at most 256) bytes of a file, fewer if it is shorter. Raises `StatusWordError`."""
        return self._read_start(file, length).require_success()

    def _read_object(self, file: int) -> bytes:
        """The data object at the start of a file, exactly; filler after it is not read. ceil(length / 256) exchanges.

        Raises `StatusWordError`, and `CardDataMalformed` when the file ends before its object or claims more than 4096
        bytes.
        """
        if self.forms is CommandForms.EXTENDED:
            response = self._send(_build_read(SHORT_IDENTIFIER | file, 0, EXTENDED_LE_MAXIMUM, extended=True))
            if response.succeeded:
                return self._read_rest(response.data)
            self.forms = CommandForms.SHORT_IDS
        return self._read_rest(self._read_start(file, SHORT_LE_MAXIMUM).require_success())

    def _read_start(self, file: int, length: int) -> ResponseApdu:
        if self.forms is CommandForms.LONG:
            self._send(build_select_file(file)).require_success()
            return self._send(_build_read(0, 0, length))
        return self._send(_build_read(SHORT_IDENTIFIER | file, 0, length))

    def _read_rest(self, data: bytes) -> bytes:
        total = parse_header(data).total_length
        if total > OBJECT_LENGTH_MAXIMUM:
            raise CardDataMalformed("a file claims to be longer than any file of this card")
        while len(data) < total:
            length = min(total - len(data), SHORT_LE_MAXIMUM)
            response = self._send(_build_read(len(data) >> 8, len(data) & 0xFF, length))
            if isinstance(response.error, OffsetBeyondFile) or (response.succeeded and not response.data):
                raise CardDataMalformed("a file ends before its object does")
            data += response.require_success()
        return data[:total]

    def _read_tries_left(self, reference: int) -> int:
        """Tries left of a reference, 0 when it is blocked, by an empty VERIFY, which uses none.

        Raises `StatusWordError`, and `CardDataMalformed` for an answer that names no number.
        """
        left = self._read_limit(reference)
        if left is None:
            raise CardDataMalformed("the card knows no limit for a secret that has one")
        return left

    def _read_limit(self, reference: int) -> int | None:
        """The same for a reference that may have no limit: then None."""
        response = self._send(self._build_verify(reference, b""))
        match response.error:
            case ComparisonFailed() as error:
                return error.tries_left
            case ReferenceBlocked():
                return 0
            case NoMatchNoLimit():
                return None
        response.require_success()
        raise CardDataMalformed("the card answered a question for the tries left with success")

    def _verify(self, reference: int, pin: Pin, rule: PinRule) -> None:
        """Have the card compare, once.

        Raises `PinMalformed` (nothing sent), `PinRefused`, `PinLocked` or `StatusWordError`.
        """
        _require_match(self._send(self._build_verify(reference, rule.require(pin))))

    def _verify_at_keypad(self, reference: int, keypad: Keypad) -> None:
        """The same for a PIN that is typed on the reader, once.

        Raises also what `judge_entry` says of a PIN that was not typed, and `KeypadFailed`.
        """
        response = self._channel.verify_at_keypad(keypad, self._build_verify(reference, b""))
        if (trouble := judge_entry(response.status)) is not None:
            raise trouble
        _require_match(response)

    def _sign_digest(self, key: int, digest: bytes) -> bytes:
        """PKCS #1 v1.5 signature over a SHA-256 digest (32 bytes). The DigestInfo is built here and nowhere else."""
        if len(digest) != _SHA256_LENGTH:
            raise ValueError("a SHA-256 digest has 32 bytes")
        p2 = key
        if key != DEFAULT_KEY:
            p2 = self._name(key)
        command = CommandApdu(
            CLA_PROPRIETARY, Instruction.COMPUTE_SIGNATURE, 0, p2, _SHA256_DIGEST_INFO + digest, SHORT_LE_MAXIMUM
        )
        signature = self._send(command).require_success()
        if len(signature) not in _SIGNATURE_LENGTHS:
            raise CardDataMalformed("the signature has an unexpected length")
        return signature

    def _build_verify(self, reference: int, characters: bytes) -> CommandApdu:
        return CommandApdu(CLA_ISO, Instruction.VERIFY, 0, self._name(reference), characters)

    def _name(self, file: int) -> int:
        """P2 that names a file: by short identifier, or as the current file after selecting it."""
        if self.forms is not CommandForms.LONG:
            return SHORT_IDENTIFIER | file
        self._send(build_select_file(file)).require_success()
        return CURRENT_FILE

    def _send(self, command: CommandApdu) -> ResponseApdu:
        return self._channel.transmit(command)


def _require_match(response: ResponseApdu) -> None:
    if response.succeeded:
        return
    match response.error:
        case ComparisonFailed(tries_left=0) | ReferenceBlocked():
            raise PinLocked(tries_left=0)
        case ComparisonFailed(tries_left=left):
            raise PinRefused(tries_left=left)
        case NoMatchNoLimit():
            raise PinRefused
        case error:
            raise error


def _build_read(p1: int, p2: int, expected: int, *, extended: bool = False) -> CommandApdu:
    return CommandApdu(CLA_ISO, Instruction.READ_BINARY, p1, p2, expected=expected, extended=extended)
