"""A reading on request through the whole server: shown, read, told once; and every other way it can end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kiosk_web.services.ports.readings import ReadingRecord
from kiosk_web.session.states import AwaitingCard
from tests.support.api_client import API_SYSTEMS, OTHER_SYSTEM, register
from tests.support.kiosk_server import run_stand
from tests.support.ocsp_answers import AnswerShape
from tests.support.readings import NONCE, TITLE, Asker, Counter, open_asker, told

pytestmark = pytest.mark.anyio


@pytest.fixture
async def counter(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Counter]:
    async with run_stand(tmp_path, systems=API_SYSTEMS) as stand:
        terminal = await stand.opened("library-1")
        with stand.server.monitoring.attend(terminal.id):
            yield Counter(stand, terminal, await open_asker(stand))


async def test_a_reading_is_shown_read_and_told_once(counter: Counter) -> None:
    reading = await counter.ask()
    stage = await counter.look()
    assert stage.state == "awaiting_card"
    assert TITLE["ja"] in stage.html
    assert told(await counter.asker.show(reading)) == "waiting"
    stage = await counter.read(counter.stand.card())
    assert stage.state == "result"
    assert 'id="told"' in stage.html
    shown = await counter.stand.read_result(counter.terminal)
    answer = await counter.asker.show(reading)
    claims = await counter.asker.open_result(answer.json()["result"])
    assert (claims["accepted"], claims["outcome"], claims["ppid"]) == (True, "good", shown.identifier)
    assert claims["evidence"]["method"] == "ocsp"
    assert {name: claims[name] for name in ("jti", "nonce", "system", "service", "terminal", "reference")} == {
        "jti": reading,
        "nonce": NONCE,
        "system": "facility-booking",
        "service": "facility",
        "terminal": "library-1",
        "reference": shown.visit.reference,
    }
    assert (await counter.asker.show(reading)).json() == answer.json()  # as long as it may have been lost
    assert (await counter.asker.acknowledge(answer.json()["receipt"])).status_code == 204
    again = await counter.asker.show(reading)
    assert (again.status_code, told(again)) == (410, "reading_delivered")
    async with counter.stand.server.store.read() as transaction:
        kept = await transaction.asked_readings.find(reading, "counter")
    assert kept is not None
    assert (kept.state, kept.result) == ("done", None)


async def test_whoever_waits_is_woken_by_the_result(counter: Counter) -> None:
    reading = await counter.ask()
    waiting = asyncio.create_task(counter.asker.show(reading, "?wait=25"))
    assert (await counter.read(counter.stand.card())).state == "result"
    assert told(await waiting) == "done"


async def test_a_client_that_asks_several_times_at_once_gets_one_result(counter: Counter) -> None:
    reading = await counter.ask()
    await counter.read(counter.stand.card())
    answers = await asyncio.gather(*(counter.asker.show(reading) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1


async def test_head_does_not_use_up_a_result(counter: Counter) -> None:
    reading = await counter.ask()
    await counter.read(counter.stand.card())
    assert (await counter.asker._call("HEAD", reading)).status_code == 405
    assert told(await counter.asker.show(reading)) == "done"


async def test_a_refusal_of_the_certificate_is_a_verdict_without_a_ppid(counter: Counter) -> None:
    counter.stand.responder.shape = AnswerShape(status="revoked")
    reading = await counter.ask()
    stage = await counter.read(counter.stand.card())
    assert stage.code == "certificate_revoked"
    assert 'id="told"' in stage.html
    claims = await counter.asker.open_result((await counter.asker.show(reading)).json()["result"])
    assert (claims["accepted"], claims["outcome"], claims["ppid"]) == (False, "revoked", None)


async def test_a_locked_card_is_the_residents_own_matter(counter: Counter) -> None:
    reading = await counter.ask()
    stage = await counter.terminal.put_card()
    counter.terminal.ticket = stage.commands[0]["arguments"]["ticket"]
    assert (await counter.terminal.read_card(counter.stand.card(), tries_left=0)).code == "pin_locked"
    answer = await counter.asker.show(reading)
    assert (told(answer), answer.json()["result"]) == ("failed", None)
    assert "pin" not in answer.text


async def test_the_resident_may_decline_before_a_card_and_after(counter: Counter) -> None:
    reading = await counter.ask()
    assert (await counter.terminal.send("cancelled")).state == "choosing_service"
    assert told(await counter.asker.show(reading)) == "declined"
    reading = await counter.ask()
    await counter.terminal.put_card()
    assert (await counter.terminal.send("cancelled")).code == "cancelled"
    assert told(await counter.asker.show(reading)) == "declined"


@pytest.mark.parametrize("card", [False, True], ids=["before the card", "with the card"])
async def test_the_system_may_take_it_back(counter: Counter, card: bool) -> None:
    reading = await counter.ask()
    if card:
        await counter.terminal.put_card()
    assert told(await counter.asker.cancel(reading)) == "cancelled"
    stage = await counter.look()
    assert (stage.state, stage.code) == ("refused", "reading_withdrawn")
    assert told(await counter.asker.cancel(reading)) == "cancelled"
    assert told(await counter.asker.show(reading)) == "cancelled"


@pytest.mark.parametrize("card", [False, True], ids=["before the card", "at the pad"])
async def test_time_ends_it_on_both_sides(counter: Counter, card: bool) -> None:
    reading = await counter.ask()
    if card:
        counter.stand.clock.advance(20)
        stage = await counter.terminal.put_card()
        counter.terminal.ticket = stage.commands[0]["arguments"]["ticket"]
        await counter.terminal.read_card(counter.stand.card())
        await counter.stand.server.sessions.settle()
    counter.stand.clock.advance(101 if card else 121)
    await counter.stand.server.upkeep.sweep()
    assert told(await counter.asker.show(reading)) == "expired"
    stage = await counter.look()
    assert (stage.state, stage.code) == (("refused", "reading_expired") if card else ("choosing_service", ""))


async def test_a_verdict_that_comes_after_the_time_is_told_to_nobody(counter: Counter) -> None:
    """The sweep has not come yet: the conclusion itself looks at the clock."""
    reading = await counter.ask()
    counter.stand.clock.advance(119)
    stage = await counter.terminal.put_card()
    counter.terminal.ticket = stage.commands[0]["arguments"]["ticket"]
    await counter.terminal.read_card(counter.stand.card())
    await counter.stand.server.sessions.settle()
    counter.stand.clock.advance(2)
    await counter.terminal.submit_pin()
    assert (await counter.terminal.sign(counter.stand.card())).code == "reading_expired"
    assert told(await counter.asker.show(reading)) == "expired"


async def test_nobody_is_interrupted(counter: Counter) -> None:
    """A touch, a card that lies there, a visit, and another request: each makes the terminal busy."""
    await counter.terminal.send("language_chosen", language="en")
    assert told(await counter.asker.ask()) == "terminal_busy"
    await counter.terminal.send("cancelled")
    await counter.terminal.put_card()
    assert told(await counter.asker.ask()) == "terminal_busy"
    await counter.terminal.send("service_chosen", service="library")
    assert told(await counter.asker.ask()) == "terminal_busy"
    await counter.terminal.take_card()
    assert (await counter.terminal.send("finished")).state == "choosing_service"
    await counter.ask()
    answer = await counter.asker.ask()
    assert (answer.status_code, told(answer)) == (409, "terminal_busy")
    state = (await counter.stand.server.sessions.load(counter.terminal.id)).state
    assert isinstance(state, AwaitingCard)


async def test_a_terminal_is_free_again_once_the_card_was_taken(counter: Counter) -> None:
    """Put too early, taken on the clerk's word: the request need not wait until the screen has rested."""
    await counter.terminal.put_card()
    assert told(await counter.asker.ask()) == "terminal_busy"
    await counter.terminal.take_card()
    assert (await counter.asker.ask()).status_code == 201


async def test_what_was_asked_for_is_not_changed_by_a_touch(counter: Counter) -> None:
    await counter.ask()
    assert (await counter.terminal.send("service_chosen", service="library")).refusal == "illegal_event"


async def test_a_page_that_is_loaded_anew_ends_it(counter: Counter) -> None:
    reading = await counter.ask()
    await counter.terminal.open_page()
    assert told(await counter.asker.show(reading)) == "failed"
    await counter.ask()


async def test_a_result_that_nobody_fetches_is_forgotten(counter: Counter) -> None:
    reading = await counter.ask()
    await counter.read(counter.stand.card())
    counter.stand.clock.advance(301)
    await counter.stand.server.upkeep.sweep()
    assert told(await counter.asker.show(reading)) == "token_refused"
    await counter.asker.api.sign_in()
    assert told(await counter.asker.show(reading)) == "reading_delivered"


async def test_a_terminal_without_a_page_is_offline(counter: Counter) -> None:
    await counter.stand.opened("hall-1")
    asker = await open_asker(counter.stand, "hall", ("hall-1",))
    answer = await asker.ask(terminal="hall-1")
    assert (answer.status_code, told(answer)) == (409, "terminal_offline")


async def test_a_client_asks_at_its_own_terminals_for_its_own_services(counter: Counter) -> None:
    refusals = {
        "system_not_permitted": {"system": OTHER_SYSTEM},
        "service_not_permitted": {"service": "library"},
        "terminal_not_permitted": {"terminal": "hall-9"},
    }
    for code, changes in refusals.items():
        answer = await counter.asker.ask(**changes)
        assert (answer.status_code, told(answer)) == (403, code)
    assert told(await counter.asker.ask(service="online")) == "service_not_permitted"
    other = Asker(await (await register(counter.stand, "other")).sign_in())
    assert told(await other.ask()) == "terminal_not_permitted"
    reading = await counter.ask()
    assert told(await other.show(reading)) == "reading_unknown"
    assert told(await other.cancel(reading)) == "reading_unknown"
    assert told(await counter.asker.show(reading)) == "waiting"


@pytest.mark.parametrize("title", ["a\nb", "\u202eevil", "a\u2028b", "\u061c1", "a\u200bb", "x" * 61])
async def test_a_title_that_could_mislead_is_refused(counter: Counter, title: str) -> None:
    assert told(await counter.asker.ask(title={"ja": title, "en": "x"})) == "malformed_request"


async def test_a_title_is_text_and_nothing_else(counter: Counter) -> None:
    await counter.asker.ask(title={"ja": "<b>太字</b>", "en": "x"})
    assert "&lt;b&gt;太字" in (await counter.look()).html


async def revoke(counter: Counter) -> None:
    async with counter.stand.server.store.write() as transaction:
        await transaction.clients.revoke(counter.asker.api.name, counter.stand.clock.now)


async def load(counter: Counter, reading: str) -> ReadingRecord:
    async with counter.stand.server.store.read() as transaction:
        record = await transaction.asked_readings.load(reading)
    assert record is not None
    return record


@pytest.mark.parametrize("moment", ["before the card", "at the pad"])
async def test_a_reading_of_a_client_that_was_revoked_stops_at_the_terminal(counter: Counter, moment: str) -> None:
    reading = await counter.ask()
    if moment == "at the pad":
        stage = await counter.terminal.put_card()
        counter.terminal.ticket = stage.commands[0]["arguments"]["ticket"]
        await counter.terminal.read_card(counter.stand.card())
    await revoke(counter)
    await counter.stand.server.upkeep.sweep()
    stage = await counter.look()
    assert (stage.state, stage.code, "K-623" in stage.html) == ("refused", "reading_client_revoked", True)
    assert 'id="told"' not in stage.html
    assert (await load(counter, reading)).state == "failed"
    await counter.terminal.take_card()
    another = Counter(counter.stand, counter.terminal, await open_asker(counter.stand, "second"))
    await another.terminal.send("finished")
    await another.ask()


async def test_a_verdict_for_a_client_that_was_revoked_is_not_reached(counter: Counter) -> None:
    """Nobody has swept yet: the conclusion itself looks whether there is somebody to tell."""
    reading = await counter.ask()
    stage = await counter.terminal.put_card()
    counter.terminal.ticket = stage.commands[0]["arguments"]["ticket"]
    await counter.terminal.read_card(counter.stand.card())
    await counter.stand.server.sessions.settle()
    await counter.terminal.submit_pin()
    await revoke(counter)
    assert (await counter.terminal.sign(counter.stand.card())).code == "reading_client_revoked"
    record = await load(counter, reading)
    assert (record.state, record.result) == ("failed", None)


async def test_a_result_that_waits_for_a_client_that_was_revoked_is_forgotten(counter: Counter) -> None:
    reading = await counter.ask()
    await counter.read(counter.stand.card())
    assert (await load(counter, reading)).result is not None
    await revoke(counter)
    await counter.stand.server.upkeep.sweep()
    record = await load(counter, reading)
    assert (record.state, record.result, record.delivered_at) == ("done", None, None)
