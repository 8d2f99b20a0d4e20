"""An answer that is lost on its way loses nothing: the same client gets the same again, until its receipt comes back or
two minutes are over. Nobody else gets it, and nothing counts as handed over without a receipt.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kiosk_web.identity.basic_four import BasicFour
from kiosk_web.services.readings.requests import ReadingService
from tests.support.api_client import SYSTEM, ApiClient, open_http, problem, register
from tests.support.kiosk_server import Stand, run_stand
from tests.support.readings import Counter, open_asker, told
from tests.support.receiver import build_systems
from tests.support.redirects import Desk, read_answer
from tests.support.redirects import open_asker as open_desk_asker

pytestmark = pytest.mark.anyio
FOUR = BasicFour("桜井\u3000一郎", "みほん県みほん市一番町1", "19700101", "1")
REFERENCE = "7KQP-29XA"


@pytest.fixture
async def stand(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stand]:
    async with run_stand(tmp_path, systems=build_systems()) as running:
        yield running


async def seal(stand: Stand) -> str:
    async with stand.server.store.write() as transaction:
        sealed = await stand.server.basic_four.record_reading(
            transaction, SYSTEM, REFERENCE, "PPID", FOUR, stand.clock.now
        )
        return sealed.id


async def load_sealed(stand: Stand, reading: str) -> Any:
    async with stand.server.store.read() as transaction:
        return await transaction.readings.find(reading)


async def load_reading(stand: Stand, reading: str) -> Any:
    async with stand.server.store.read() as transaction:
        return await transaction.asked_readings.load(reading)


async def pick_up(client: ApiClient) -> Any:
    return await client.post("sealed-readings", {"system": SYSTEM, "reference": REFERENCE})


async def acknowledge(client: ApiClient, receipt: str) -> Any:
    return await client.post("receipts", {"receipt": receipt})


# ---- the basic 4 information, picked up ------------------------------------------------------------------------------


async def test_a_pick_up_whose_answer_was_lost_is_given_again_to_its_client_alone(stand: Stand) -> None:
    reading = await seal(stand)
    mine = await (await register(stand)).sign_in()
    other = await (await register(stand, "other")).sign_in()
    lost = await pick_up(mine)
    assert (await load_sealed(stand, reading)).delivered_at is None
    stand.clock.advance(119)
    again = await pick_up(mine)
    assert (again.status_code, again.json()) == (200, lost.json())
    assert problem(await pick_up(other)) == (409, "reading_not_available")
    assert problem(await acknowledge(other, again.json()["receipt"])) == (404, "receipt_unknown")
    assert (await load_sealed(stand, reading)).jwe != ""

    assert (await acknowledge(mine, again.json()["receipt"])).status_code == 204
    kept = await load_sealed(stand, reading)
    assert (kept.jwe, kept.delivered_at) == ("", stand.clock.now)
    assert problem(await pick_up(mine)) == (409, "reading_not_available")
    stand.clock.advance(60)
    assert (await acknowledge(mine, again.json()["receipt"])).status_code == 204  # that answer may be lost too
    assert (await load_sealed(stand, reading)).delivered_at == kept.delivered_at


async def test_without_a_receipt_it_is_gone_and_whether_it_arrived_is_not_known(stand: Stand) -> None:
    reading = await seal(stand)
    mine = await (await register(stand)).sign_in()
    taken = await pick_up(mine)
    stand.clock.advance(120)
    assert problem(await pick_up(mine)) == (409, "reading_not_available")  # nobody has swept yet
    assert problem(await acknowledge(mine, taken.json()["receipt"])) == (404, "receipt_unknown")
    await stand.server.delivery.sweep()
    kept = await load_sealed(stand, reading)
    assert (kept.jwe, kept.delivered_at) == ("", None)


async def test_the_end_of_its_life_is_the_end_of_the_two_minutes(stand: Stand) -> None:
    reading = await seal(stand)
    mine = await (await register(stand)).sign_in()
    stand.clock.advance(590)
    await mine.sign_in()
    taken = await pick_up(mine)
    assert taken.status_code == 200
    stand.clock.advance(10)
    assert problem(await pick_up(mine)) == (409, "reading_not_available")
    assert problem(await acknowledge(mine, taken.json()["receipt"])) == (404, "receipt_unknown")
    await stand.server.delivery.sweep()
    kept = await load_sealed(stand, reading)
    assert (kept.jwe, kept.delivered_at) == ("", None)


async def test_a_server_that_stops_before_its_answer_gives_it_after_the_start(tmp_path: Path) -> None:
    async with run_stand(tmp_path, systems=build_systems()) as stand:
        await seal(stand)
        mine = await (await register(stand)).sign_in()
        lost = await pick_up(mine)
    async with run_stand(tmp_path, stand.clock, systems=build_systems()) as again:
        mine.http, mine.stand = open_http(again), again
        await again.server.delivery.sweep()
        answer = await pick_up(mine)
        assert answer.json() == lost.json()
        assert (await acknowledge(mine, answer.json()["receipt"])).status_code == 204


# ---- the result of a reading on request ------------------------------------------------------------------------------


@pytest.fixture
async def counter(stand: Stand) -> AsyncIterator[Counter]:
    terminal = await stand.opened("library-1")
    with stand.server.monitoring.attend(terminal.id):
        yield Counter(stand, terminal, await open_asker(stand))


async def read(counter: Counter) -> str:
    reading = await counter.ask()
    assert (await counter.read(counter.stand.card())).state == "result"
    return reading


async def test_a_result_whose_answer_was_lost_is_given_again_sign_for_sign(counter: Counter) -> None:
    reading = await read(counter)
    lost = await counter.asker.show(reading)
    counter.stand.clock.advance(119)
    again = await counter.asker.show(reading)
    assert again.json() == lost.json()
    kept = await load_reading(counter.stand, reading)
    assert (kept.delivered_at, kept.result is None) == (None, False)
    assert (await counter.asker.acknowledge(again.json()["receipt"])).status_code == 204
    kept = await load_reading(counter.stand, reading)
    assert (kept.delivered_at, kept.result) == (counter.stand.clock.now, None)
    assert told(await counter.asker.show(reading)) == "reading_delivered"
    assert (await counter.asker.acknowledge(again.json()["receipt"])).status_code == 204


async def test_a_result_without_a_receipt_is_gone_after_two_minutes(counter: Counter) -> None:
    reading = await read(counter)
    answer = (await counter.asker.show(reading)).json()
    counter.stand.clock.advance(120)
    assert told(await counter.asker.show(reading)) == "reading_delivered"  # nobody has swept yet
    assert told(await counter.asker.acknowledge(answer["receipt"])) == "receipt_unknown"
    await counter.stand.server.upkeep.sweep()
    kept = await load_reading(counter.stand, reading)
    assert (kept.delivered_at, kept.result) == (None, None)


async def test_a_result_that_waited_too_long_is_not_given_even_before_the_sweep(counter: Counter) -> None:
    reading = await read(counter)
    counter.stand.clock.advance(299)
    await counter.asker.api.sign_in()
    assert told(await counter.asker.show(reading)) == "done"
    counter.stand.clock.advance(119)
    assert told(await counter.asker.show(reading)) == "done"
    await counter.terminal.take_card()
    reading = await read(counter)
    counter.stand.clock.advance(300)
    await counter.asker.api.sign_in()
    assert told(await counter.asker.show(reading)) == "reading_delivered"


async def test_a_client_that_gives_up_after_a_lost_answer_has_not_said_that_it_arrived(counter: Counter) -> None:
    reading = await read(counter)
    lost = (await counter.asker.show(reading)).json()
    assert told(await counter.asker.cancel(reading)) == "done"
    kept = await load_reading(counter.stand, reading)
    assert (kept.delivered_at, kept.result) == (None, None)
    assert told(await counter.asker.acknowledge(lost["receipt"])) == "receipt_unknown"


# ---- with the system's own browser page ------------------------------------------------------------------------------


@pytest.fixture
async def desk(stand: Stand) -> Desk:
    return Desk(stand, await stand.terminal("library-1"), await open_desk_asker(stand))


async def bring_code(desk: Desk) -> str:
    assert (await desk.arrive(await desk.ask())).status_code == 200
    assert (await desk.read(desk.stand.card())).state == "result"
    return read_answer(await desk.leave())["code"]


async def test_who_lost_the_answer_for_a_code_asks_for_the_reading(desk: Desk) -> None:
    code = await bring_code(desk)
    lost = (await desk.redeem(code)).json()
    assert problem(await desk.redeem(code)) == (409, "code_refused")  # a code counts once, whatever became of it
    again = await desk.asker.show(lost["id"])
    assert again.json() == lost
    assert (await desk.asker.acknowledge(again.json()["receipt"])).status_code == 204
    after = (await desk.asker.show(lost["id"])).json()
    assert (after["state"], after["result"], after["receipt"]) == ("done", None, None)


async def test_a_server_that_stops_between_code_and_result_has_done_neither(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = await bring_code(desk)

    def stop(*arguments: object) -> str:
        raise RuntimeError("stopped")

    monkeypatch.setattr(ReadingService, "_sign", stop)
    assert problem(await desk.redeem(code)) == (500, "internal")
    monkeypatch.undo()
    redeemed = await desk.redeem(code)
    assert (redeemed.status_code, redeemed.json()["state"]) == (200, "done")
    assert (await desk.asker.open_result(redeemed.json()["result"]))["accepted"] is True
