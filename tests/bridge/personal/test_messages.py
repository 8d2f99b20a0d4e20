"""The words of a page, read strictly."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from bridge.messages import MalformedMessage, WrongVersion
from bridge.personal.messages import Cancel, Identify, build_failed, build_signed, parse_personal_message
from tests.support.personal import HOME_PAGE, build_identify


def read(message: dict[str, Any]) -> object:
    return parse_personal_message(json.dumps(message))


def test_a_request_has_the_fields_of_a_challenge_of_the_api() -> None:
    message = build_identify()
    request = read(message)
    assert isinstance(request, Identify)
    assert (request.origin, request.client, request.system) == (HOME_PAGE, "home-page", "facility-booking")
    assert request.challenge == message["fields"]["session"]
    assert len(request.nonce) == 32
    assert request.seconds == 170
    assert "nonce" not in repr(request)
    assert read({"v": 1, "type": "cancel"}) == Cancel()


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "kazashi"},
        {"purpose": "enrol"},
        {"purpose": "basic_four"},
        {"consent": "x"},
        {"lease": "x"},
        {"terminal": "Home page"},
        {"terminal": ""},
        {"service": "図書館からのお知らせ"},
        {"service": "a" * 33},
        {"session": "short"},
        {"nonce": "AAAA"},
        {"nonce": "A" * 44},
        {"nonce": "!" * 44},
        {"digest": "0" * 64},
        {"apdu": "00200080"},
    ],
)
def test_nothing_else_can_be_asked_to_be_signed(changes: dict[str, str]) -> None:
    with pytest.raises(MalformedMessage):
        read(build_identify(**changes))


@pytest.mark.parametrize("seconds", [-1, 181, 1.5, True, "170", None])
def test_the_time_left_is_a_number_of_seconds(seconds: object) -> None:
    with pytest.raises(MalformedMessage):
        read({**build_identify(), "expires_in": seconds})


def test_a_missing_field_an_unknown_verb_and_another_version_are_refused() -> None:
    message = build_identify()
    del message["fields"]["lease"]
    bad: list[dict[str, Any]] = [message, {"v": 1, "type": "cancel", "why": 1}, {"v": 1, "type": "transmit"}]
    bad += [{**build_identify(), "pin": "1234"}, {**build_identify(), "fields": []}, {"type": "cancel"}]
    for one in bad:
        with pytest.raises(MalformedMessage):
            read(one)
    with pytest.raises(WrongVersion):
        read({"v": 2, "type": "cancel"})
    for text in (b"{}", "[]", "{", json.dumps(build_identify()) + " " * 5000):
        with pytest.raises(MalformedMessage):
            parse_personal_message(text)


def test_the_page_hears_no_tries_and_no_pin() -> None:
    assert json.loads(build_failed("pin_locked")) == {"v": 1, "type": "failed", "code": "pin_locked"}
    signed = json.loads(build_signed(b"c", b"s"))
    assert signed.keys() == {"v", "type", "certificate", "signature"}


@pytest.mark.parametrize("seconds", [0, 180])
def test_a_challenge_holds_for_three_minutes_at_most(seconds: int) -> None:
    request = read({**build_identify(), "expires_in": seconds})
    assert isinstance(request, Identify)
    assert request.seconds == seconds


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("terminal", ("ab", "a" * 32, "a-1"), ("a", "a" * 33, "1a", "-a", "ab\n")),
        ("service", ("a", "a" * 32, "a-1"), ("", "1a", "A", "a_b", "a\n")),
        ("session", ("A" * 22, "_-" * 11), ("A" * 21, "A" * 23, "=" * 22, "A" * 22 + "\n")),
    ],
)
def test_each_name_has_its_form(name: str, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    for text in good:
        assert isinstance(read(build_identify(**{name: text})), Identify)
    for text in bad:
        with pytest.raises(MalformedMessage):
            read(build_identify(**{name: text}))


@pytest.mark.parametrize(
    "nonce",
    [
        base64.b64encode(bytes(31)).decode(),
        base64.b64encode(bytes(33)).decode(),
        base64.b64encode(bytes(32)).decode().rstrip("="),
        "A" * 42 + "B=",  # the same 32 bytes, written otherwise
        base64.b64encode(bytes(32)).decode() + "\n",
        "é" * 44,
    ],
)
def test_a_nonce_is_32_bytes_written_in_the_one_way_there_is(nonce: str) -> None:
    with pytest.raises(MalformedMessage) as refusal:
        read(build_identify(nonce=nonce))
    assert nonce not in str(refusal.value)


def test_a_field_that_is_no_text_is_refused() -> None:
    for value in (None, 1, ["pin"], {}):
        for name in ("origin", "method", "nonce"):
            with pytest.raises(MalformedMessage):
                read(build_identify(**{name: value}))  # type: ignore[arg-type]  # that is the point
    for fields in (None, "fields", 1):
        with pytest.raises(MalformedMessage):
            read({**build_identify(), "fields": fields})


def test_the_longest_message_is_4096_bytes() -> None:
    text = json.dumps(build_identify())
    assert isinstance(parse_personal_message(text + " " * (4096 - len(text))), Identify)
    with pytest.raises(MalformedMessage):
        parse_personal_message(text + " " * (4097 - len(text)))
