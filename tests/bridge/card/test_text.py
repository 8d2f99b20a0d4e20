from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.card.channel import CardChannel
from bridge.card.pin import Pin
from bridge.card.status_word import SecurityStatusNotSatisfied
from bridge.card.text import BasicFour, TextApplet, parse_basic_four
from bridge.errors import CardDataMalformed, PinMalformed, PinRefused
from tests.support.profiles import CODE_B, TEXT_PIN, write_profile
from tests.support.transports import VirtualTransport, make_card

SHORT_FORM = bytes.fromhex(
    "FF2056DF2108000E0020004A0055DF220FE8A68BE69CACE38080E88AB1E5AD90DF2327E69DB1E4BAACE983BDE58D83E4BBA3E794B0E58CBA"
    "E99C9EE3818CE996A2EFBC91E4B881E79BAEDF24083139393030343031DF250132"
)
"""The synthetic record of docs/card.md."""
LONG_ADDRESS = "東京都千代田区霞が関1丁目" * 4


def open_text(folder: Path, **profile: Any) -> tuple[TextApplet, list[str]]:
    transport = VirtualTransport(make_card(write_profile(folder, **profile)))
    return TextApplet(CardChannel(transport)), transport.sent


def test_the_published_record_is_read() -> None:
    assert parse_basic_four(SHORT_FORM) == BasicFour("見本\u3000花子", "東京都千代田区霞が関１丁目", "19900401", "2")


@pytest.mark.parametrize("long_form", [False, True])
@pytest.mark.parametrize("address", ["市川1-2", LONG_ADDRESS], ids=["short", "long"])
def test_every_length_form_is_read(tmp_path: Path, long_form: bool, address: str) -> None:
    text, _ = open_text(tmp_path, address=address, switches={"long_form_tlv": long_form})
    text.verify_pin(Pin.from_ascii(TEXT_PIN.encode()))
    assert text.read_basic_four() == BasicFour("見本\u3000花子", address, "19800217", "2")


def test_code_b_opens_the_basic_four_and_names_its_tries(tmp_path: Path) -> None:
    text, _ = open_text(tmp_path)
    assert text.read_code_b_tries_left() == 10
    with pytest.raises(PinRefused) as refused:
        text.verify_code_b(Pin.from_ascii(b"0" * 14))
    assert refused.value.tries_left == 9
    text.verify_code_b(Pin.from_ascii(CODE_B.encode()))
    assert text.read_basic_four().birth == "19800217"


def test_nothing_is_read_without_a_secret(tmp_path: Path) -> None:
    text, _ = open_text(tmp_path)
    with pytest.raises(SecurityStatusNotSatisfied):
        text.read_basic_four()


def test_a_code_of_another_length_costs_no_try(tmp_path: Path) -> None:
    text, _ = open_text(tmp_path)
    with pytest.raises(PinMalformed):
        text.verify_code_b(Pin.from_ascii(b"123456789012"))
    assert text.read_code_b_tries_left() == 10
    assert text.read_pin_tries_left() == 3


def test_no_command_names_the_my_number_or_its_record(tmp_path: Path) -> None:
    text, sent = open_text(tmp_path)
    text.verify_pin(Pin.from_ascii(TEXT_PIN.encode()))
    text.read_basic_four()
    assert [command[:6] for command in sent] == ["00A404", "002000", "00B082"]


def test_fields_that_nobody_knows_yet_are_skipped() -> None:
    extra = bytes.fromhex("DF2903") + b"new"
    grown = b"\xff\x20" + bytes((SHORT_FORM[2] + len(extra),)) + SHORT_FORM[3:] + extra
    assert parse_basic_four(grown) == parse_basic_four(SHORT_FORM)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("DF2408 3139393030343031", "DF2408 3139393031333031"),  # the 13th month
        ("DF2408 3139393030343031", "DF2408 31393930AAAA3031"),
        ("DF250132", "DF250141"),
        ("DF250132", "DF260132"),
        ("DF220FE8", "DF220FFF"),
        ("FF2056", "FF2156"),
        ("FF2056", "FF2057"),
        ("FF2056", "FF2050"),
    ],
)
def test_a_record_that_is_wrong_somewhere_is_malformed(before: str, after: str) -> None:
    old, new = bytes.fromhex(before), bytes.fromhex(after)
    assert SHORT_FORM.count(old) == 1
    with pytest.raises(CardDataMalformed):
        parse_basic_four(SHORT_FORM.replace(old, new))


@given(st.binary(max_size=120))
def test_any_bytes_are_a_record_or_malformed(data: bytes) -> None:
    with pytest.raises(CardDataMalformed):
        parse_basic_four(data)


@given(st.integers(0, len(SHORT_FORM) - 1))
def test_a_record_cut_anywhere_is_malformed(length: int) -> None:
    with pytest.raises(CardDataMalformed):
        parse_basic_four(SHORT_FORM[:length])


def test_a_birth_date_whose_day_is_not_known_is_read() -> None:
    unknown = SHORT_FORM.replace(b"19900401", b"19900400")
    assert parse_basic_four(unknown).birth == "19900400"


def test_the_text_of_a_record_shows_nothing_of_the_person() -> None:
    assert repr(parse_basic_four(SHORT_FORM)) == "BasicFour(****)"
