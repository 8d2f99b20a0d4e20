"""Strict JSON: what is not exactly as the wire says is refused in fixed words that quote nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk_web.session import events as e
from kiosk_web.web import wire

CHOSEN = {"v": 1, "seq": 1, "event": {"type": "service_chosen", "service": "library"}}
CHANGED = {"type": "card_changed", "reader": "ready", "card": "ours", "instance": "abc"}


def event(**values: object) -> bytes:
    return json.dumps({"v": 1, "seq": 1, "event": values}).encode()


def test_an_event_is_read() -> None:
    assert wire.read_event(json.dumps(CHOSEN).encode()) == (1, e.ServiceChosen("library"))
    assert wire.read_event(event(**CHANGED)) == (1, e.CardChanged("ready", "ours", "abc"))


def test_every_event_of_the_page_has_a_name_on_the_wire() -> None:
    assert set(wire.EVENT_NAMES.values()) == set(e.PAGE_EVENTS)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b"{}",
        b'{"v":1,"seq":1}',
        b'{"v":2,"seq":1,"event":{"type":"finished"}}',
        b'{"v":true,"seq":1,"event":{"type":"finished"}}',
        b'{"v":1,"seq":1,"seq":2,"event":{"type":"finished"}}',
        b'{"v":1,"seq":1,"event":{"type":"finished"},"more":1}',
        b'{"v":1,"seq":NaN,"event":{"type":"finished"}}',
        b'{"v":1,"seq":Infinity,"event":{"type":"finished"}}',
        b'{"v":1,"seq":1.5,"event":{"type":"finished"}}',
        b'{"v":1,"seq":-1,"event":{"type":"finished"}}',
        b'{"v":1,"seq":true,"event":{"type":"finished"}}',
        b'{"v":1,"seq":99999999999999999999,"event":{"type":"finished"}}',
        b'{"v":1,"seq":1,"event":[]}',
        b'{"v":1,"seq":1,"event":{"type":["finished"]}}',
        b'{"v":1,"seq":1,"event":{"type":"page_verified","page":"x"}}',
        b'{"v":1,"seq":1,"event":{"type":"finished","extra":1}}',
        b'{"v":1,"seq":1,"event":{"type":"finished","type":"finished"}}',
        b'{"v":1,"seq":1,"event":{"type":"language_chosen","language":"xx"}}',
        b'{"v":1,"seq":1,"event":{"type":"service_chosen","service":"\\ud800"}}',
        b'{"v":1,"seq":1,"event":{"type":"pin_refused","challenge":"c","tries_left":16}}',
        b'{"v":1,"seq":1,"event":{"type":"pin_refused","challenge":"c","tries_left":"2"}}',
        b'{"v":1,"seq":1,"event":{"type":"pin_submitted","challenge":"c d"}}',
        b"[" * 30_000,
        b'{"v":' + b"9" * 30_000 + b"}",
        b'{"v":1,"seq":1,"event":{"type":{"a":{"b":{"c":1}}}}}',
        b" " * (wire.MAXIMUM_BODY + 1),
    ],
)
def test_what_is_not_exactly_so_is_refused(body: bytes) -> None:
    with pytest.raises(wire.NotStrict) as refusal:
        wire.read_event(body)
    assert len(str(refusal.value)) < 40
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("text", ["AA==", "AB", "A", "A+", "A/", "A A", "é", "A\n"])
def test_binary_has_one_spelling(text: str) -> None:
    with pytest.raises(wire.NotStrict):
        wire.read_binary(text, minimum=0, maximum=100)


@given(st.binary(max_size=200))
def test_garbage_never_does_anything_but_be_refused(body: bytes) -> None:
    with pytest.raises(wire.NotStrict):
        wire.read_event(body)
