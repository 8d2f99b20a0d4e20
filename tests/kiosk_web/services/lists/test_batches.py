"""How the lines of a batch are cut and read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk_web.services.lists.batches import ROWS_AT_A_TIME, PersonQuestion, read_person_question, split_lines
from kiosk_web.services.lists.rows import MAX_LINE

PPID = "B2P6ZH2UBDM2Q2EPAK5HH77X"


def cut(*chunks: bytes) -> list[list[bytes]]:
    async def arrive() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async def collect() -> list[list[bytes]]:
        return [lines async for lines in split_lines(arrive())]

    coroutine = collect()
    try:
        coroutine.send(None)
    except StopIteration as ended:
        found: list[list[bytes]] = ended.value
        return found
    raise AssertionError("nothing here waits")


@given(
    st.lists(st.binary(max_size=40).map(lambda data: data.replace(b"\n", b"").replace(b"\r", b"")), max_size=20),
    st.data(),
)
def test_lines_are_the_same_however_they_arrive(lines: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(line + b"\n" for line in lines)
    places = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=10)))
    chunks = [whole[start:end] for start, end in zip([0, *places], [*places, len(whole)], strict=True)]
    assert [line for together in cut(*chunks) for line in together] == lines


def test_the_last_line_needs_no_end_and_windows_lines_are_lines() -> None:
    assert cut(b"a\r\nb") == [[b"a"], [b"b"]]
    assert cut(b"a\n") == [[b"a"]]
    assert cut(b"") == []


def test_many_lines_at_once_come_in_portions() -> None:
    assert [len(lines) for lines in cut(b"x\n" * (2 * ROWS_AT_A_TIME + 1))] == [ROWS_AT_A_TIME, ROWS_AT_A_TIME, 1]


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    ((line, after),) = cut(*[b"x" * 60_000] * 50, b"\nshort\n")
    assert MAX_LINE < len(line) <= MAX_LINE + 60_001
    assert after == b"short"


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (b"", "not_json"),
        (b"\xff", "not_utf8"),
        (b"[" * 60_000, "not_json"),
        (b"[]", "not_an_object"),
        (b'{"ppid": "x"}', "ppid"),
        (b'{"id": "a"}', "ppid"),
        (json.dumps({"ppid": PPID.lower()}).encode(), "ppid"),
        (json.dumps({"ppid": PPID, "id": 7}).encode(), "id"),
        (json.dumps({"ppid": PPID, "id": "i" * 201}).encode(), "id"),
        (b'{"ppid": "' + PPID.encode() + b'", "id": "\\ud800"}', "id"),
        (json.dumps({"ppid": PPID, "serial": 7}).encode(), "unknown_field"),
        (f'{{"ppid": "{PPID}", "ppid": "{PPID}"}}'.encode(), "not_json"),
        (json.dumps({"ppid": PPID}).encode("utf-16-le"), "not_json"),
        (b" " * (MAX_LINE + 1), "line_too_long"),
    ],
)
def test_what_is_no_question_has_a_word(line: bytes, word: str) -> None:
    assert read_person_question(line) == word


def test_a_question_about_a_person_is_read() -> None:
    assert read_person_question(json.dumps({"ppid": PPID}).encode()) == PersonQuestion("", PPID)
    assert read_person_question(json.dumps({"ppid": PPID, "id": "図"}).encode()) == PersonQuestion("図", PPID)
