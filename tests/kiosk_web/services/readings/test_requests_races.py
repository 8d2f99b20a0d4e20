"""Two things happen to one reading at once, and servers stop in every state of one: it ends once, in one way, on every
side alike; nobody is told a result of a request that was over; a terminal is free again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from kiosk_web.services.ports.readings import ReadingRecord
from kiosk_web.services.readings.requests import ReadingRequest
from kiosk_web.services.visit.sessions import Answer, SessionService
from kiosk_web.session import events as e
from tests.kiosk_web.services.readings import test_redirects_basic_four as with_items
from tests.support.api_client import SYSTEM, open_http
from tests.support.basic_four import hand_over, reach_proof, tell_tries
from tests.support.kazashi import take_ticket
from tests.support.kiosk_server import Stand, run_stand
from tests.support.readings import NONCE, Counter, open_asker, told
from tests.support.redirects import REDIRECT, Desk

pytestmark = pytest.mark.anyio
SETTINGS = with_items.SETTINGS
ENDS = {"done", "declined", "failed", "cancelled", "expired"}


@pytest.fixture
async def counter(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Counter]:
    async with run_stand(tmp_path, **SETTINGS) as stand:
        terminal = await stand.opened("library-1")
        with stand.server.monitoring.attend(terminal.id):
            yield Counter(stand, terminal, await open_asker(stand))


async def load(stand: Stand, reading: str) -> ReadingRecord:
    async with stand.server.store.read() as transaction:
        record = await transaction.asked_readings.load(reading)
    assert record is not None
    return record


async def reach_pad(counter: Counter, **asked: Any) -> str:
    """A request, its card read, and the 暗証番号 typed: what is missing is the signature."""
    answer = await counter.asker.ask(**asked)
    assert answer.status_code == 201, answer.text
    stage = await counter.terminal.put_card()
    counter.terminal.ticket = stage.commands[0]["arguments"]["ticket"]
    await counter.terminal.read_card(counter.stand.card())
    await counter.stand.server.sessions.settle()
    await counter.terminal.submit_pin()
    return str(answer.json()["id"])


def between(monkeypatch: pytest.MonkeyPatch, kind: type[e.Event], work: Callable[[], Awaitable[Any]]) -> list[Any]:
    """Once, after the row was written and before the terminal hears of it: `work`. What it gave."""
    apply = SessionService.apply
    given: list[Any] = []

    async def wait(sessions: SessionService, terminal: str, event: e.Event) -> Answer:
        if isinstance(event, kind) and not given:
            given.append(None)
            given[0] = await work()
        return await apply(sessions, terminal, event)

    monkeypatch.setattr(SessionService, "apply", wait)
    return given


# ---- who asks --------------------------------------------------------------------------------------------------------


async def test_of_two_clients_that_ask_one_terminal_at_once_one_is_shown(counter: Counter) -> None:
    askers = [counter.asker, await open_asker(counter.stand, "second")]
    answers = await asyncio.gather(*(asker.ask() for asker in askers))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert [told(answer) for answer in answers if answer.status_code == 409] == ["terminal_busy"]
    (won,) = [number for number, answer in enumerate(answers) if answer.status_code == 201]
    assert (await counter.read(counter.stand.card())).state == "result"
    reading = answers[won].json()["id"]
    claims = await askers[won].open_result((await askers[won].show(reading)).json()["result"])
    assert (claims["jti"], claims["aud"]) == (reading, askers[won].api.name)
    assert told(await askers[1 - won].show(reading)) == "reading_unknown"


async def test_two_terminals_read_for_one_client_at_once_and_each_result_is_of_its_own(counter: Counter) -> None:
    other = await counter.stand.opened("library-2")
    asker = await open_asker(counter.stand, "both", ("library-1", "library-2"))
    with counter.stand.server.monitoring.attend(other.id):
        asked = await asyncio.gather(asker.ask(), asker.ask(terminal="library-2", nonce=NONCE[::-1]))
        readings = [answer.json()["id"] for answer in asked]
        counters = [Counter(counter.stand, terminal, asker) for terminal in (counter.terminal, other)]
        cards = [counter.stand.card(serial) for serial in (0x0A1B2C3D, 0x0A1B2C3F)]
        stages = await asyncio.gather(*(at.read(card) for at, card in zip(counters, cards, strict=True)))
        assert [stage.state for stage in stages] == ["result", "result"]
    shown = await asyncio.gather(*(asker.show(reading) for reading in readings))
    claims = [await asker.open_result(answer.json()["result"]) for answer in shown]
    assert [(one["jti"], one["terminal"], one["nonce"]) for one in claims] == [
        (readings[0], "library-1", NONCE),
        (readings[1], "library-2", NONCE[::-1]),
    ]
    assert claims[0]["ppid"] != claims[1]["ppid"]
    assert len({answer.json()["receipt"] for answer in shown}) == 2


# ---- taken back, or out of time, at the very moment ------------------------------------------------------------------


async def test_a_signature_that_comes_while_the_request_is_taken_back_reaches_no_verdict(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = await reach_pad(counter)
    signed = between(monkeypatch, e.ReadingCancelled, lambda: counter.terminal.sign(counter.stand.card()))
    assert told(await counter.asker.cancel(reading)) == "cancelled"
    assert (signed[0].state, signed[0].code) == ("refused", "reading_withdrawn")
    assert (await counter.look()).code == "reading_withdrawn"
    record = await load(counter.stand, reading)
    assert (record.state, record.result) == ("cancelled", None)


async def test_verdict_and_taking_back_at_once_have_one_outcome(counter: Counter) -> None:
    reading = await reach_pad(counter)
    stage, answer = await asyncio.gather(counter.terminal.sign(counter.stand.card()), counter.asker.cancel(reading))
    record = await load(counter.stand, reading)
    assert record.result is None  # whichever was first, nobody is told it any more
    assert told(answer) == record.state
    assert (record.state, stage.state) in (("done", "result"), ("cancelled", "refused"))


async def test_consent_that_is_given_while_the_request_is_taken_back_leads_to_no_items(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = await reach_pad(counter, basic_four=True)
    assert (await counter.terminal.sign(counter.stand.card())).state == "consenting"

    async def agree() -> None:
        stage = await counter.terminal.send("consent_given")
        assert stage.state == "reading_card"
        take_ticket(counter.terminal, stage)

    agreed = between(monkeypatch, e.ReadingCancelled, agree)
    assert told(await counter.asker.cancel(reading)) == "cancelled"
    assert len(agreed) == 1
    stage = await counter.look()
    assert (stage.state, "K-611" in stage.html) == ("result", True)
    late = await counter.terminal.read_card(counter.stand.card())
    assert late.state == "result"
    assert await with_items.list_ciphertexts(counter.stand) == []


@pytest.mark.parametrize("end", ["taken back", "out of time"])
async def test_items_that_come_while_the_request_ends_are_not_sealed(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    reading = await reach_pad(counter, basic_four=True)
    card = counter.stand.card()
    assert (await counter.terminal.sign(card)).state == "consenting"
    for _ in range(4):
        counter.stand.clock.advance(85)
        assert (await counter.terminal.send("extended")).state == "consenting"
    await reach_proof(counter.stand, counter.terminal, card)
    await tell_tries(counter.terminal)
    handed = between(monkeypatch, e.ReadingCancelled, lambda: hand_over(counter.terminal, card))
    await counter.asker.api.sign_in()
    if end == "taken back":
        assert told(await counter.asker.cancel(reading)) == "cancelled"
    else:
        counter.stand.clock.advance(85)
        await counter.stand.server.upkeep.sweep()
    code = {"taken back": "reading_withdrawn", "out of time": "reading_expired"}[end]
    assert (handed[0].state, f'data-code="{code}"' in handed[0].html) == ("result", True)
    assert await with_items.list_ciphertexts(counter.stand) == []
    record = await load(counter.stand, reading)
    assert (record.state, record.result is None) == (("cancelled", True) if end == "taken back" else ("done", False))


async def test_items_that_were_sealed_just_before_the_time_is_over_are_given(counter: Counter) -> None:
    reading = await reach_pad(counter, basic_four=True)
    card = counter.stand.card()
    assert (await counter.terminal.sign(card)).state == "consenting"
    await reach_proof(counter.stand, counter.terminal, card)
    await tell_tries(counter.terminal)
    sealed, _ = await asyncio.gather(hand_over(counter.terminal, card), counter.stand.server.upkeep.sweep())
    assert sealed.state == "basic_four_sent"
    counter.stand.clock.advance(7 * 60 - 200)
    await counter.stand.server.upkeep.sweep()
    claims = await counter.asker.open_result((await counter.asker.show(reading)).json()["result"])
    assert claims["basic_four"]["outcome"] == "sent"


async def test_a_handle_that_is_brought_while_the_request_is_taken_back_leaves_nothing_on_the_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with run_stand(tmp_path, **SETTINGS) as stand:
        desk = await with_items.open_desk(stand)
        asked = (await desk.asker.ask(redirect=REDIRECT)).json()
        cancelled = between(monkeypatch, e.ReadingRequested, lambda: desk.asker.cancel(asked["id"]))
        opened = await desk.arrive(asked["authorization_uri"])
        assert told(cancelled[0]) == "cancelled"
        assert "K-611" in opened.text
        assert (await desk.terminal.send("finished")).state == "choosing_service"


async def test_a_result_that_is_fetched_while_the_request_is_taken_back_is_gone_afterwards(counter: Counter) -> None:
    reading = await counter.ask()
    assert (await counter.read(counter.stand.card())).state == "result"
    fetched, cancelled = await asyncio.gather(counter.asker.show(reading), counter.asker.cancel(reading))
    assert (fetched.status_code, cancelled.status_code) in ((200, 200), (410, 200))
    assert told(await counter.asker.show(reading)) == "reading_delivered"
    assert (await load(counter.stand, reading)).delivered_at is None


async def test_whoever_waits_hears_that_another_program_of_the_client_took_it_back(tmp_path: Path) -> None:
    """Of a request whose browser has not come yet: no screen changes."""
    async with run_stand(tmp_path, **SETTINGS) as stand:
        desk = await with_items.open_desk(stand)
        reading = (await desk.asker.ask(redirect=REDIRECT)).json()["id"]
        waiting = asyncio.create_task(desk.asker.show(reading, "?wait=25"))
        while not stand.server.feed._subscriptions:
            await asyncio.sleep(0)
        assert told(await desk.asker.cancel(reading)) == "cancelled"
        assert told(await waiting) == "cancelled"


# ---- a server that stops ---------------------------------------------------------------------------------------------


async def reach(desk: Desk, state: str) -> str:
    """The request's id, with the terminal in that state."""
    if state == "asked":
        return str((await desk.asker.ask(redirect=REDIRECT, basic_four=True)).json()["id"])
    if state in ("consenting", "awaiting_text", "basic_four_sent"):
        way = {"consenting": with_items.reach_consent, "awaiting_text": with_items.reach_secret}
        reading, _ = await way[state](desk) if state in way else await with_items.reach_sealed(desk)
        return reading
    asked = (await desk.asker.ask(redirect=REDIRECT)).json()
    await desk.arrive(asked["authorization_uri"])
    if state == "awaiting_card":
        return str(asked["id"])
    stage = await desk.terminal.put_card()
    desk.terminal.ticket = stage.commands[0]["arguments"]["ticket"]
    if state == "reading_card":
        return str(asked["id"])
    if state == "asking the responder":
        desk.stand.responder.gate.clear()
    await desk.terminal.read_card(desk.stand.card())
    if state != "asking the responder":
        await desk.stand.server.sessions.settle()
    if state in ("checking_pin", "result"):
        await desk.terminal.submit_pin()
    if state == "result":
        assert (await desk.terminal.sign(desk.stand.card())).state == "result"
    return str(asked["id"])


STATES = ("asked", "awaiting_card", "reading_card", "asking the responder", "awaiting_pin", "checking_pin", "result")


@pytest.mark.parametrize("state", [*STATES, "consenting", "awaiting_text", "basic_four_sent"])
async def test_a_server_that_stops_in_any_state_ends_it_after_its_start_though_nobody_comes_back(
    tmp_path: Path, state: str
) -> None:
    async with run_stand(tmp_path, **SETTINGS) as stand:
        desk = await with_items.open_desk(stand)
        reading = await reach(desk, state)
        verdict = state in ("result", "consenting", "awaiting_text", "basic_four_sent")
    async with run_stand(tmp_path, stand.clock, **SETTINGS) as again:
        for _ in range(8):
            await again.server.upkeep.sweep()
            await again.server.delivery.sweep()
            again.clock.advance(61)
        await again.server.upkeep.sweep()
        record = await load(again, reading)
        assert record.state in ENDS
        assert (record.state == "done") == verdict
        again.clock.advance(600)
        await again.server.upkeep.sweep()
        await again.server.delivery.sweep()
        assert (await load(again, reading)).result is None  # nobody fetched it
        assert await with_items.list_ciphertexts(again) == []
        # The terminal is free for the next one.
        desk.stand, desk.asker.api.stand = again, again
        desk.terminal.client, desk.asker.api.http = again.client(), open_http(again)
        await desk.asker.api.sign_in()
        opened = await desk.arrive(await desk.ask())
        assert opened.status_code == 200


async def test_a_request_of_a_server_that_stopped_before_it_was_shown_ends_at_its_start(tmp_path: Path) -> None:
    async with run_stand(tmp_path, **SETTINGS) as stand:
        terminal = await stand.opened("library-1")
        asker = await open_asker(stand)
        async with stand.server.store.write() as transaction:
            client = await transaction.clients.find("counter")
            assert client is not None
            asked = ReadingRequest(SYSTEM, "facility", "library-1", NONCE)
            record = await stand.server.upkeep._readings.add_within(transaction, client, asked)
        assert isinstance(record, ReadingRecord)
    async with run_stand(tmp_path, stand.clock, **SETTINGS) as again:
        asker.api.stand, asker.api.http, terminal.client = again, open_http(again), again.client()
        assert told(await asker.show(record.id)) == "failed"
        await terminal.open_page()
        await terminal.take_card()
        with again.server.monitoring.attend(terminal.id):
            assert (await asker.ask()).status_code == 201


@pytest.mark.parametrize(("came", "state"), [(False, "waiting"), (True, "failed")])
async def test_a_start_ends_a_redirected_request_only_if_its_browser_had_come(
    tmp_path: Path, came: bool, state: str
) -> None:
    async with run_stand(tmp_path, **SETTINGS) as stand:
        desk = await with_items.open_desk(stand)
        reading = await reach(desk, "asked")
        if came:  # the handle was used, and the server stopped before there was a screen
            assert len(stand.query("UPDATE reading_redirects SET browser_sha256 = x'00' RETURNING reading_id")) == 1
    async with run_stand(tmp_path, stand.clock, **SETTINGS) as again:
        assert (await load(again, reading)).state == state


async def test_a_start_leaves_a_request_alone_that_its_terminal_shows(tmp_path: Path) -> None:
    async with run_stand(tmp_path, **SETTINGS) as stand:
        desk = await with_items.open_desk(stand)
        reading = await reach(desk, "awaiting_card")
    async with run_stand(tmp_path, stand.clock, **SETTINGS) as again:
        assert (await load(again, reading)).state == "waiting"
