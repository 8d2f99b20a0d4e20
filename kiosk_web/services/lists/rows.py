"""The rows of a batch: what is asked, one record a line, and what is answered, in the same order (docs/crl-batch.md).

NDJSON or CSV with a first line of names. A record asks about a certificate (`certificate`, Base64 of its DER) or about
a serial number (`issuer_key_id` in hexadecimal, `serial` in decimal or with 0x in hexadecimal), and may carry an `id`
of the asker's own, which comes back. An answer repeats nothing else of the question: no certificate, no serial number.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from kiosk_web.errors import KioskError

Format = Literal["ndjson", "csv"]

MAX_LINE = 64 * 1024
"""Octets of one line. A certificate of 8 kB has 11 kB in Base64."""

MAX_ID = 200
ANSWERS = ("row", "id", "outcome", "reason", "revoked_at", "this_update")
"""The fields of an answer, in the order of the CSV columns."""

_QUESTIONS = frozenset({"id", "certificate", "issuer_key_id", "serial"})
_SERIAL_BITS = 160
_KEY_ID_OCTETS = 64
_SERIAL = re.compile(r"0[xX][0-9A-Fa-f]{1,48}|[0-9]{1,50}")
"""Python's own reading of numbers would also take 1_000, +1, and the digits of every script."""


class RowsRefused(KioskError):
    """The input as a whole cannot be read. The message says what to change."""


class MalformedRow(ValueError):
    """One record is no question. The message is a stable word."""


@dataclass(frozen=True, slots=True)
class Question:
    """One record: a certificate, or a serial number and the identifier of its issuer's key."""

    id: str
    certificate: bytes | None = None
    key_id: bytes = b""
    serial: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of the result. `outcome` is a word of docs/crl-batch.md."""

    row: int
    id: str
    outcome: str
    reason: str = ""
    revoked_at: datetime | None = None
    this_update: datetime | None = None


def choose_format(name: str, given: str | None) -> Format:
    """The format that was named, or the one of a file's ending. Raises `RowsRefused`."""
    word = given or {"csv": "csv", "ndjson": "ndjson", "jsonl": "ndjson"}.get(name.lower().rpartition(".")[2], "")
    if word == "csv":
        return "csv"
    if word == "ndjson":
        return "ndjson"
    raise RowsRefused(f"{name}: say --format ndjson or --format csv")


def read_columns(line: bytes) -> tuple[str, ...]:
    """The names in the first line of a CSV input. Raises `RowsRefused`."""
    try:
        columns = tuple(name.strip() for name in _split(line.decode("utf-8-sig")))
    except (UnicodeDecodeError, csv.Error):
        raise RowsRefused("the first line is not CSV in UTF-8") from None
    unknown = [name for name in columns if name not in _QUESTIONS]
    if unknown or len(set(columns)) != len(columns):
        raise RowsRefused(f"the first line has other columns than {', '.join(sorted(_QUESTIONS))}, or one twice")
    if "certificate" not in columns and not {"issuer_key_id", "serial"} <= set(columns):
        raise RowsRefused("the first line names neither certificate nor issuer_key_id and serial")
    return columns


def read_question(line: bytes, columns: Sequence[str] | None) -> Question:
    """One line as a question; `columns` are those of a CSV input, None for NDJSON. Raises `MalformedRow`."""
    if len(line) > MAX_LINE:
        raise MalformedRow("line_too_long")
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise MalformedRow("not_utf8") from None
    return _read_fields(_load_json(text) if columns is None else _load_csv(text, columns))


def _load_json(text: str) -> Mapping[str, Any]:
    try:
        fields = decode_json(text)
    except (ValueError, RecursionError):
        raise MalformedRow("not_json") from None
    if not isinstance(fields, dict):
        raise MalformedRow("not_an_object")
    if not _QUESTIONS.issuperset(fields):
        raise MalformedRow("unknown_field")
    return fields


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("duplicate key")
    return fields


decode_json = json.JSONDecoder(object_pairs_hook=_refuse_duplicates).decode
"""No name twice. Made once: making one takes longer than a row."""

_quote = json.encoder.encode_basestring
"""A text in JSON, in UTF-8 (`ensure_ascii=False`)."""


def _load_csv(text: str, columns: Sequence[str]) -> Mapping[str, Any]:
    try:
        values = _split(text)
    except csv.Error:
        raise MalformedRow("not_csv") from None
    if len(values) != len(columns):
        raise MalformedRow("other_columns")
    return {name: value.strip() for name, value in zip(columns, values, strict=True) if value.strip()}


def _split(text: str) -> list[str]:
    rows = list(csv.reader([text], strict=True))
    return rows[0] if rows else []


def _read_fields(fields: Mapping[str, Any]) -> Question:
    own = fields.get("id", "")
    if not isinstance(own, str) or len(own) > MAX_ID or not _is_text(own):
        raise MalformedRow("id")
    if "certificate" in fields:
        if "serial" in fields or "issuer_key_id" in fields:
            raise MalformedRow("certificate_and_serial")
        return Question(own, certificate=_read_certificate(fields["certificate"]))
    if "serial" not in fields or "issuer_key_id" not in fields:
        raise MalformedRow("nothing_asked")
    return Question(own, key_id=_read_key_id(fields["issuer_key_id"]), serial=_read_serial(fields["serial"]))


def _is_text(value: str) -> bool:
    """Can it be written again? JSON may name half of a character, which no file in UTF-8 can hold."""
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)


def _read_certificate(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else _refuse("certificate")
    except ValueError:
        raise MalformedRow("certificate") from None


def _read_key_id(value: Any) -> bytes:
    try:
        key_id = bytes.fromhex(value.replace(":", "")) if isinstance(value, str) else _refuse("issuer_key_id")
    except ValueError:
        raise MalformedRow("issuer_key_id") from None
    return key_id if 0 < len(key_id) <= _KEY_ID_OCTETS else _refuse("issuer_key_id")


def _read_serial(value: Any) -> int:
    """A positive number of at most 20 octets (RFC 5280 4.1.2.2): text, or in JSON also a plain integer."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise MalformedRow("serial")
    if isinstance(value, str) and _SERIAL.fullmatch(value) is None:
        raise MalformedRow("serial")
    serial = value if isinstance(value, int) else int(value, 16 if value[:2] in ("0x", "0X") else 10)
    if serial <= 0 or serial.bit_length() > _SERIAL_BITS:
        raise MalformedRow("serial")
    return serial


def _refuse(word: str) -> bytes:
    raise MalformedRow(word)


def build_head(form: Format) -> bytes:
    """What an output begins with."""
    return (",".join(ANSWERS) + "\r\n").encode() if form == "csv" else b""


def build_lines(answers: Sequence[Answer], form: Format) -> bytes:
    """The lines of some answers."""
    if form == "csv":
        text = io.StringIO()
        csv.writer(text).writerows((answer.row, *_list_texts(answer)) for answer in answers)
        return text.getvalue().encode()
    return "".join(map(_build_json_line, answers)).encode()


def _list_texts(answer: Answer) -> tuple[str, ...]:
    """What follows the number of the row, "" where there is nothing to say."""
    return (
        answer.id,
        answer.outcome,
        answer.reason,
        answer.revoked_at.isoformat() if answer.revoked_at else "",
        answer.this_update.isoformat() if answer.this_update else "",
    )


def _build_json_line(answer: Answer) -> str:
    """Put together here: an encoder for objects takes longer than the look-up that it writes down."""
    texts = [f'"{name}": {_quote(text)}' for name, text in zip(ANSWERS[1:], _list_texts(answer), strict=True) if text]
    return f'{{"row": {answer.row}, {", ".join(texts)}}}\n'
