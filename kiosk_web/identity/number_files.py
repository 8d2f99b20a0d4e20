"""Files of user numbers as libraries write them: one column, or old and new. Read whole or not at all. PURE.

CSV (RFC 4180) with or without a heading line, in UTF-8 (also with a byte order mark) or the Windows code page 932.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from kiosk_web.identity.user_numbers import NumberFormat, NumberRefused, read_user_number

Encoding = Literal["utf-8", "utf-8-sig", "cp932"]
ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
HEADINGS = (("user_number",), ("利用者番号",), ("old", "new"), ("旧利用者番号", "新利用者番号"))
LineError = Literal[
    "encoding", "columns", "number_malformed", "number_check_digit", "twice", "same", "not_csv", "empty_file"
]


@dataclass(frozen=True)
class WrongLine:
    """`line` counts from 1; 0 is the file as a whole. The content is not quoted."""

    line: int
    error: LineError


@dataclass(frozen=True, repr=False)
class NumberRows:
    """`rows` are (line, numbers); empty where there is an error."""

    rows: tuple[tuple[int, tuple[str, ...]], ...]
    errors: tuple[WrongLine, ...]


def read_numbers(data: bytes, encoding: Encoding, columns: Literal[1, 2], form: NumberFormat) -> NumberRows:
    """All rows, or all that is wrong. A number may occur once in each column; in a row of two they must differ.

    The old numbers of a renumbering need not have today's form: they are read as whatever plain signs they are.
    """
    try:
        # "utf-8" takes a byte order mark too: it is what spreadsheets write
        text = data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        return NumberRows((), (WrongLine(data[: error.start].count(b"\n") + 1, "encoding"),))
    rows: list[tuple[int, tuple[str, ...]]] = []
    errors: list[WrongLine] = []
    seen: tuple[set[str], ...] = (set(), set())
    for line, cells in _split(text):
        numbers = _read_line(cells, columns, form) if cells is not None else "not_csv"
        if isinstance(numbers, str):
            errors.append(WrongLine(line, numbers))
        elif any(number in column for number, column in zip(numbers, seen, strict=False)):
            errors.append(WrongLine(line, "twice"))
        else:
            rows.append((line, numbers))
            for number, column in zip(numbers, seen, strict=False):
                column.add(number)
    if not rows and not errors:
        errors.append(WrongLine(0, "empty_file"))
    return NumberRows(() if errors else tuple(rows), tuple(errors))


def _split(text: str) -> Iterator[tuple[int, list[str] | None]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error:
            yield reader.line_num, None
            return
        if cells is None:
            return
        words = tuple(cell.strip().lower() for cell in cells)
        if any(words) and not (reader.line_num == 1 and words in HEADINGS):
            yield reader.line_num, cells


def _read_line(cells: list[str], columns: int, form: NumberFormat) -> tuple[str, ...] | LineError:
    if len(cells) != columns:
        return "columns"
    forms = (form,) if columns == 1 else (NumberFormat(), form)
    try:
        numbers = tuple(read_user_number(cell, one) for cell, one in zip(cells, forms, strict=True))
    except NumberRefused as refused:
        return refused.name
    return "same" if columns == 2 and numbers[0] == numbers[1] else numbers
