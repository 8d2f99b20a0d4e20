"""The linked number on a result: who gets it, for how long, how often, and what is written down about it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kiosk_web.log import configure_log
from kiosk_web.settings.handover import HandoverSettings, LibrarySettings, SystemHandover, TerminalHandover
from tests.support.kiosk_server import Stand, run_stand
from tests.support.library import build_library, serving
from tests.support.terminal import Terminal, read_claims

pytestmark = pytest.mark.anyio
NUMBER = "2026041823"
SYSTEM = "city-library"
COUNTER = HandoverSettings(
    systems={SYSTEM: SystemHandover(barcode="nw7")},
    terminals={"library-1": TerminalHandover(layout="counter", output="wedge")},
)
SELF_SERVICE = HandoverSettings(systems={SYSTEM: SystemHandover(barcode="code39")})


@contextlib.asynccontextmanager
async def at_a_result(
    folder: Path, settings: HandoverSettings = COUNTER, *, number: str | None = NUMBER
) -> AsyncIterator[tuple[Stand, Terminal]]:
    """A visit to the library that has succeeded, of a person who is linked unless `number` is None."""
    async with run_stand(folder, handover=settings) as stand:
        terminal = await stand.opened()
        assert (await stand.identify(terminal, stand.card(), "library")).state == "result"
        reference = (await stand.read_result(terminal)).visit.reference
        if number is not None:
            async with stand.server.store.write() as transaction:
                visit = await transaction.links.find_visit(reference, stand.clock())
                assert visit is not None
                await transaction.links.add(visit.system, visit.person, number, "desk", stand.clock())
        yield stand, terminal


async def ask_ticket(terminal: Terminal) -> str | None:
    answer = await terminal.post("/k/handover/ticket", {"v": 1})
    assert answer.status_code in (200, 204)
    return answer.json()["ticket"] if answer.status_code == 200 else None


async def tell(terminal: Terminal, ticket: str, code: str, sent: int) -> str:
    output = read_claims(ticket)["jti"]
    answer = await terminal.post("/k/handover/outcome", {"v": 1, "output": output, "code": code, "sent": sent})
    assert answer.status_code == 200
    return answer.text


def rows_of(stand: Stand) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(stand.data / "kiosk.sqlite3")
    try:
        return connection.execute("SELECT system, kind, code, sent FROM handovers ORDER BY number").fetchall()
    finally:
        connection.close()


async def test_the_number_is_masked_until_it_is_asked_for(tmp_path: Path) -> None:
    async with at_a_result(tmp_path) as (_, terminal):
        panel = await terminal.client.get("/k/handover")
        assert panel.status_code == 200
        assert panel.headers["Cache-Control"] == "no-store"
        assert "••••••••23" in panel.text
        assert NUMBER not in panel.text
        shown = await terminal.client.get("/k/handover/number")
        assert "<svg" in shown.text
        assert shown.headers["Cache-Control"] == "no-store"


async def test_the_ticket_is_for_this_card_and_terminal_and_lives_five_seconds(tmp_path: Path) -> None:
    async with at_a_result(tmp_path) as (stand, terminal):
        claims = read_claims(await ask_ticket(terminal) or "")
        result = await stand.read_result(terminal)
        assert (claims["kind"], claims["number"], claims["terminal"]) == ("wedge", NUMBER, terminal.id)
        assert (claims["card"], claims["session"]) == (result.visit.presence.instance, result.visit.id)
        assert claims["exp"] - claims["iat"] == 5


async def test_what_went_out_goes_out_once(tmp_path: Path) -> None:
    async with at_a_result(tmp_path) as (stand, terminal):
        ticket = await ask_ticket(terminal)
        assert ticket is not None
        assert 'data-status="sending"' in (await terminal.client.get("/k/handover")).text
        assert 'data-status="sent"' in await tell(terminal, ticket, "", 11)
        assert await ask_ticket(terminal) is None
        assert rows_of(stand) == [(SYSTEM, "wedge", "", 11)]


async def test_a_failure_says_why_and_may_be_tried_again_a_few_times(tmp_path: Path) -> None:
    async with at_a_result(tmp_path) as (stand, terminal):
        for left in (2, 1, 0):
            ticket = await ask_ticket(terminal)
            assert ticket is not None
            panel = await tell(terminal, ticket, "output_window_lost", 4)
            assert 'data-code="output_window_lost"' in panel
            assert "途中で画面が切り替わりました" in panel
            assert 'id="number-code">コード K-803<' in panel
            assert "4文字まで" in panel
            assert ('data-handover="send"' in panel) == (left > 0)
        assert await ask_ticket(terminal) is None
        assert rows_of(stand) == [(SYSTEM, "wedge", "output_window_lost", 4)] * 3


async def test_an_outcome_counts_once_and_only_for_its_own_terminal(tmp_path: Path) -> None:
    async with at_a_result(tmp_path) as (stand, terminal):
        ticket = await ask_ticket(terminal)
        assert ticket is not None
        other = await stand.opened("library-2")
        body = {"v": 1, "output": read_claims(ticket)["jti"], "code": "", "sent": 1}
        await other.post("/k/handover/outcome", body)
        assert rows_of(stand) == [(SYSTEM, "wedge", None, None)]
        await tell(terminal, ticket, "output_keys_held", 0)
        await tell(terminal, ticket, "", 11)
        assert rows_of(stand) == [(SYSTEM, "wedge", "output_keys_held", 0)]


@pytest.mark.parametrize("state", ["stopped", "superseded"])
async def test_a_mykey_id_that_staff_stop_or_replace_hands_nothing_over_any_more(tmp_path: Path, state: str) -> None:
    async with at_a_result(tmp_path) as (stand, terminal):
        mykey_id = (await stand.read_result(terminal)).identifier
        assert NUMBER[-2:] in (await terminal.client.get("/k/handover")).text
        async with stand.server.store.write() as transaction:
            assert await transaction.persons.change_mykey_id(mykey_id, "issued", state, stand.clock())
        assert await ask_ticket(terminal) is None
        assert (await terminal.client.get("/k/handover/number")).status_code == 204
        assert rows_of(stand) == []


@pytest.mark.parametrize("ends", ["card", "time", "page", "link"])
async def test_without_the_card_the_visit_or_the_link_there_is_nothing(tmp_path: Path, ends: str) -> None:
    async with at_a_result(tmp_path) as (stand, terminal):
        if ends == "card":
            await terminal.take_card()
        elif ends == "time":
            stand.clock.advance(31 * 60)
        elif ends == "page":
            terminal.client.cookies.clear()
        else:
            async with stand.server.store.write() as transaction:
                link = await transaction.links.find_by_number(SYSTEM, NUMBER)
                assert link is not None
                assert await transaction.links.end(link.id, stand.clock())
        asked = ["/k/handover/number", "/k/handover/library"]
        for path in (*asked, "/k/handover") if ends != "link" else asked:
            answer = await terminal.client.get(path)
            assert (answer.status_code, answer.content) == (204, b"")
        assert await ask_ticket(terminal) is None
        assert rows_of(stand) == []


async def test_a_visit_that_ended_in_the_same_commit_hands_nothing_over(tmp_path: Path) -> None:
    async with at_a_result(tmp_path) as (stand, terminal):
        store: Any = stand.server.store

        async def wait_for(queued: int) -> None:
            while len(store._group._turn._waiters or ()) < queued:
                await asyncio.sleep(0)

        async with store.write():
            await wait_for(1)  # the commit of this one
            ended = asyncio.create_task(terminal.send("finished"))
            await wait_for(2)
            ticket = asyncio.create_task(ask_ticket(terminal))
            await wait_for(3)
        assert (await ended).state == "taking_card"
        assert await ticket is None
        assert rows_of(stand) == []


async def test_a_card_that_was_changed_while_the_page_was_loaded_anew_is_shown_nothing(tmp_path: Path) -> None:
    async with at_a_result(tmp_path) as (stand, terminal):
        mine = (await stand.read_result(terminal)).card
        assert (await terminal.open_page(again=True)).state == "result"
        assert (await terminal.client.get("/k/handover/number")).status_code == 204  # nobody knows yet what lies there
        assert await ask_ticket(terminal) is None
        stage = await terminal.send("card_changed", reader="ready", card="ours", instance=mine)
        assert stage.state == "result"
        assert (await terminal.client.get("/k/handover/number")).status_code == 200
        await terminal.open_page(again=True)
        stage = await terminal.send("card_changed", reader="ready", card="ours", instance="somebody-elses")
        assert stage.state == "choosing_service"
        assert (await terminal.client.get("/k/handover/number")).status_code == 204
        assert await ask_ticket(terminal) is None


async def test_a_person_who_is_not_linked_has_nothing_to_hand_over(tmp_path: Path) -> None:
    async with at_a_result(tmp_path, number=None) as (_, terminal):
        panel = (await terminal.client.get("/k/handover")).text
        assert 'id="link"' in panel  # but may link a number
        assert 'id="number"' not in panel
        assert (await terminal.client.get("/k/handover/number")).status_code == 204


async def test_a_self_service_terminal_types_nothing(tmp_path: Path) -> None:
    async with at_a_result(tmp_path, SELF_SERVICE) as (_, terminal):
        assert await ask_ticket(terminal) is None
        panel = (await terminal.client.get("/k/handover")).text
        assert 'data-status=""' in panel
        assert 'data-handover="show"' in panel


@pytest.mark.parametrize(("number", "word"), [("1001", "usable"), ("1002", "blocked"), ("1003", "unknown")])
async def test_the_library_is_asked_about_the_number(tmp_path: Path, number: str, word: str) -> None:
    async with serving(build_library()) as port:
        asked = LibrarySettings(host="127.0.0.1", port=port, institution="MIHON")
        settings = HandoverSettings(systems={SYSTEM: SystemHandover(sip2=asked)})
        async with at_a_result(tmp_path, settings, number=number) as (_, terminal):
            assert 'data-library="yes"' in (await terminal.client.get("/k/handover")).text
            answer = await terminal.client.get("/k/handover/library")
            assert f'data-word="{word}"' in answer.text
            assert "青葉" not in answer.text


async def test_a_library_that_cannot_be_asked_is_said_to_be_unreachable(tmp_path: Path) -> None:
    async with serving(build_library()) as port:
        pass
    settings = HandoverSettings(systems={SYSTEM: SystemHandover(sip2=LibrarySettings(host="127.0.0.1", port=port))})
    async with at_a_result(tmp_path, settings) as (_, terminal):
        answer = (await terminal.client.get("/k/handover/library")).text
        assert 'data-word="unreachable"' in answer
        assert "分かりません" in answer


async def test_a_named_terminal_is_not_all_others(tmp_path: Path) -> None:
    everybody = TerminalHandover(output="serial")
    named = HandoverSettings(terminals={"*": everybody, "library-1": TerminalHandover()})
    async with at_a_result(tmp_path, named) as (_, terminal):
        assert await ask_ticket(terminal) is None


async def test_all_others_have_what_the_star_says(tmp_path: Path) -> None:
    async with at_a_result(tmp_path, HandoverSettings(terminals={"*": TerminalHandover(output="serial")})) as (_, it):
        assert read_claims(await ask_ticket(it) or "")["kind"] == "serial"


async def test_a_number_that_no_bridge_types_gets_no_ticket(tmp_path: Path) -> None:
    async with at_a_result(tmp_path, number="a-1") as (_, terminal):
        assert await ask_ticket(terminal) is None
        assert 'data-status=""' in (await terminal.client.get("/k/handover")).text
        assert "職員にお知らせください" in (await terminal.client.get("/k/handover/number")).text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/k/handover/ticket", {"v": 1, "kind": "wedge"}),
        ("/k/handover/outcome", {"v": 1, "output": "x", "code": "", "sent": 1}),
        ("/k/handover/outcome", {"v": 1, "output": "A" * 22, "code": "<b>", "sent": 1}),
        ("/k/handover/outcome", {"v": 1, "output": "A" * 22, "code": "", "sent": 101}),
        ("/k/handover/outcome", {"v": 1, "output": "A" * 22, "code": "", "sent": -1}),
    ],
)
async def test_what_is_not_of_the_wire_is_refused(tmp_path: Path, path: str, body: dict[str, object]) -> None:
    async with at_a_result(tmp_path) as (stand, terminal):
        assert (await terminal.post(path, body)).status_code == 400
        assert rows_of(stand) == []


async def test_the_number_is_in_no_log_and_in_no_table_but_its_own(tmp_path: Path) -> None:
    stream = io.StringIO()
    configure_log(stream)
    logging.getLogger().setLevel(logging.DEBUG)
    async with at_a_result(tmp_path) as (stand, terminal):
        await terminal.client.get("/k/handover/number")
        ticket = await ask_ticket(terminal)
        assert ticket is not None
        await tell(terminal, ticket, "", 11)
        assert NUMBER not in stream.getvalue()
        assert ticket not in stream.getvalue()
        connection = sqlite3.connect(stand.data / "kiosk.sqlite3")
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        holding = [
            name for name in names if NUMBER in "".join(str(row) for row in connection.execute(f"SELECT * FROM {name}"))
        ]
        connection.close()
        assert holding == ["links"]


def test_the_wedge_is_for_counters_alone() -> None:
    with pytest.raises(ValueError, match="staffed counters"):
        TerminalHandover(output="wedge")
    assert TerminalHandover(output="serial").layout == "kiosk"
