import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.card.apdu import CommandApdu, Instruction, ResponseApdu
from bridge.card.status_word import FileNotFound
from bridge.virtual.commands import parse_command

BYTES = st.integers(0, 255)


@pytest.mark.parametrize(
    ("command", "encoded"),
    [
        (CommandApdu(0x00, 0x20, 0x00, 0x98), "00200098"),
        (CommandApdu(0x00, 0xB0, 0x8A, 0x00, expected=256), "00B08A0000"),
        (CommandApdu(0x00, 0xB0, 0x06, 0x00, expected=47), "00B006002F"),
        (CommandApdu(0x00, 0xA4, 0x02, 0x0C, b"\x00\x0a"), "00A4020C02000A"),
        (CommandApdu(0x80, 0x2A, 0x00, 0x80, b"\x01", 256), "802A0080010100"),
        (CommandApdu(0x00, 0xB0, 0x8A, 0x00, expected=65536, extended=True), "00B08A00000000"),
        (CommandApdu(0x80, 0x2A, 0x00, 0x80, b"\x01\x02", 256, extended=True), "802A008000000201020100"),
    ],
)
def test_each_case_of_the_standard_is_encoded(command: CommandApdu, encoded: str) -> None:
    assert command.encode().hex().upper() == encoded


@given(
    header=st.tuples(BYTES, BYTES, BYTES, BYTES),
    data=st.binary(max_size=255),
    expected=st.one_of(st.none(), st.integers(1, 256)),
)
def test_a_short_command_arrives_at_the_card_as_it_left(
    header: tuple[int, int, int, int], data: bytes, expected: int | None
) -> None:
    command = CommandApdu(*header, data, expected)
    assert parse_command(command.encode()) == command


@given(data=st.binary(max_size=600), expected=st.one_of(st.none(), st.integers(1, 65536)))
def test_an_extended_command_arrives_at_the_card_as_it_left(data: bytes, expected: int | None) -> None:
    command = CommandApdu(0x80, 0x2A, 0, 0, data, expected, extended=bool(data) or expected is not None)
    assert parse_command(command.encode()) == command


@pytest.mark.parametrize(
    "fields",
    [
        {"p1": 256},
        {"p2": -1},
        {"data": bytes(256)},
        {"expected": 0},
        {"expected": 257},
        {"expected": 65537, "extended": True},
    ],
)
def test_a_field_out_of_range_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        CommandApdu(**({"cla": 0, "instruction": 0xB0, "p1": 0, "p2": 0} | fields))  # type: ignore[arg-type]  # by name, one wrong at a time


def test_the_text_of_a_verify_never_shows_the_pin() -> None:
    command = CommandApdu(0x00, Instruction.VERIFY, 0, 0x98, b"4711")
    for text in (repr(command), str(command), f"{command}", repr([command])):
        assert "4711" not in text
        assert "34373131" not in text
    assert "4 bytes masked" in repr(command)


def test_the_text_of_an_answer_never_shows_what_was_read() -> None:
    response = ResponseApdu(b"personal", 0x9000)
    assert "personal" not in repr(response)
    assert b"personal".hex() not in repr(response)


def test_an_answer_that_is_no_success_is_its_named_error() -> None:
    with pytest.raises(FileNotFound, match="6A82"):
        ResponseApdu(b"", 0x6A82).require_success()
    assert ResponseApdu(b"data", 0x9000).require_success() == b"data"


def test_other_commands_show_their_bytes() -> None:
    assert repr(CommandApdu(0x00, 0xA4, 0x02, 0x0C, b"\x00\x0a")) == "CommandApdu(00A4020C 000A Le=None)"
