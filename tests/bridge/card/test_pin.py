import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.card.pin import BIRTH_KEY, CODE_B, FOUR_DIGITS, SIMULATED_PIN, Pin
from bridge.errors import PinMalformed


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=16))
def test_no_text_form_shows_the_characters(text: str) -> None:
    pin = Pin.from_ascii(text.encode())
    assert {repr(pin), str(pin), f"{pin}", f"{pin!s:>20}".strip(), f"{pin:x}"} == {"Pin(****)"}


@pytest.mark.parametrize("characters", [b"", b"1" * 17, b"12 4", b"abcd", "１２３４".encode(), b"12\x004"])
def test_other_characters_are_refused_without_quoting_them(characters: bytes) -> None:
    with pytest.raises(PinMalformed) as caught:
        Pin.from_ascii(characters)
    assert characters.decode(errors="replace") not in str(caught.value) or not characters


def test_wiping_empties_the_memory_where_the_characters_lie() -> None:
    memory = bytearray(b"1234")
    pin = Pin(memory)
    pin.wipe()
    assert bytes(memory) == b""
    with pytest.raises(PinMalformed):
        pin.reveal()


def test_a_pin_is_copied_from_what_it_is_made_of() -> None:
    source = bytearray(b"1234")
    pin = Pin.from_ascii(source)
    source[:] = bytes(4)
    assert pin.reveal() == b"1234"


def test_a_pin_is_never_pickled_copied_or_hashed() -> None:
    pin = Pin.from_ascii(b"1234")
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy, hash):
        with pytest.raises(TypeError):
            attempt(pin)


def test_two_pins_are_never_equal_so_that_comparing_tells_nothing() -> None:
    assert Pin.from_ascii(b"1234") != Pin.from_ascii(b"1234")


@pytest.mark.parametrize("characters", [b"123", b"12345", b"12A4", b"ABCD"])
def test_the_card_takes_four_digits_and_nothing_else(characters: bytes) -> None:
    with pytest.raises(PinMalformed):
        FOUR_DIGITS.require(Pin.from_ascii(characters))


def test_each_rule_takes_its_own_form() -> None:
    assert FOUR_DIGITS.require(Pin.from_ascii(b"0000")) == b"0000"
    assert SIMULATED_PIN.require(Pin.from_ascii(b"SENTINEL1234")) == b"SENTINEL1234"
    assert BIRTH_KEY.require(Pin.from_ascii(b"550217")) == b"550217"
    assert CODE_B.require(Pin.from_ascii(b"55021720352285")) == b"55021720352285"
