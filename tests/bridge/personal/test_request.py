"""What is refused before anybody is asked, and which bytes a card would sign."""

from __future__ import annotations

import json

import pytest

from bridge.personal.messages import Identify, parse_personal_message
from bridge.personal.request import (
    REMEMBERED_ORIGINS,
    REQUESTS,
    SECONDS_PER_REQUEST,
    OriginPace,
    RequestRefused,
    build_challenge,
    judge_request,
)
from bridge.ticket import UsedTickets
from tests.support.personal import HOME_PAGE, build_identify


def ask(origin: str = HOME_PAGE, expires_in: int = 170, **changes: str) -> Identify:
    message = parse_personal_message(json.dumps(build_identify(origin, expires_in, **changes)))
    assert isinstance(message, Identify)
    return message


def refusal_of(request: Identify, origin: str = HOME_PAGE, used: UsedTickets | None = None) -> str:
    try:
        judge_request(request, origin, used or UsedTickets(), OriginPace(), 0.0)
    except RequestRefused as refusal:
        return refusal.reason
    return ""


def test_a_challenge_for_another_page_is_refused() -> None:
    assert refusal_of(ask()) == ""
    assert refusal_of(ask("https://evil.example")) == "origin_mismatch"
    assert refusal_of(ask(), "https://evil.example") == "origin_mismatch"


def test_an_expired_challenge_is_refused() -> None:
    assert refusal_of(ask(expires_in=0)) == "challenge_expired"


def test_a_challenge_is_used_once() -> None:
    request, used = ask(), UsedTickets()
    assert refusal_of(request, used=used) == ""
    assert refusal_of(request, used=used) == "challenge_used"


def test_an_origin_may_ask_so_often_and_another_does_not_pay_for_it() -> None:
    pace = OriginPace()
    assert [pace.take("https://a", 0.0) for _ in range(int(REQUESTS) + 1)] == [True] * int(REQUESTS) + [False]
    assert pace.take("https://b", 0.0)
    assert pace.take("https://a", SECONDS_PER_REQUEST)
    assert not pace.take("https://a", SECONDS_PER_REQUEST)
    used = UsedTickets()
    for _ in range(int(REQUESTS)):
        judge_request(ask(), HOME_PAGE, used, pace, 0.0)
    with pytest.raises(RequestRefused, match="too_many_requests"):
        judge_request(ask(), HOME_PAGE, used, pace, 0.0)


def test_a_flood_of_origins_is_forgotten_and_not_remembered_for_ever() -> None:
    pace = OriginPace()
    for number in range(10 * REMEMBERED_ORIGINS):
        assert pace.take(f"https://{number}.example", 0.0)
    assert len(pace._levels) == REMEMBERED_ORIGINS


def test_what_the_card_signs_has_the_origin_of_the_handshake() -> None:
    challenge = build_challenge(ask("https://www.example.lg.jp"), "https://evil.example", "card-1")
    assert challenge.origin == "https://evil.example"
    assert (challenge.method, challenge.purpose, challenge.consent, challenge.lease) == ("pin", "identify", b"", "")


def test_what_the_card_signs_is_what_the_client_asked_for() -> None:
    request = ask()
    challenge = build_challenge(request, HOME_PAGE, "card-1")
    assert (challenge.terminal, challenge.service) == ("home-page", "facility-booking")
    assert (challenge.session, challenge.jti) == (request.challenge, request.challenge)
    assert (challenge.nonce, challenge.card) == (request.nonce, "card-1")
    assert "1" * 8 not in repr(request)


def test_a_challenge_that_was_refused_is_not_used_up() -> None:
    used = UsedTickets()
    request = ask()
    assert refusal_of(request, "https://evil.example", used) == "origin_mismatch"
    assert refusal_of(request, used=used) == ""


def test_a_long_rest_is_worth_no_more_than_a_quiet_start() -> None:
    pace = OriginPace()
    assert pace.take("https://a", 0.0)
    later = 1000 * SECONDS_PER_REQUEST
    assert [pace.take("https://a", later) for _ in range(int(REQUESTS) + 1)] == [True] * int(REQUESTS) + [False]
    assert not pace.take("https://a", later + SECONDS_PER_REQUEST * 0.99)
    assert pace.take("https://a", later + SECONDS_PER_REQUEST * 1.01)


def test_who_asked_last_is_remembered_longest() -> None:
    pace = OriginPace()
    for _ in range(int(REQUESTS)):
        assert pace.take("https://a", 0.0)
    for number in range(REMEMBERED_ORIGINS - 1):
        assert pace.take(f"https://{number}.example", 0.0)
    assert not pace.take("https://a", 0.0)
    for number in range(REMEMBERED_ORIGINS - 1):
        assert pace.take(f"https://x{number}.example", 0.0)
    assert not pace.take("https://a", 0.0)
