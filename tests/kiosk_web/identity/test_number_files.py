"""Files of numbers: each encoding libraries use, errors by line, all or nothing."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk_web.errors import FILE_REFUSALS
from kiosk_web.identity.number_files import ENCODINGS, Encoding, LineError, WrongLine, read_numbers
from kiosk_web.identity.user_numbers import NumberFormat

EIGHT = NumberFormat(r"[0-9]{8}")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_each_encoding_and_line_end_is_read(encoding: Encoding, end: str) -> None:
    data = end.join(("利用者番号", "12345678", "", "１２３４５６７９", "")).encode(encoding)
    read = read_numbers(data, encoding, 1, EIGHT)
    assert read.errors == ()
    assert read.rows == ((2, ("12345678",)), (4, ("12345679",)))


def test_a_byte_order_mark_is_taken_with_utf_8_too() -> None:
    data = "user_number\n12345678\n".encode("utf-8-sig")
    assert read_numbers(data, "utf-8", 1, EIGHT).rows == ((2, ("12345678",)),)


def test_old_numbers_may_have_another_form() -> None:
    read = read_numbers("旧利用者番号,新利用者番号\nA12,12345678\n".encode(), "utf-8", 2, EIGHT)
    assert read.rows == ((2, ("A12", "12345678")),)


@pytest.mark.parametrize(
    ("text", "columns", "errors"),
    [
        ("12345678\n1\n12345678\nx,y\n", 1, [(2, "number_malformed"), (3, "twice"), (4, "columns")]),
        ("1,12345678\n1,12345679\n2,12345678\n12345670,12345670\n", 2, [(2, "twice"), (3, "twice"), (4, "same")]),
        ("", 1, [(0, "empty_file")]),
        ("user_number\n", 1, [(0, "empty_file")]),
        ('12345678\n"1\n', 1, [(2, "not_csv")]),
        ("12345678;12345679\n", 2, [(1, "columns")]),
    ],
)
def test_every_wrong_line_is_named_and_nothing_is_taken(text: str, columns: int, errors: list[tuple[int, str]]) -> None:
    read = read_numbers(text.encode(), "utf-8", columns, EIGHT)  # type: ignore[arg-type]  # 1 or 2
    assert [(wrong.line, wrong.error) for wrong in read.errors] == errors
    assert read.rows == ()


def test_another_encoding_is_named_with_its_line() -> None:
    data = "12345678\n利用者番号\n".encode("cp932")
    assert read_numbers(data, "utf-8", 1, EIGHT).errors == (WrongLine(2, "encoding"),)


@given(st.binary(max_size=200), st.sampled_from(ENCODINGS), st.sampled_from([1, 2]))
def test_whatever_is_in_it_a_file_is_rows_or_errors(data: bytes, encoding: Encoding, columns: int) -> None:
    read = read_numbers(data, encoding, columns, NumberFormat())  # type: ignore[arg-type]  # 1 or 2
    assert bool(read.rows) != bool(read.errors)


def test_every_wrong_line_has_a_sentence() -> None:
    assert set(get_args(LineError)) - set(FILE_REFUSALS) == set()


@pytest.mark.parametrize("heading", [" USER_NUMBER ", "User_Number"])
def test_a_heading_is_known_however_it_is_written_and_only_in_the_first_line(heading: str) -> None:
    assert read_numbers(f"{heading}\n12345678\n".encode(), "utf-8", 1, EIGHT).rows == ((2, ("12345678",)),)
    later = read_numbers(f"12345678\n{heading}\n".encode(), "utf-8", 1, EIGHT)
    assert later.errors == (WrongLine(2, "number_malformed"),)


def test_lines_of_an_old_spreadsheet_end_with_a_carriage_return() -> None:
    read = read_numbers(b"12345678\r12345679\r", "utf-8", 1, EIGHT)
    assert read.rows == ((1, ("12345678",)), (2, ("12345679",)))
