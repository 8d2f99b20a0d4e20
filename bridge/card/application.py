"""The applications of the card that this program may open, and every command it may send to each.

The lists are the law of the product in code: the My Number (text application EF 0001), its integrity record (EF 0003,
whose first hash can be searched through), its picture (surface application EF 0005) and verification code A are in no
list, so no command that touches them ever leaves the channel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bridge.card.apdu import CLA_ISO, CLA_PROPRIETARY, CommandApdu, Instruction

SELECT_BY_NAME: Final = 0x04
SELECT_BY_IDENTIFIER: Final = 0x02
NO_CONTROL_INFORMATION: Final = 0x0C
SHORT_IDENTIFIER: Final = 0x80
CURRENT_FILE: Final = 0x80
DEFAULT_KEY: Final = 0x00

_SELECT: Final = (CLA_ISO, Instruction.SELECT)
_READ_BINARY: Final = (CLA_ISO, Instruction.READ_BINARY)
_VERIFY: Final = (CLA_ISO, Instruction.VERIFY)
_COMPUTE_SIGNATURE: Final = (CLA_PROPRIETARY, Instruction.COMPUTE_SIGNATURE)
_GET_RESPONSE: Final = (CLA_ISO, Instruction.GET_RESPONSE)


@dataclass(frozen=True, slots=True)
class Application:
    """One application: its identifier, and the files that may be read, verified against, and used to sign."""

    name: str
    identifier: bytes
    readable: frozenset[int]
    references: frozenset[int]
    keys: frozenset[int]


JPKI_LABEL: Final = 0x06
JPKI_AUTHENTICATION_CERTIFICATE: Final = 0x0A
JPKI_AUTHENTICATION_KEY: Final = 0x17
JPKI_AUTHENTICATION_PIN: Final = 0x18
TEXT_BASIC_FOUR: Final = 0x02
TEXT_PIN: Final = 0x11
TEXT_CODE_B: Final = 0x15
SURFACE_AGE_RECORD: Final = 0x01
SURFACE_ISSUER_CERTIFICATE: Final = 0x04
SURFACE_BIRTH_KEY: Final = 0x11

JPKI: Final = Application(
    name="JPKI",
    identifier=bytes.fromhex("D392F000260100000001"),
    readable=frozenset({JPKI_LABEL, JPKI_AUTHENTICATION_CERTIFICATE}),
    references=frozenset({JPKI_AUTHENTICATION_PIN}),
    keys=frozenset({JPKI_AUTHENTICATION_KEY}),
)
TEXT: Final = Application(
    name="text",
    identifier=bytes.fromhex("D3921000310001010408"),
    readable=frozenset({TEXT_BASIC_FOUR}),
    references=frozenset({TEXT_PIN, TEXT_CODE_B}),
    keys=frozenset(),
)
SURFACE: Final = Application(
    name="surface",
    identifier=bytes.fromhex("D3921000310001010402"),
    readable=frozenset({SURFACE_AGE_RECORD, SURFACE_ISSUER_CERTIFICATE}),
    references=frozenset({SURFACE_BIRTH_KEY}),
    keys=frozenset({DEFAULT_KEY}),
)


def build_select_application(application: Application) -> CommandApdu:
    return CommandApdu(CLA_ISO, Instruction.SELECT, SELECT_BY_NAME, NO_CONTROL_INFORMATION, application.identifier)


def build_select_file(file: int) -> CommandApdu:
    return CommandApdu(
        CLA_ISO, Instruction.SELECT, SELECT_BY_IDENTIFIER, NO_CONTROL_INFORMATION, file.to_bytes(2, "big")
    )


def judge_permitted(command: CommandApdu, application: Application | None) -> bool:
    """True when this command may be sent while `application` is selected (`None`: none yet).

    Everything unlisted is False.
    """
    kind = (command.cla, command.instruction)
    if kind == _GET_RESPONSE:
        return (command.p1, command.p2, command.data) == (0, 0, b"")
    if kind == _SELECT and command.p1 == SELECT_BY_NAME:
        return any(command == build_select_application(known) for known in (JPKI, TEXT, SURFACE))
    return application is not None and _judge_within(command, kind, application)


def _judge_within(command: CommandApdu, kind: tuple[int, int], application: Application) -> bool:
    if kind == _SELECT:
        files = application.readable | application.references | _find_named_keys(application)
        return any(command == build_select_file(file) for file in files)
    if kind == _READ_BINARY:
        return _judge_read(command, application)
    if kind == _VERIFY:
        return _judge_verify(command, application)
    return kind == _COMPUTE_SIGNATURE and _judge_signature(command, application)


def _find_named_keys(application: Application) -> frozenset[int]:
    return application.keys - {DEFAULT_KEY}


def _judge_read(command: CommandApdu, application: Application) -> bool:
    # The offset form reads the current file, which only a permitted SELECT or short identifier can have made current.
    by_offset = not command.p1 & SHORT_IDENTIFIER
    return not command.data and (by_offset or command.p1 & 0x7F in application.readable)


def _judge_verify(command: CommandApdu, application: Application) -> bool:
    p2 = command.p2
    named = p2 == CURRENT_FILE or (p2 > CURRENT_FILE and p2 & 0x7F in application.references)
    return command.p1 == 0 and command.expected is None and named


def _judge_signature(command: CommandApdu, application: Application) -> bool:
    p2, named_keys = command.p2, _find_named_keys(application)
    current = p2 == CURRENT_FILE and bool(named_keys)
    default = p2 == DEFAULT_KEY and DEFAULT_KEY in application.keys
    return command.p1 == 0 and (current or default or (p2 > CURRENT_FILE and p2 & 0x7F in named_keys))
