"""User numbers: one form for what people type and barcode readers send; a wrong check digit is found."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk_web.identity.user_numbers import (
    CheckDigit,
    NumberFormat,
    NumberRefused,
    judge_check_digit,
    read_user_number,
)

TEN = NumberFormat(r"[0-9]{10}")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1234567890", "1234567890"),
        ("１２３４５６７８９０", "1234567890"),
        (" 1234-5678-90 ", "1234567890"),
        ("1234ー5678ー90", "1234567890"),
        ("A1234567890B", "1234567890"),
        ("a1234567890a", "1234567890"),
    ],
)
def test_what_people_and_readers_give_becomes_one_form(text: str, number: str) -> None:
    assert read_user_number(text, TEN) == number


def test_letters_that_belong_to_the_number_stay() -> None:
    assert read_user_number("a12345b", NumberFormat(r"[AB][0-9]{5}[AB]")) == "A12345B"


@pytest.mark.parametrize(
    "text", ["", "123456789", "12345678901", "12345６78x0", "1234567890\n1", "番号", "1" * 40, "'; --"]
)
def test_what_is_no_number_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(NumberRefused) as refusal:
        read_user_number(text, TEN)
    assert refusal.value.name == "number_malformed"
    assert not text or text not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "1234①",
        "1234²",
        "１２３４⁵",
        "1234½",
        "Ⅳ1234",
        "1234ß",
        "ſ1234",
        "1234\n5678",
        "1234\t5",
        "1234\x005",
        "12\u200b34",
        "١٢٣",
    ],
)
def test_a_sign_that_nobody_writes_in_a_number_makes_no_number_of_somebody_else(text: str) -> None:
    with pytest.raises(NumberRefused):
        read_user_number(text, NumberFormat())


def test_what_a_reader_sends_around_a_number_is_let_go() -> None:
    assert read_user_number("\t1234 5678\r\n", NumberFormat()) == "12345678"
    assert read_user_number("１２３４　５６\u00a0ｰ78", NumberFormat()) == "12345678"


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("luhn", "79927398713"),  # the example of ISO/IEC 7812-1, annex B
        ("luhn", "4111111111111111"),
        ("modulus11", "12345674"),  # 7·2 + 6·3 + 5·4 + 4·5 + 3·6 + 2·7 + 1·2 = 106 = 9·11 + 7, and 7 + 4 = 11
        ("seven_check", "1234567891"),  # 123456789 = 7 · 17636684 + 1
    ],
)
def test_check_digits_are_those_that_others_print(kind: CheckDigit, number: str) -> None:
    assert judge_check_digit(number, kind)
    assert read_user_number(number, NumberFormat(check_digit=kind)) == number
    assert [last for last in string.digits if judge_check_digit(number[:-1] + last, kind)] == [number[-1]]
    assert not judge_check_digit("A" + number, kind)


@given(st.text(string.digits, min_size=2, max_size=20), st.data())
def test_every_single_wrong_digit_is_found_by_luhn(number: str, data: st.DataObject) -> None:
    checked = next(number[:-1] + last for last in string.digits if judge_check_digit(number[:-1] + last, "luhn"))
    place = data.draw(st.integers(0, len(checked) - 1))
    wrong = data.draw(st.sampled_from([sign for sign in string.digits if sign != checked[place]]))
    with pytest.raises(NumberRefused, match="number_check_digit"):
        read_user_number(checked[:place] + wrong + checked[place + 1 :], NumberFormat(check_digit="luhn"))


@given(st.text(max_size=40))
def test_whatever_is_accepted_is_of_plain_signs_and_reads_as_itself(text: str) -> None:
    try:
        number = read_user_number(text, NumberFormat())
    except NumberRefused:
        return
    assert number.isascii()
    assert set(number) <= set(string.digits + string.ascii_uppercase)
    assert read_user_number(number, NumberFormat()) == number


@pytest.mark.parametrize("text", ["12;34", "12 番", "1\x1b[A", "a_b"])
def test_no_pattern_lets_in_what_a_keyboard_could_take_for_a_command(text: str) -> None:
    with pytest.raises(NumberRefused, match="number_malformed"):
        read_user_number(text, NumberFormat(r".*"))


def test_a_number_without_a_check_digit_agrees_with_itself_and_one_digit_with_nothing() -> None:
    assert judge_check_digit("A", "none")
    for kind in ("luhn", "modulus11", "seven_check"):
        assert not judge_check_digit("0", kind)  # type: ignore[arg-type]  # each is one
        assert not judge_check_digit("０００", kind)  # type: ignore[arg-type]
        assert judge_check_digit("00", kind)  # type: ignore[arg-type]


def test_modulus_11_begins_its_weights_anew_and_has_numbers_without_a_check_digit() -> None:
    # from the right 9·2 + 8·3 + 7·4 + 6·5 + 5·6 + 4·7 + 3·2 + 2·3 + 1·4 = 174 = 15·11 + 9, and 9 + 2 = 11
    assert judge_check_digit("1234567892", "modulus11")
    # 6·2 = 12 = 11 + 1, which would need ten
    assert not any(judge_check_digit(f"6{last}", "modulus11") for last in string.digits)
