"""The wire vocabulary: strict in, plain out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge import messages
from bridge.messages import MalformedMessage, WrongVersion, build_bridge_message, parse_page_message
from bridge.strict_json import encode_base64url

KEY = "A" * 43
TICKET = "aaaa.bbbb.cccc"
LEGAL: dict[str, dict[str, Any]] = {
    "open": {"page_key": KEY},
    "hello": {"ticket": TICKET, "keys": [TICKET]},
    "watch": {"seq": 1},
    "read_certificate": {"seq": 2, "ticket": TICKET},
    "enter_pin": {"seq": 3, "iv": "A" * 16, "data": "A" * 43},
    "authenticate": {"seq": 4},
    "confirm_last_try": {"seq": 5},
    "hand_over": {"seq": 5, "ticket": TICKET},
    "cancel": {"seq": 6},
    "ping": {"seq": 7},
    "bye": {"seq": 8},
}


def text_of(kind: str, **changes: Any) -> str:
    return json.dumps({"v": 1, "type": kind, **LEGAL[kind], **changes})


@pytest.mark.parametrize("kind", LEGAL)
def test_every_message_of_the_page_is_read(kind: str) -> None:
    message = parse_page_message(text_of(kind))
    assert message.kind == kind
    assert message.seq == LEGAL[kind].get("seq", 0)


def test_the_vocabulary_is_the_documents() -> None:
    assert {message.kind for message in messages.PAGE_MESSAGES} == set(LEGAL)


def test_no_message_can_carry_a_command_for_the_card_or_a_digest() -> None:
    free = {
        (kind, name)
        for kind, fields in LEGAL.items()
        for name, value in fields.items()
        if isinstance(value, str) and name != "ticket"
    }
    # an encrypted PIN has 32 bytes with its tag, a key is a point: neither reaches the card as it came
    assert free == {("open", "page_key"), ("enter_pin", "iv"), ("enter_pin", "data")}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        '"watch"',
        "1",
        "{",
        "{}",
        '{"v":1}',
        '{"v":1,"type":"watch"}',
        '{"v":1,"type":"watch","seq":1,"extra":0}',
        '{"v":1,"type":"watch","seq":1,"seq":2}',
        '{"v":1,"v":1,"type":"watch","seq":1}',
        '{"v":1,"type":"watch","seq":NaN}',
        '{"v":1,"type":"watch","seq":Infinity}',
        '{"v":1,"type":"watch","seq":1.0}',
        '{"v":1,"type":"watch","seq":true}',
        '{"v":1,"type":"watch","seq":"1"}',
        '{"v":1,"type":"watch","seq":0}',
        '{"v":1,"type":"watch","seq":-1}',
        '{"v":1,"type":"watch","seq":9007199254740992}',
        '{"v":1,"type":"watch","seq":' + "9" * 5000 + "}",
        '{"v":true,"type":"watch","seq":1}',
        '{"v":"1","type":"watch","seq":1}',
        '{"v":1,"type":"transmit","seq":1}',
        '{"v":1,"type":["watch"],"seq":1}',
        '{"v":1,"type":{"a":{"b":{"c":{}}}},"seq":1}',
        "[" * 8000,
        '{"a":' + "[" * 600 + "]" * 600 + "}",
        '{"a":' * 1600,
        text_of("open", page_key="A" * 42),
        text_of("open", page_key="A" * 44),
        text_of("open", page_key="A" * 42 + "B"),
        text_of("open", page_key="A" * 42 + "="),
        text_of("open", page_key="A" * 42 + "+"),
        text_of("open", page_key=None),
        text_of("open", seq=1),
        text_of("hello", ticket="a.b"),
        text_of("hello", ticket="a.b.c.d"),
        text_of("hello", ticket="a.b.c\n"),
        text_of("hello", ticket="a" * 4096 + ".b.c"),
        text_of("hello", keys=[]),
        text_of("hello", keys=[TICKET] * 5),
        text_of("hello", keys=TICKET),
        text_of("hello", keys=[[TICKET]]),
        text_of("enter_pin", iv=""),
        text_of("enter_pin", data=""),
        text_of("enter_pin", data="A" * 22),
        text_of("enter_pin", iv="1234"),
        text_of("watch") + " " * 8192,
        text_of("watch") + "\ud800",
    ],
)
def test_anything_else_is_malformed_and_never_quoted(text: str) -> None:
    with pytest.raises(MalformedMessage) as caught:
        parse_page_message(text)
    assert not isinstance(caught.value, WrongVersion)
    assert caught.value.__cause__ is None
    assert len(caught.value.reason) < 30


def test_a_binary_frame_is_malformed() -> None:
    with pytest.raises(MalformedMessage):
        parse_page_message(text_of("watch").encode())


@pytest.mark.parametrize("version", [0, 2, 10**9])
def test_another_version_is_told_apart(version: int) -> None:
    with pytest.raises(WrongVersion):
        parse_page_message(text_of("open", v=version))


def test_a_pin_on_the_reader_has_neither_half() -> None:
    message = parse_page_message(text_of("enter_pin", iv="", data=""))
    assert isinstance(message, messages.EnterPin)
    assert (message.iv, message.data) == (b"", b"")


def test_secret_fields_are_not_in_the_repr() -> None:
    for kind in ("hello", "read_certificate", "enter_pin"):
        shown = repr(parse_page_message(text_of(kind)))
        assert "aaaa" not in shown
        assert "x00" not in shown


def test_messages_of_the_bridge_are_compact_json_with_base64url() -> None:
    message = messages.Welcome(b"\xff" * 32, b"\xfe" * 64, keypad=False)
    value = json.loads(build_bridge_message(message))
    assert value == {
        "v": 1,
        "type": "welcome",
        "bridge_key": "_" * 42 + "8",
        "signature": encode_base64url(b"\xfe" * 64),
        "keypad": False,
    }


def test_the_largest_message_fits_the_wire() -> None:
    from bridge.procedure import MAXIMUM_CERTIFICATE

    message = messages.Certificate("A" * 22, bytes(MAXIMUM_CERTIFICATE), 3, 2**53 - 1, bytes(64))
    assert len(build_bridge_message(message)) <= messages.MAXIMUM_BYTES


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(TICKET)
values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.text(max_size=5), scalars, max_size=3)
objects = st.dictionaries(st.sampled_from(["v", "type", "seq", "ticket", "keys", "iv", "data", "x"]), values)
aimed = st.builds(
    lambda kind, changes: LEGAL[kind] | {"v": 1, "type": kind} | changes, st.sampled_from(sorted(LEGAL)), objects
)


@pytest.mark.long
@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200) | objects.map(json.dumps) | aimed.map(json.dumps))
def test_noise_is_a_message_or_a_named_refusal(text: str) -> None:
    try:
        message = parse_page_message(text)
    except MalformedMessage:
        return
    assert message.kind in LEGAL
