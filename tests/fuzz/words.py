"""What other programs say: messages of a page to the bridge, data of a card, a status from the database, and the lines
of a batch.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import suppress

from bridge.card import tlv
from bridge.card.token_label import CardKind, parse_token_label
from bridge.errors import CardDataMalformed, NotMyNumberCard
from bridge.messages import PAGE_MESSAGES, MalformedMessage, parse_page_message
from kiosk_web.pki.status import StatusMalformed, from_json, to_json
from kiosk_web.services.lists.rows import Answer, MalformedRow, RowsRefused, build_lines, read_columns, read_question
from kiosk_web.web.wire import EVENT_NAMES, NotStrict, read_event
from tests.fuzz.answers import judge
from tests.fuzz.target import Target
from tests.support.generated_answers import build_answer

TICKET = "eyJhbGciOiJFZERTQSJ9.e30.AAAA"


def build_messages() -> Iterator[bytes]:
    """One of each kind that a page may send."""
    key = "A" * 43
    yield f'{{"v":1,"type":"open","page_key":"{key}"}}'.encode()
    yield f'{{"v":1,"type":"hello","ticket":"{TICKET}","keys":["{TICKET}"]}}'.encode()
    yield f'{{"v":1,"type":"read_certificate","seq":1,"ticket":"{TICKET}"}}'.encode()
    yield f'{{"v":1,"type":"enter_pin","seq":2,"iv":"{"A" * 16}","data":"{key}"}}'.encode()
    for word in ("watch", "authenticate", "confirm_last_try", "cancel", "ping", "bye"):
        yield f'{{"v":1,"type":"{word}","seq":3}}'.encode()


def read_message(data: bytes) -> None:
    """A message or its named error, which repeats nothing of it."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        assert isinstance(parse_page_message(text), PAGE_MESSAGES)
    except MalformedMessage as error:
        assert len(str(error)) < 40
        assert error.__cause__ is None
        assert error.__suppress_context__ or error.__context__ is None


def build_card_data() -> Iterator[bytes]:
    """Token labels, and data objects as the applications hold them."""
    yield from (kind.value.ljust(32).encode() for kind in CardKind)
    yield bytes.fromhex("ff20 08 df21 02 0102 df22 00")
    yield bytes.fromhex("ff40 82 0004 df22 01 41 30 83 000001 00")


def read_card_data(data: bytes) -> None:
    """Values or the named errors; what was read fills what was given."""
    try:
        objects = tlv.parse_objects(data)
        assert sum(len(item.value) for item in objects) <= len(data)
        assert tlv.parse_object(data) == objects[0] if objects else not data
        assert list(tlv.parse_fields(data)) == [item.tag for item in objects]
    except CardDataMalformed:
        pass
    with suppress(CardDataMalformed, NotMyNumberCard):
        assert parse_token_label(data).text == data[:32].decode().rstrip(" \0")


def build_statuses() -> Iterator[bytes]:
    """Outcomes with all their fields."""
    for case in ({}, {"status": "revoked"}, {"status": "unknown"}, {"this update": "-7200"}, {"nonce": "absent"}):
        yield to_json(judge(build_answer(case).response)).encode()


def read_status(data: bytes) -> None:
    """A status that is written again in the very same words, or the named error."""
    text = data.decode("utf-8", "replace")
    try:
        status = from_json(text)
    except StatusMalformed:
        return
    assert from_json(to_json(status)) == status


def build_events() -> Iterator[bytes]:
    """One of each kind that a page may report, without its fields, and some with."""
    yield from (f'{{"v":1,"seq":1,"event":{{"type":"{name}"}}}}'.encode() for name in EVENT_NAMES)
    yield b'{"v":1,"seq":9007199254740991,"event":{"type":"language_chosen","language":"en"}}'


def read_page_event(data: bytes) -> None:
    """An event or the named error with fixed words."""
    try:
        seq, event = read_event(data)
    except NotStrict as error:
        assert len(str(error)) < 40
        return
    assert seq >= 0
    assert type(event) in EVENT_NAMES.values()


COLUMNS = ("id", "issuer_key_id", "serial")


def build_rows() -> Iterator[bytes]:
    """Questions in both formats."""
    yield b'{"id":"a","issuer_key_id":"' + b"8c" * 20 + b'","serial":"0xff"}'
    yield b'{"id":"\\u00e9","certificate":"MAMCAQU="}'
    yield b'"a, ""b""",' + b"8c" * 20 + b",255"
    yield b"id,issuer_key_id,serial"


def read_row(data: bytes) -> None:
    """A question whose answer can be written and read again, or a word."""
    with suppress(RowsRefused):
        assert len(set(read_columns(data))) >= 1
    for columns in (None, COLUMNS):
        try:
            question = read_question(data, columns)
        except MalformedRow as error:
            assert str(error).replace("_", "").isalnum()
            continue
        assert question.certificate is not None or 0 < question.serial < 1 << 160
        answer = Answer(1, question.id, "good")
        assert json.loads(build_lines([answer], "ndjson")).get("id", "") == question.id
        if "\0" not in question.id:
            written = build_lines([answer], "csv").decode()
            assert next(csv.reader(io.StringIO(written, newline="")))[1] == question.id


TARGETS = (
    Target("page_message", read_message, build_messages),
    Target("page_event", read_page_event, build_events),
    Target("card_data", read_card_data, build_card_data, longest=512),
    Target("batch_row", read_row, build_rows),
    Target("stored_status", read_status, build_statuses),
)
