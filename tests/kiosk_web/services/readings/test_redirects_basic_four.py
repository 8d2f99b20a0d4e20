"""The basic 4 information for a system whose own browser page was sent to the terminal: it goes to the system's server,
sealed, for the code; the browser carries none of it, and whatever goes wrong leaves no ciphertext behind a wrong proof.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from kiosk_web.identity.standing import derive_day
from kiosk_web.session import states as s
from kiosk_web.settings.basic_four import BasicFourSettings
from kiosk_web.settings.services import DEMO_SERVICES
from tests.support.api_client import SYSTEM, open_http, problem
from tests.support.basic_four import (
    FOUR,
    NAME,
    build_services,
    find_plain,
    hand_over,
    reach_proof,
    tell_tries,
)
from tests.support.jpki import Issued
from tests.support.kiosk_server import Stand, run_stand
from tests.support.readings import told
from tests.support.receiver import build_systems, unseal
from tests.support.redirects import REDIRECT, Desk, open_asker, read_answer
from tests.support.terminal import Stage, read_claims

pytestmark = pytest.mark.anyio
SILENT = DEMO_SERVICES[0].model_copy(update={"id": "silent"})
SETTINGS: dict[str, Any] = {
    "systems": build_systems(webhook_url="https://booking.example.lg.jp/readings"),
    "services": (*build_services(on_request_only=True), SILENT),
}


async def open_desk(stand: Stand) -> Desk:
    return Desk(stand, await stand.terminal("library-1"), await open_asker(stand))


@pytest.fixture
async def desk(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Desk]:
    async with run_stand(tmp_path, **SETTINGS) as stand:
        yield await open_desk(stand)


async def reach_consent(desk: Desk) -> tuple[str, Issued]:
    """The browser is sent, the card read, and the consent shown. The request's id."""
    asked = (await desk.asker.ask(redirect=REDIRECT, basic_four=True)).json()
    opened = await desk.arrive(asked["authorization_uri"])
    assert "同意した場合だけ" in opened.text
    card = desk.stand.card()
    shown = await desk.read(card)
    assert shown.state == "consenting"
    assert "みほん市 施設予約システム" in shown.html
    return str(asked["id"]), card


async def reach_secret(desk: Desk) -> tuple[str, Issued]:
    reading, card = await reach_consent(desk)
    await reach_proof(desk.stand, desk.terminal, card)
    assert (await tell_tries(desk.terminal)).state == "awaiting_text"
    return reading, card


async def reach_sealed(desk: Desk) -> tuple[str, Stage]:
    """Handed over, and what the resident sees."""
    reading, card = await reach_secret(desk)
    sent = await hand_over(desk.terminal, card)
    assert sent.state == "basic_four_sent"
    return reading, sent


async def go_back(desk: Desk) -> str:
    """The result is closed, the card taken, and the browser sent back. The code."""
    assert (await desk.terminal.take_card()).state == "choosing_service"
    return read_answer(await desk.leave())["code"]


async def redeem_claims(desk: Desk, code: str) -> dict[str, Any]:
    """Redeemed, and acknowledged as a system does that has stored it."""
    redeemed = (await desk.redeem(code)).json()
    assert redeemed["state"] == "done"
    assert (await desk.asker.acknowledge(redeemed["receipt"])).status_code == 204
    return await desk.asker.open_result(redeemed["result"])


async def list_ciphertexts(stand: Stand) -> list[str]:
    async with stand.server.store.read() as transaction:
        rows = await transaction.connection.execute(text("SELECT jwe FROM sealed_readings WHERE jwe <> ''"))
        return list(rows.scalars())


async def test_the_items_go_to_the_server_for_the_code_and_the_browser_carries_none(desk: Desk) -> None:
    reading, sent = await reach_sealed(desk)
    assert all(item in sent.html for item in (NAME, "1980年2月17日", "元の画面に戻ると届きます"))
    assert sent.headers["cache-control"] == "no-store"
    state = (await desk.stand.server.sessions.load(desk.terminal.id)).state
    assert isinstance(state, s.BasicFourSent)
    result = await desk.terminal.send("finished")
    assert "元の画面に戻ると、結果と基本4情報がみほん市 施設予約システムに届きます" in result.html
    assert NAME not in result.html
    progress = (await desk.asker.show(reading)).json()
    assert (progress["state"], progress["result"]) == ("done", None)  # for the code, and in no other way

    assert (await desk.terminal.take_card()).state == "choosing_service"
    back = await desk.leave()
    secrets = (*FOUR[:3], state.result.identifier, state.visit.reference)
    assert [secret for secret in secrets if secret in back] == []
    code = read_answer(back)["code"]
    claims = await redeem_claims(desk, code)
    assert (claims["jti"], claims["accepted"], claims["basic_four"]["outcome"]) == (reading, True, "sent")
    header, plain = unseal(claims["basic_four"]["sealed"])
    statement = json.loads(plain)
    assert header["reference"] == claims["reference"]
    assert statement["ppid"] == claims["ppid"] == state.result.identifier
    assert tuple(statement["basic_four"][name] for name in ("name", "address", "birth", "sex")) == FOUR

    assert problem(await desk.redeem(code)) == (409, "code_refused")
    late = await desk.asker.api.post("sealed-readings", {"system": SYSTEM, "reference": claims["reference"]})
    assert problem(late) == (409, "reading_not_available")
    assert await list_ciphertexts(desk.stand) == []
    assert find_plain(desk.stand.data) == []


async def test_only_the_server_that_brings_the_code_confirms_the_items_of_the_day_of_the_reading(desk: Desk) -> None:
    desk.stand.clock.advance(12 * 3600 - 90)  # a minute and a half to midnight in Japan
    await desk.asker.api.sign_in()
    read_on = derive_day(desk.stand.clock.now)
    await reach_sealed(desk)
    state = (await desk.stand.server.sessions.load(desk.terminal.id)).state
    assert isinstance(state, s.BasicFourSent)
    store = desk.stand.server.store
    async with store.read() as transaction:
        person = await transaction.persons.find_by_ppid(state.result.identifier, SYSTEM)
        assert person is not None

    async def confirmed() -> date | None:
        async with store.read() as transaction:
            return await transaction.confirmations.find(person, SYSTEM)

    desk.stand.clock.advance(59)
    code = await go_back(desk)
    assert await confirmed() is None, "the browser is back, and the server has not come"
    desk.stand.clock.now += timedelta(seconds=50)
    lost = (await desk.redeem(code)).json()
    assert await confirmed() is None, "its answer may be lost"
    again = (await desk.asker.show(lost["id"])).json()
    assert again == lost
    assert (await desk.asker.open_result(again["result"]))["basic_four"]["outcome"] == "sent"
    assert len(await list_ciphertexts(desk.stand)) == 1
    assert (await desk.asker.acknowledge(again["receipt"])).status_code == 204
    assert await list_ciphertexts(desk.stand) == []
    assert derive_day(desk.stand.clock.now) > read_on
    assert await confirmed() == read_on


async def test_it_is_not_sent_by_webhook_as_well(desk: Desk) -> None:
    await reach_sealed(desk)
    async with desk.stand.server.store.read() as transaction:
        assert await transaction.readings.list_due(SYSTEM, desk.stand.clock.now) == ()
    assert len(await list_ciphertexts(desk.stand)) == 1


async def test_who_declines_goes_back_with_the_verdict_alone(desk: Desk) -> None:
    await reach_consent(desk)
    assert await desk.leave() == "/"  # not before the end
    stage = await desk.terminal.send("cancelled")
    assert all(words in stage.html for words in ("基本4情報は渡していません", "元の画面に戻ると、結果が"))
    claims = await redeem_claims(desk, await go_back(desk))
    assert (claims["accepted"], claims["basic_four"]) == (True, {"outcome": "declined", "sealed": None})


async def test_a_wrong_secret_and_a_card_that_is_taken_go_back_with_the_verdict(desk: Desk) -> None:
    await reach_secret(desk)
    challenge = read_claims(desk.terminal.ticket)["jti"]
    await desk.terminal.send("bridge_failed", challenge=challenge, code="text_secret_wrong", tries_left=2)
    first = await redeem_claims(desk, await go_back(desk))

    await reach_secret(desk)
    taken = await desk.terminal.take_card()
    assert (taken.state, taken.code) == ("refused", "card_removed")
    assert all(words in taken.html for words in ("元の画面に戻ると、結果が", "基本4情報は渡していません"))
    assert first["ppid"] not in taken.html
    assert (await desk.terminal.send("finished")).state == "choosing_service"
    second = await redeem_claims(desk, read_answer(await desk.leave())["code"])
    for claims in (first, second):
        assert (claims["accepted"], claims["basic_four"]) == (True, {"outcome": "failed", "sealed": None})
    assert first["ppid"] == second["ppid"]


async def test_a_page_that_is_loaded_anew_goes_back_with_the_verdict(desk: Desk) -> None:
    await reach_secret(desk)
    assert (await desk.terminal.open_page()).state == "choosing_service"
    claims = await redeem_claims(desk, read_answer(await desk.leave())["code"])
    assert (claims["accepted"], claims["basic_four"]["outcome"]) == (True, "failed")
    assert await list_ciphertexts(desk.stand) == []


async def test_a_request_taken_back_at_the_consent_brings_nothing_back(desk: Desk) -> None:
    reading, _ = await reach_consent(desk)
    assert told(await desk.asker.cancel(reading)) == "cancelled"
    stage = await desk.terminal.send("extended")
    assert (stage.state, "K-611" in stage.html, "結果が" in stage.html) == ("result", True, False)
    redeemed = (await desk.redeem(await go_back(desk))).json()
    assert (redeemed["state"], redeemed["result"]) == ("cancelled", None)


async def test_a_request_taken_back_after_the_sealing_leaves_no_ciphertext(desk: Desk) -> None:
    reading, _ = await reach_sealed(desk)
    assert told(await desk.asker.cancel(reading)) == "done"
    assert await list_ciphertexts(desk.stand) == []
    redeemed = (await desk.redeem(await go_back(desk))).json()
    assert (redeemed["state"], redeemed["result"]) == ("done", None)


async def test_a_resident_who_reads_for_too_long_is_told_and_goes_back_with_the_verdict(desk: Desk) -> None:
    await reach_consent(desk)
    for _ in range(5):
        desk.stand.clock.advance(85)
        assert (await desk.terminal.send("extended")).state == "consenting"
    await desk.stand.server.upkeep.sweep()
    stage = await desk.terminal.send("extended")
    assert (stage.state, "K-612" in stage.html) == ("result", True)
    await desk.asker.api.sign_in()  # its token has ended meanwhile
    claims = await redeem_claims(desk, await go_back(desk))
    assert (claims["accepted"], claims["basic_four"]["outcome"]) == (True, "failed")


async def test_items_that_come_after_the_end_of_the_request_are_not_sealed(desk: Desk) -> None:
    """Nobody has swept yet: the request is over by the clock alone."""
    _, card = await reach_consent(desk)
    for _ in range(4):
        desk.stand.clock.advance(85)
        assert (await desk.terminal.send("extended")).state == "consenting"
    await reach_proof(desk.stand, desk.terminal, card)
    assert (await tell_tries(desk.terminal)).state == "awaiting_text"
    desk.stand.clock.advance(85)
    stage = await hand_over(desk.terminal, card)
    assert (stage.state, "K-612" in stage.html, NAME in stage.html) == ("result", True, False)
    assert await list_ciphertexts(desk.stand) == []
    await desk.asker.api.sign_in()  # its token has ended meanwhile
    claims = await redeem_claims(desk, await go_back(desk))
    assert (claims["accepted"], claims["basic_four"]) == (True, {"outcome": "failed", "sealed": None})


async def test_nobody_who_answers_nothing_is_waited_for(desk: Desk) -> None:
    """The times of the screens alone bring the browser back; a card that is left is asked for first."""
    await reach_consent(desk)
    for state in ("result", "taking_card"):
        desk.stand.clock.advance(121)
        await desk.stand.server.upkeep.sweep()
        assert (await desk.stand.server.sessions.load(desk.terminal.id)).state.name == state
    claims = await redeem_claims(desk, await go_back(desk))
    assert (claims["accepted"], claims["basic_four"]["outcome"]) == (True, "declined")


@pytest.mark.parametrize("wrong", [{"code_verifier": "w" * 43}, {"redirect_uri": "https://booking.example.lg.jp/x"}])
async def test_a_code_in_another_session_takes_the_ciphertext_with_it(desk: Desk, wrong: dict[str, str]) -> None:
    await reach_sealed(desk)
    code = await go_back(desk)
    assert len(await list_ciphertexts(desk.stand)) == 1
    assert problem(await desk.redeem(code, **wrong)) == (409, "code_refused")
    assert await list_ciphertexts(desk.stand) == []
    assert problem(await desk.redeem(code)) == (409, "code_refused")


async def test_a_ciphertext_whose_life_has_ended_is_said_to_be_gone(tmp_path: Path) -> None:
    async with run_stand(tmp_path, basic_four=BasicFourSettings(lifetime_minutes=1), **SETTINGS) as stand:
        desk = await open_desk(stand)
        await reach_sealed(desk)
        stand.clock.advance(50)
        code = await go_back(desk)
        stand.clock.advance(11)
        claims = await redeem_claims(desk, code)
        assert (claims["accepted"], claims["basic_four"]) == (True, {"outcome": "gone", "sealed": None})


async def test_a_service_that_does_not_ask_for_the_items_is_refused_in_both_forms(desk: Desk) -> None:
    for redirect in (REDIRECT, None):
        refused = await desk.asker.ask(service="silent", basic_four=True, redirect=redirect)
        assert problem(refused) == (403, "basic_four_not_permitted")
    opened = await desk.arrive(await desk.ask())  # without the items: none are asked for, and the terminal is free
    assert "同意した場合だけ" not in opened.text
    assert (await desk.read(desk.stand.card())).state == "result"
    claims = await redeem_claims(desk, await go_back(desk))
    assert claims["basic_four"] is None


@pytest.mark.parametrize("moment", ["sealed", "left"])
async def test_a_server_that_stops_gives_it_for_the_code_after_its_start(tmp_path: Path, moment: str) -> None:
    async with run_stand(tmp_path, **SETTINGS) as stand:
        desk = await open_desk(stand)
        await reach_sealed(desk)
        code = await go_back(desk) if moment == "left" else ""
        cookies = desk.terminal.client.cookies
    assert find_plain(stand.data) == []
    async with run_stand(tmp_path, stand.clock, **SETTINGS) as again:
        desk.stand, desk.asker.api.stand = again, again
        desk.terminal.client = again.client()
        desk.terminal.client.cookies = cookies
        desk.asker.api.http = open_http(again)
        if moment == "sealed":
            shown = await desk.terminal.open_page(again=True)
            assert (shown.state, NAME in shown.html) == ("basic_four_sent", False)
            assert "みほん市 施設予約システム" in shown.html
            assert (await desk.terminal.send("finished")).state == "result"
            code = await go_back(desk)
        claims = await redeem_claims(desk, code)
        _, plain = unseal(claims["basic_four"]["sealed"])
        assert json.loads(plain)["basic_four"]["name"] == NAME
