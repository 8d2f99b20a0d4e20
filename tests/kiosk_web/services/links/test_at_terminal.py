"""連携登録 at a terminal on the real server: who is linked, who confirms it, what is refused, where the number is."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest

from kiosk_web.log import configure_log
from kiosk_web.services.ports.links import LinkRecord, StaffAction
from kiosk_web.settings.services import DEMO_SYSTEMS
from tests.kiosk_web.services.visit.test_sessions import dump
from tests.support.jpki import Issued
from tests.support.kazashi import STAFF, Desk
from tests.support.kiosk_server import Stand, run_stand
from tests.support.numbers import number
from tests.support.terminal import Stage, Terminal

pytestmark = pytest.mark.anyio
LIBRARY = "city-library"
FIRST, SECOND = number(1), number(2)


async def begin(stand: Stand, terminal: Terminal, card: Issued | None = None) -> Stage:
    """From a result by 暗証番号 to the field of the number."""
    assert (await stand.identify(terminal, card or stand.card(), "library")).state == "result"
    return await terminal.send("link_wanted")


async def enter(terminal: Terminal, text: str) -> Stage:
    return await terminal.send("number_entered", number=text)


async def confirm(desk: Desk, terminal: Terminal, code: str | None = None) -> Stage:
    desk.stand.clock.advance(30)
    return await terminal.send("staff_identified", number=desk.number, code=code or desk.code())


async def find_link(stand: Stand, text: str) -> LinkRecord | None:
    async with stand.server.store.read() as transaction:
        return await transaction.links.find_by_number(LIBRARY, text)


async def list_actions(stand: Stand) -> list[StaffAction]:
    async with stand.server.store.read() as transaction:
        return list(await transaction.staff_audit.list_latest(20))


async def test_a_number_is_typed_confirmed_by_staff_and_shown_masked(stand: Stand, terminal: Terminal) -> None:
    desk = await Desk.opened(stand)
    assert (await stand.identify(terminal, stand.card(), "library")).state == "result"
    offered = await terminal.client.get("/k/handover")
    assert 'id="link"' in offered.text
    assert (await terminal.send("link_wanted")).state == "entering_number"
    stage = await enter(terminal, FIRST)
    assert stage.state == "confirming_link"
    assert FIRST not in stage.html
    shown = await terminal.client.get("/k/linking/number")
    assert "".join(shown.text.split("<span>")[1:]).replace("</span>", "").strip() == FIRST
    assert shown.headers["Cache-Control"] == "no-store"
    assert await find_link(stand, FIRST) is None
    stage = await confirm(desk, terminal)
    assert stage.state == "result"
    assert "つなぎました" in stage.html
    panel = (await terminal.client.get("/k/handover")).text
    assert "••••••••" + FIRST[-2:] in panel
    assert FIRST not in panel
    link = await find_link(stand, FIRST)
    assert link is not None
    assert link.way == "terminal"
    (action,) = await list_actions(stand)
    assert (action.by, action.action, action.outcome, action.link) == (STAFF, "link", "done", link.id)


async def test_a_number_that_waits_is_in_no_table_no_log_and_no_stream(stand: Stand, terminal: Terminal) -> None:
    log = io.StringIO()
    configure_log(log)
    logging.getLogger().setLevel(logging.DEBUG)
    await begin(stand, terminal)
    assert (await enter(terminal, FIRST)).state == "confirming_link"
    assert FIRST not in "".join(dump(stand.data / "kiosk.sqlite3").values())
    board = await stand.server.monitoring.load_board()
    assert FIRST not in repr(board) + log.getvalue() + repr(await stand.server.sessions.load(terminal.id))
    await terminal.take_card()
    assert stand.server.sessions._effects._linking._typed == {}
    assert (await terminal.client.get("/k/linking/number")).status_code == 204


async def test_a_scanned_barcode_has_its_frame_taken_off(stand: Stand, terminal: Terminal) -> None:
    desk = await Desk.opened(stand)
    await begin(stand, terminal)
    assert (await enter(terminal, f"A{FIRST}B")).state == "confirming_link"
    await confirm(desk, terminal)
    assert await find_link(stand, FIRST) is not None


async def test_what_is_refused_is_told_by_code_and_by_whom_never(stand: Stand, terminal: Terminal) -> None:
    desk = await Desk.opened(stand)
    await begin(stand, terminal, stand.card(1))
    await enter(terminal, FIRST)
    await confirm(desk, terminal)
    await terminal.take_card()
    async with stand.server.store.write() as transaction:
        await transaction.links.replace_listed(LIBRARY, [FIRST, SECOND])
    await begin(stand, terminal, stand.card(2))
    refused = [
        (FIRST, "link_number_taken"),
        (number(3), "link_number_unknown"),
        (FIRST[:-1] + str((int(FIRST[-1]) + 1) % 10), "link_number_malformed"),
        ("*12-x", "link_number_malformed"),
    ]
    for text, code in refused:
        stage = await enter(terminal, text)
        assert stage.state == "entering_number"
        assert f'data-refused="{code}"' in stage.html
        assert text not in stage.html
    stage = await enter(terminal, number(4))
    assert stage.state == "result"  # five are enough; the visit itself is not touched
    panel = (await terminal.client.get("/k/handover")).text
    assert 'id="link-used-up"' in panel
    assert 'id="link"' not in panel
    assert (await terminal.send("link_wanted")).refusal == "illegal_event"
    outcomes = [(action.by, action.outcome) for action in await list_actions(stand)][:-1]
    told = ["number_not_listed", "number_malformed", "number_check_digit", "number_not_listed", "number_taken"]
    assert outcomes == [("resident", outcome) for outcome in told]


async def test_a_wrong_code_links_nothing_and_counts_as_at_the_sign_in(stand: Stand, terminal: Terminal) -> None:
    desk = await Desk.opened(stand)
    await begin(stand, terminal)
    await enter(terminal, FIRST)
    for _ in range(5):
        stage = await confirm(desk, terminal, "000000")
        assert "K-609" in stage.html
    stage = await confirm(desk, terminal)
    assert stage.state == "confirming_link"
    assert "K-610" in stage.html
    assert await find_link(stand, FIRST) is None
    assert (await terminal.send("cancelled")).state == "result"
    assert (await terminal.client.get("/k/linking/number")).status_code == 204


async def test_a_number_taken_while_staff_came_is_not_linked(stand: Stand, terminal: Terminal) -> None:
    desk = await Desk.opened(stand)
    other = await stand.opened("library-2")
    await stand.identify(other, stand.card(2), "library")
    await begin(stand, terminal, stand.card(1))
    await enter(terminal, FIRST)
    reference = (await stand.read_result(other)).visit.reference
    await stand.server.linking.link_visit(reference, LIBRARY, FIRST, "鈴木", "desk", "desk")
    stage = await confirm(desk, terminal)
    assert 'data-refused="link_number_taken"' in stage.html
    link = await find_link(stand, FIRST)
    assert link is not None
    assert link.way == "desk"


async def test_who_is_linked_is_not_asked_and_a_system_that_keeps_its_links_never(
    stand: Stand, terminal: Terminal
) -> None:
    desk = await Desk.opened(stand)
    card = stand.card()
    await begin(stand, terminal, card)
    await enter(terminal, FIRST)
    await confirm(desk, terminal)
    await terminal.take_card()
    await begin(stand, terminal, card)
    stage = await enter(terminal, SECOND)  # a page that asks all the same
    assert 'data-refused="link_not_possible"' in stage.html
    await terminal.take_card()
    await stand.identify(terminal, card, "facility")
    assert (await terminal.client.get("/k/handover")).status_code == 204
    assert (await terminal.send("link_wanted")).refusal == "illegal_event"


async def test_without_staff_only_a_listed_number_is_linked(tmp_path: Path) -> None:
    systems = tuple(system.model_copy(update={"link_confirmation": "none"}) for system in DEMO_SYSTEMS)
    async with run_stand(tmp_path, systems=systems) as stand:
        terminal = await stand.opened()
        await begin(stand, terminal)
        assert 'data-refused="link_number_unknown"' in (await enter(terminal, FIRST)).html  # there is no list
        async with stand.server.store.write() as transaction:
            await transaction.links.replace_listed(LIBRARY, [FIRST])
        assert (await enter(terminal, FIRST)).state == "result"
        assert await find_link(stand, FIRST) is not None
        assert (await list_actions(stand))[0].by == "resident"
