"""A VERIFY with a gap for the reader's keys, to the byte, and what the reader's own answers mean."""

from __future__ import annotations

import pytest

from bridge.card.apdu import CommandApdu
from bridge.card.application import JPKI, SURFACE, TEXT, Application
from bridge.card.channel import CardChannel, ForbiddenCommand
from bridge.card.keypad import build_verify_structure, judge_entry
from bridge.card.pin import CODE_B, SIMULATED_PIN
from bridge.card.reader_keypad import find_verify_control
from bridge.errors import BridgeError, Cancelled, KeypadFailed, PinMalformed, PinTimeout

VERIFY = CommandApdu(0x00, 0x20, 0x00, 0x98)


def test_the_structure_to_the_byte() -> None:
    expected = (
        "3C 1E"  # bTimeOut 60 s, bTimeOut2 30 s
        "82 04 00"  # bmFormatString: ASCII in bytes, left; bmPINBlockString: 4 bytes; bmPINLengthFormat: none
        "04 04"  # wPINMaxExtraDigit 0404: from 4 to 4
        "02"  # bEntryValidationCondition: the key that confirms
        "01 11 04 00"  # bNumberMessage, wLangId 0411, bMsgIndex
        "00 00 00"  # bTeoPrologue
        "09 00 00 00"  # ulDataLength
        "00 20 00 98 04 FF FF FF FF"  # abData
    )
    assert build_verify_structure(VERIFY) == bytes.fromhex(expected)


@pytest.mark.parametrize("p2", [0x80, 0x91])
def test_the_reference_is_that_of_the_command(p2: int) -> None:
    structure = build_verify_structure(CommandApdu(0x00, 0x20, 0x00, p2))
    assert structure[-9:] == bytes((0x00, 0x20, 0x00, p2, 0x04)) + b"\xff" * 4
    assert b"0" not in structure[-4:]


def test_a_longer_secret_of_one_length_has_a_gap_of_that_length() -> None:
    structure = build_verify_structure(VERIFY, CODE_B)
    assert (structure[3], structure[5:7], structure[-14:]) == (14, b"\x0e\x0e", b"\xff" * 14)


@pytest.mark.parametrize(
    "command",
    [
        CommandApdu(0x00, 0x20, 0x00, 0x98, b"1234"),
        CommandApdu(0x00, 0x20, 0x00, 0x98, expected=256),
        CommandApdu(0x00, 0x20, 0x00, 0x98, extended=True),
        CommandApdu(0x80, 0x2A, 0x00, 0x97),
        CommandApdu(0x00, 0x24, 0x00, 0x98),
    ],
)
def test_no_other_command_has_a_pin_typed_into_it(command: CommandApdu) -> None:
    with pytest.raises(ValueError, match="only a VERIFY"):
        build_verify_structure(command)


def test_a_secret_whose_length_varies_is_not_typed_on_a_reader() -> None:
    with pytest.raises(ValueError, match="cannot be typed"):
        build_verify_structure(VERIFY, SIMULATED_PIN)


def test_the_control_code_is_big_endian_and_found_in_any_place() -> None:
    features = bytes.fromhex("0A044233000A060442330006")
    assert find_verify_control(features) == 0x42330006
    assert find_verify_control(features[:6]) is None
    assert find_verify_control(b"") is None
    for length in range(1, 12):
        assert length == 6 or find_verify_control(features[:length]) is None


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (0x6400, PinTimeout),
        (0x6401, Cancelled),
        (0x6402, PinMalformed),
        (0x6403, PinMalformed),
        (0x6B80, KeypadFailed),
    ],
)
def test_what_the_reader_itself_answers_has_a_name(status: int, error: type[BridgeError]) -> None:
    assert type(judge_entry(status)) is error


@pytest.mark.parametrize("status", [0x9000, 0x63C2, 0x6300, 0x6983, 0x6984, 0x6982, 0x6404, 0x6B00])
def test_every_other_answer_is_the_cards(status: int) -> None:
    assert judge_entry(status) is None


class _Recorder:
    def __init__(self) -> None:
        self.structures: list[bytes] = []

    def transmit(self, command: bytes) -> tuple[bytes, int]:
        return b"", 0x9000

    def verify(self, structure: bytes) -> int:
        self.structures.append(structure)
        return 0x9000


@pytest.mark.parametrize(
    ("application", "p2"), [(JPKI, 0x9B), (TEXT, 0x94), (SURFACE, 0x98)], ids=["signature", "code A", "elsewhere"]
)
def test_a_reference_that_may_not_be_verified_is_not_verified_on_the_reader_either(
    application: Application, p2: int
) -> None:
    recorder = _Recorder()
    channel = CardChannel(recorder)
    channel.select(application)
    with pytest.raises(ForbiddenCommand):
        channel.verify_at_keypad(recorder, CommandApdu(0x00, 0x20, 0x00, p2))
    assert recorder.structures == []
