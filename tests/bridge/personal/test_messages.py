"""The words of a page, read strictly."""

from __future__ import annotations

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
