import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.virtual.commands import LengthWrong, parse_command


@pytest.mark.parametrize("raw", ["", "00", "00B000", "00A4020C0200", "00A4020C02000A0000", "00B0000000 00"])
def test_bytes_that_contradict_their_lengths_are_refused(raw: str) -> None:
    with pytest.raises(LengthWrong):
        parse_command(bytes.fromhex(raw))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_command_or_refused(raw: bytes) -> None:
    try:
        command = parse_command(raw)
    except LengthWrong:
        return
    assert command.encode()[:4] == raw[:4]
    assert command.data in raw
