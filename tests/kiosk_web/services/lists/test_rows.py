"""The rows of a batch: what is no question is named, and an answer says nothing of the question but its id."""

from __future__ import annotations

import base64
import csv
import io
import json
from datetime import UTC, datetime

import pytest

from kiosk_web.services.lists.rows import (
    MAX_LINE,
    Answer,
    MalformedRow,
    Question,
    RowsRefused,
    build_head,
    build_lines,
    choose_format,
    read_columns,
    read_question,
)

KEY = "8c" * 20
DER = base64.b64encode(b"0\x03\x02\x01\x05").decode()


def asked(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_a_question_is_about_a_certificate_or_a_serial_number_in_either_format() -> None:
    by_serial = Question("a", None, bytes.fromhex(KEY), 255)
    assert read_question(asked(id="a", issuer_key_id=KEY, serial="255"), None) == by_serial
    assert read_question(asked(id="a", issuer_key_id=KEY.upper(), serial="0xFF"), None) == by_serial
    assert read_question(asked(id="a", issuer_key_id=KEY, serial=255), None) == by_serial
    assert read_question(f"a,{KEY},255".encode(), ("id", "issuer_key_id", "serial")) == by_serial
    by_certificate = Question("", certificate=b"0\x03\x02\x01\x05")
    assert read_question(asked(certificate=DER), None) == by_certificate
    both = ("certificate", "issuer_key_id", "serial")
    assert read_question(f"{DER},,".encode(), both) == by_certificate
    assert read_question(f",{KEY},255".encode(), both).serial == 255


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "not_json"),
        (b"[" * 100_00, "not_json"),
        (b"[]", "not_an_object"),
        (b'{"serial": 1, "serial": 2}', "not_json"),
        (b"\xff", "not_utf8"),
        (b" " * (MAX_LINE + 1), "line_too_long"),
        (asked(name="x"), "unknown_field"),
        (asked(id="a"), "nothing_asked"),
        (asked(serial="5"), "nothing_asked"),
        (asked(id=5, certificate=DER), "id"),
        (asked(id="a" * 201, certificate=DER), "id"),
        (asked(id="\ud800", certificate=DER), "id"),
        (asked(certificate="é"), "certificate"),
        (asked(certificate=5), "certificate"),
        (asked(certificate=DER, serial="5"), "certificate_and_serial"),
        (asked(issuer_key_id="zz", serial="5"), "issuer_key_id"),
        (asked(issuer_key_id="", serial="5"), "issuer_key_id"),
        (asked(issuer_key_id=KEY * 9, serial="5"), "issuer_key_id"),
        (asked(issuer_key_id=KEY, serial="0"), "serial"),
        (asked(issuer_key_id=KEY, serial="-5"), "serial"),
        (asked(issuer_key_id=KEY, serial=True), "serial"),
        (asked(issuer_key_id=KEY, serial=5.0), "serial"),
        (asked(issuer_key_id=KEY, serial="five"), "serial"),
        (asked(issuer_key_id=KEY, serial="1_000"), "serial"),
        (asked(issuer_key_id=KEY, serial="+5"), "serial"),
        (asked(issuer_key_id=KEY, serial="\uff15"), "serial"),
        (asked(issuer_key_id=KEY, serial="0x"), "serial"),
        (asked(issuer_key_id=KEY, serial="0x1_0"), "serial"),
        (asked(issuer_key_id=KEY, serial=10**60), "serial"),
        (asked(issuer_key_id=KEY, serial=f"0x{1 << 160:x}"), "serial"),
        (asked(issuer_key_id=KEY, serial="9" * 5000), "serial"),
    ],
)
def test_what_is_no_question_is_named(line: bytes, why: str) -> None:
    with pytest.raises(MalformedRow, match=f"^{why}$"):
        read_question(line, None)


@pytest.mark.parametrize(("line", "why"), [(b'"a', "not_csv"), (b"a", "other_columns"), (b"a,b,c,d", "other_columns")])
def test_what_is_no_row_of_csv_is_named(line: bytes, why: str) -> None:
    with pytest.raises(MalformedRow, match=f"^{why}$"):
        read_question(line, ("id", "issuer_key_id", "serial"))


@pytest.mark.parametrize("line", [b"", b"id", b"id,serial", b"name,certificate", b"certificate,certificate", b"\xff"])
def test_columns_without_a_question_are_refused_before_anything_is_written(line: bytes) -> None:
    with pytest.raises(RowsRefused, match="first line"):
        read_columns(line)


def test_the_format_is_the_one_named_or_that_of_the_ending() -> None:
    assert [choose_format(name, None) for name in ("a.csv", "b.NDJSON", "c.jsonl")] == ["csv", "ndjson", "ndjson"]
    assert choose_format("-", "csv") == "csv"
    for name, given in (("-", None), ("a.txt", None), ("a.csv", "xml")):
        with pytest.raises(RowsRefused, match="--format"):
            choose_format(name, given)


def test_an_answer_is_a_line_in_either_format() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    answers = [Answer(1, "a", "revoked", "keyCompromise", at, at), Answer(2, "", "not_listed")]
    assert [json.loads(line) for line in build_lines(answers, "ndjson").splitlines()] == [
        {
            "row": 1,
            "id": "a",
            "outcome": "revoked",
            "reason": "keyCompromise",
            "revoked_at": "2026-01-02T03:04:05+00:00",
            "this_update": "2026-01-02T03:04:05+00:00",
        },
        {"row": 2, "outcome": "not_listed"},
    ]
    text = (build_head("csv") + build_lines(answers, "csv")).decode().splitlines()
    assert text[0] == "row,id,outcome,reason,revoked_at,this_update"
    assert text[1:] == [
        "1,a,revoked,keyCompromise,2026-01-02T03:04:05+00:00,2026-01-02T03:04:05+00:00",
        "2,,not_listed,,,",
    ]


@pytest.mark.parametrize("word", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_the_askers_word_comes_back_as_it_was_even_if_a_spreadsheet_takes_it_for_a_formula(word: str) -> None:
    question = read_question(asked(id=word, issuer_key_id=KEY, serial="255"), None)
    written = build_lines([Answer(1, question.id, "not_listed")], "csv").decode()
    assert next(csv.reader(io.StringIO(written, newline="")))[1] == word
