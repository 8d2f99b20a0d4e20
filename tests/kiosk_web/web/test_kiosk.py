"""Whole visits over HTTP, against the real server, played by a terminal and a card in software."""

from __future__ import annotations

import re

import pytest

from kiosk_web.pki.plan import FetchFailure
from tests.support.kiosk_server import Stand
from tests.support.ocsp_answers import AnswerShape
from tests.support.terminal import read_claims

pytestmark = pytest.mark.anyio


async def test_a_visit_ends_with_a_pseudonym_and_a_reference_number(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card()
    assert (await terminal.send("service_chosen", service="facility")).state == "awaiting_card"
    stage = await terminal.put_card()
    assert (stage.state, stage.command_names) == ("reading_card", ["read_certificate"])
    terminal.ticket = stage.commands[0]["arguments"]["ticket"]
    assert (await terminal.read_card(card)).state == "awaiting_pin"
    await stand.server.sessions.settle()
    stage = await terminal.submit_pin()
    assert (stage.state, stage.command_names) == ("checking_pin", ["authenticate"])
    stage = await terminal.sign(card)
    assert (stage.status, stage.state) == (200, "result")
    assert re.search(r"[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}", stage.html)
    assert (await terminal.take_card()).state == "choosing_service"


async def test_the_ticket_names_what_the_server_chose(stand: Stand) -> None:
    terminal = await stand.opened()
    await terminal.begin("library")
    claims = read_claims(terminal.ticket)
    assert {name: claims[name] for name in ("iss", "aud", "terminal", "origin", "service", "purpose", "method")} == {
        "iss": "kiosk",
        "aud": "kiosk-bridge",
        "terminal": terminal.id,
        "origin": terminal.origin,
        "service": "library",
        "purpose": "identify",
        "method": "pin",
    }
    assert claims["exp"] - claims["iat"] == 180
    assert claims["card"] == "instance-1"


async def _identify(stand: Stand, service: str, serial: int) -> str:
    terminal, card = await stand.opened(f"terminal-{service}-{serial}-{stand.responder.questions}"), stand.card(serial)
    await stand.typing(terminal, card, service)
    await terminal.submit_pin()
    stage = await terminal.sign(card)
    assert stage.state == "result"
    snapshot = await stand.server.sessions.load(terminal.id)
    identifier: str = snapshot.state.identifier  # type: ignore[union-attr]  # it is a result
    await terminal.client.aclose()
    return identifier


async def test_the_same_person_gets_the_same_pseudonym_and_another_person_another_one(stand: Stand) -> None:
    first = await _identify(stand, "facility", 1)
    assert await _identify(stand, "facility", 1) == first
    assert await _identify(stand, "facility", 2) != first


async def test_a_type_2_service_has_no_tile_and_is_refused_by_name_when_it_is_chosen(stand: Stand) -> None:
    terminal = await stand.terminal()
    tiles = re.findall(r'data-service="([^"]*)"', (await terminal.open_page()).html)
    assert tiles == ["facility", "library"]
    refused = await terminal.send("service_chosen", service="online")
    assert (refused.status, refused.refusal, refused.state) == (409, "service_by_api_only", "choosing_service")
    unknown = await terminal.send("service_chosen", service="nothing-like-it")
    assert (unknown.status, unknown.refusal) == (409, "illegal_event")
    assert (await terminal.send("service_chosen", service="library")).state == "awaiting_card"


async def test_the_library_gets_a_mykey_id(stand: Stand) -> None:
    first = await _identify(stand, "library", 1)
    assert re.fullmatch(r"[2-9A-HJ-NP-Z]{8}", first)
    assert await _identify(stand, "library", 1) == first
    assert await _identify(stand, "library", 2) != first


async def test_the_status_is_asked_while_the_resident_types_and_once_only(stand: Stand) -> None:
    stand.responder.gate.clear()
    terminal, card = await stand.opened(), stand.card()
    await terminal.begin()
    stage = await terminal.read_card(card)
    assert (stage.state, stage.command_names) == ("awaiting_pin", [])
    stage = await terminal.submit_pin()
    assert stage.command_names == []
    stand.responder.gate.set()
    await stand.server.sessions.settle()
    assert (await terminal.send("extended")).command_names == ["authenticate"]
    assert (await terminal.sign(card)).state == "result"
    assert stand.responder.questions == 1


async def test_a_signature_before_the_status_waits_for_it(stand: Stand) -> None:
    stand.responder.gate.clear()
    terminal, card = await stand.opened(), stand.card()
    await stand.typing(terminal, card)
    stand.clock.advance(3)
    await stand.server.sessions.sweep()
    assert (await terminal.submit_pin()).command_names == ["authenticate"]
    assert (await terminal.sign(card)).state == "checking"
    stand.responder.gate.set()
    await stand.server.sessions.settle()
    assert (await stand.server.sessions.load(terminal.id)).state.name == "result"


@pytest.mark.parametrize(
    ("shape", "code"),
    [
        (AnswerShape(status="revoked"), "certificate_revoked"),
        (AnswerShape(status="unknown"), "status_unknown"),
    ],
    ids=["revoked", "unknown"],
)
async def test_a_status_that_is_not_good_ends_the_visit_before_the_pin(
    stand: Stand, shape: AnswerShape, code: str
) -> None:
    stand.responder.shape = shape
    terminal = await stand.opened()
    await stand.typing(terminal, stand.card())
    stage = await terminal.send("extended")
    assert (stage.state, stage.code, stage.command_names) == ("refused", code, ["cancel"])


async def test_a_responder_that_is_down_is_neither_valid_nor_revoked(stand: Stand) -> None:
    stand.responder.failure = FetchFailure("connect_failed")
    terminal = await stand.opened()
    await stand.typing(terminal, stand.card())
    stage = await terminal.send("extended")
    assert (stage.state, stage.code) == ("refused", "status_unavailable")


async def test_an_expired_card_is_refused_before_the_responder_is_asked(stand: Stand) -> None:
    terminal = await stand.opened()
    await terminal.begin()
    card = stand.card(not_after=stand.clock.now.replace(year=2025))
    stage = await terminal.read_card(card)
    assert (stage.state, stage.code, stage.command_names) == ("refused", "certificate_expired", ["cancel"])
    assert stand.responder.questions == 0


async def test_a_locked_card_is_refused_at_once(stand: Stand) -> None:
    terminal = await stand.opened()
    await terminal.begin()
    stage = await terminal.read_card(stand.card(), tries_left=0)
    assert (stage.state, stage.code) == ("refused", "pin_locked")


async def test_a_wrong_pin_and_then_the_last_one(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card()
    await stand.typing(terminal, card)
    await terminal.submit_pin()
    challenge = read_claims(terminal.ticket)["jti"]
    stage = await terminal.send("pin_refused", challenge=challenge, tries_left=2)
    assert stage.state == "awaiting_pin"
    await terminal.submit_pin()
    stage = await terminal.send("pin_refused", challenge=challenge, tries_left=1)
    assert stage.state == "confirming_last_pin"
    stage = await terminal.send("last_try_confirmed")
    assert (stage.state, stage.command_names) == ("awaiting_pin", ["authenticate", "confirm_last_try"])
    await terminal.submit_pin()
    assert (await terminal.sign(card)).state == "result"


async def test_a_card_taken_away_ends_the_visit_and_the_next_one_works(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card()
    await stand.typing(terminal, card)
    stage = await terminal.take_card()
    assert (stage.state, stage.code) == ("refused", "card_removed")
    assert (await terminal.send("finished")).state == "choosing_service"
    await stand.typing(terminal, card)
    await terminal.submit_pin()
    assert (await terminal.sign(card)).state == "result"


async def test_language_and_size_go_back_when_the_card_is_taken(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card()
    assert (await terminal.send("language_chosen", language="en")).language == "en"
    await terminal.send("text_size_chosen", size="extra")
    await stand.typing(terminal, card)
    await terminal.submit_pin()
    assert (await terminal.sign(card)).language == "en"
    stage = await terminal.take_card()
    assert stage.language == "ja"
    assert 'data-text-size="normal"' in stage.html or 'data-text-size="extra"' not in stage.html


async def test_an_unknown_service_changes_nothing(stand: Stand) -> None:
    terminal = await stand.opened()
    stage = await terminal.send("service_chosen", service="nowhere")
    assert (stage.status, stage.state, stage.refusal) == (409, "choosing_service", "illegal_event")


async def test_the_same_message_sent_again_changes_nothing(stand: Stand) -> None:
    terminal = await stand.opened()
    first = await terminal.send_as(1, "service_chosen", service="library")
    again = await terminal.send_as(1, "cancelled")
    assert (first.state, again.status, again.state, again.refusal) == (
        "awaiting_card",
        409,
        "awaiting_card",
        "sequence",
    )


async def test_versions_only_rise(stand: Stand) -> None:
    terminal = await stand.opened()
    versions = [(await terminal.send(kind)).version for kind in ("help_called", "help_called", "cancelled", "finished")]
    assert versions == sorted(versions)
    reopened = await terminal.open_page()
    assert reopened.version > versions[-1]


async def test_an_idle_result_goes_away_by_itself(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card()
    await stand.typing(terminal, card)
    await terminal.submit_pin()
    await terminal.sign(card)
    stand.clock.advance(60)
    await stand.server.sessions.sweep()
    assert (await terminal.send("extended")).state == "taking_card"
    assert (await terminal.take_card()).state == "choosing_service"


async def test_a_pin_that_nobody_types_ends_the_visit(stand: Stand) -> None:
    terminal = await stand.opened()
    await stand.typing(terminal, stand.card())
    stand.clock.advance(121)
    await stand.server.sessions.sweep()
    stage = await terminal.send("help_called")
    assert (stage.state, stage.code, stage.command_names) == ("refused", "pin_timeout", ["cancel"])


@pytest.mark.parametrize("cause", ["bridge_missing", "bridge_untrusted", "browser_blocked", "server_lost"])
async def test_a_trouble_the_page_found_has_its_screen_without_a_cookie(stand: Stand, cause: str) -> None:
    async with stand.client() as client:
        answer = await client.get(f"/k/trouble/{cause}")
        assert (answer.status_code, f'data-code="{cause}"' in answer.text) == (200, True)
        assert 'data-state="out_of_service"' in answer.text


async def test_a_page_that_was_taken_over_may_ask_for_its_screen(stand: Stand) -> None:
    async with stand.client() as client:
        shown = (await client.get("/k/trouble/superseded")).text
    assert 'data-state="superseded"' in shown
    for words in ("この画面は使われていません", "This screen is not in use", "この画面を使う", "Use this screen"):
        assert words in shown  # whose visit it was is not known any more
    assert "language_chosen" not in shown  # nobody would answer


async def test_an_unknown_trouble_is_not_found(stand: Stand) -> None:
    async with stand.client() as client:
        assert (await client.get("/k/trouble/pin_locked")).status_code == 404
