"""One card as a channel for ISO/IEC 7816-4 commands: what may be sent, and what is done about length hints and a
sleepy start.

A VERIFY is sent once, whatever happens: neither a hint nor a 6F00 nor a lost card sends it again.
"""

from __future__ import annotations

from typing import Final

from bridge.card.apdu import CLA_ISO, CommandApdu, Instruction, ResponseApdu
from bridge.card.application import Application, build_select_application, judge_permitted
from bridge.card.keypad import build_verify_structure
from bridge.card.reader_keypad import Keypad
from bridge.card.status_word import END_OF_FILE, SUCCESS
from bridge.card.transport import CardTransport
from bridge.errors import BridgeError, CardDataMalformed

_REPEATABLE: Final = frozenset({Instruction.SELECT, Instruction.READ_BINARY})
_NO_DIAGNOSIS: Final = 0x6F00
_ANSWER_MAXIMUM: Final = 65536


class ForbiddenCommand(BridgeError):
    """A defect of this program: a command that is not on the list. It was not sent."""


class CardChannel:
    """Sends commands of the selected application over one connection. Used from one thread only."""

    def __init__(self, transport: CardTransport) -> None:
        self._transport = transport
        self._application: Application | None = None
        self._first = True

    @property
    def application(self) -> Application | None:
        """The application that the card has selected, as far as this channel did it."""
        return self._application

    def select(self, application: Application) -> None:
        """Select an application; the card forgets its current file and every PIN it has verified.

        Raises `StatusWordError`.
        """
        self._application = None
        self.transmit(build_select_application(application)).require_success()
        self._application = application

    def transmit(self, command: CommandApdu) -> ResponseApdu:
        """Send one command and follow the length hints of the answer.

        The status can be anything: the caller judges it. 6282 on a read is success with less data than asked for, so
        it comes back as 9000. Raises `ForbiddenCommand`, or what the transport raises.
        """
        if not judge_permitted(command, self._application):
            raise ForbiddenCommand(f"not a permitted command: {command!r}")
        response = self._exchange(command)
        if self._first:
            self._first = False
            if response.status == _NO_DIAGNOSIS and command.instruction in _REPEATABLE:
                response = self._exchange(command)
        if response.status >> 8 == 0x6C and command.instruction in _REPEATABLE:
            response = self._exchange(_with_expected(command, response.status & 0xFF))
        if response.status >> 8 == 0x61:
            response = self._collect(response)
        if response.status == END_OF_FILE and command.instruction == Instruction.READ_BINARY:
            return ResponseApdu(response.data, SUCCESS)
        return response

    def verify_at_keypad(self, keypad: Keypad, command: CommandApdu) -> ResponseApdu:
        """Have the reader fill its holder's digits into a VERIFY and send it, once. The status can be anything, also
        one of the reader's own. Raises `ForbiddenCommand`, or what the keypad raises.
        """
        if not judge_permitted(command, self._application):
            raise ForbiddenCommand(f"not a permitted command: {command!r}")
        return ResponseApdu(b"", keypad.verify(build_verify_structure(command)))

    def _exchange(self, command: CommandApdu) -> ResponseApdu:
        return ResponseApdu(*self._transport.transmit(command.encode()))

    def _collect(self, response: ResponseApdu) -> ResponseApdu:
        """Fetch the rest that a card under T=0 holds back (ISO/IEC 7816-3 clause 12.2.2)."""
        data = response.data
        while response.status >> 8 == 0x61:
            response = self._exchange(_build_get_response(response.status & 0xFF))
            data += response.data
            if not response.data or len(data) > _ANSWER_MAXIMUM:
                raise CardDataMalformed("the card promises more and more data")
        return ResponseApdu(data, response.status)


def _with_expected(command: CommandApdu, hint: int) -> CommandApdu:
    return CommandApdu(command.cla, command.instruction, command.p1, command.p2, command.data, hint or 256)


def _build_get_response(hint: int) -> CommandApdu:
    return CommandApdu(CLA_ISO, Instruction.GET_RESPONSE, 0, 0, expected=hint or 256)
