"""A visit while the responder is out of reach: the real index decides where an opening lets it, and never otherwise."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from kiosk_web.pki.plan import FetchFailure
from kiosk_web.services.lists.alarms import ListAlarm
from kiosk_web.wiring import crl_index
from tests.support.crl_stand import ORDINARY, SilentWatcher, offer, town_point
from tests.support.crl_writer import build_list, encode_entry, encode_reason
from tests.support.jpki import NOW
from tests.support.kiosk_server import Stand, run_stand

pytestmark = pytest.mark.anyio

GOOD, REVOKED, HELD = 0x0A1B2C3D, 0x0A1B2C3F, 0x0A1B2C41
HOUR = timedelta(hours=1)
TOWN = replace(ORDINARY, point=town_point())


@pytest.fixture
async def stand(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stand]:
    async with run_stand(tmp_path) as running:
        running.responder.failure = FetchFailure("refused", "connect")
        yield running


async def take_in(stand: Stand, number: int, serials: Collection[int], *, age: timedelta = 2 * HOUR) -> None:
    """What `kiosk crl refresh` does beside the running server."""
    reasons = {HELD: 6}
    entries = [encode_entry(serial, extensions=[encode_reason(reasons.get(serial, 4))]) for serial in serials]
    shape = replace(TOWN, number=number, this_update=stand.clock.now - age, next_update=stand.clock.now + 28 * HOUR)
    (outcome,) = await crl_index.import_lists(
        stand.server.settings, [offer(build_list(stand.root, entries, shape))], SilentWatcher(), clock=stand.clock
    )
    assert outcome.result == "taken", outcome


async def visit(stand: Stand, serial: int) -> str:
    """How a visit with the card of this serial ends: `result`, or the code of its refusal."""
    terminal, card = await stand.opened(), stand.card(serial)
    await stand.typing(terminal, card)
    await terminal.submit_pin()
    stage = await terminal.sign(card)
    return stage.code or stage.state


async def open_fallback(stand: Stand) -> None:
    await stand.server.fallback.open(stand.clock.now + HOUR, "notice of the responder", "Suzuki")


async def test_the_list_of_the_town_decides_while_a_manager_lets_it(tmp_path: Path, stand: Stand) -> None:
    await take_in(stand, 1, {REVOKED, HELD})
    await open_fallback(stand)
    for serial, end in ((GOOD, "result"), (REVOKED, "certificate_revoked"), (HELD, "certificate_on_hold")):
        terminal, card = await stand.terminal(f"terminal-{serial}"), stand.card(serial)
        await terminal.open_page()
        await stand.typing(terminal, card)
        await terminal.submit_pin()
        stage = await terminal.sign(card)
        assert (stage.code or stage.state) == end
    rows = stand.query("SELECT status_outcome, status_method, fallback FROM audit ORDER BY id")
    assert rows == [(outcome, "crl", "manager") for outcome in ("good", "revoked", "on_hold")]


async def test_without_an_opening_the_lists_are_not_even_asked(stand: Stand) -> None:
    await take_in(stand, 1, {REVOKED})
    assert await visit(stand, REVOKED) == "status_unavailable"


async def test_without_a_list_nobody_is_confirmed(stand: Stand) -> None:
    await open_fallback(stand)
    assert await visit(stand, GOOD) == "status_unavailable"


async def test_a_list_that_was_put_back_in_place_of_a_newer_one_confirms_nobody(tmp_path: Path, stand: Stand) -> None:
    await take_in(stand, 1, {HELD}, age=3 * HOUR)
    shutil.copytree(stand.data / "crl", tmp_path / "old")
    await take_in(stand, 2, {GOOD})
    shutil.rmtree(stand.data / "crl")
    shutil.copytree(tmp_path / "old", stand.data / "crl")
    await open_fallback(stand)
    assert await visit(stand, GOOD) == "status_stale"
    await stand.server.list_upkeep.look()
    assert stand.server.list_upkeep.alarms == (ListAlarm("behind_high_water", 1, "list.crl", NOW + 28 * HOUR),)


async def test_a_damaged_list_confirms_nobody_and_staff_are_told(stand: Stand) -> None:
    await take_in(stand, 1, {REVOKED})
    (file,) = (stand.data / "crl" / "segments").iterdir()
    file.write_bytes(file.read_bytes()[:-1] + b"\xaa")
    await open_fallback(stand)
    await stand.server.list_upkeep.look()
    assert await visit(stand, GOOD) == "status_unavailable"
    board = await stand.server.monitoring.load_board()
    assert [alarm.name for alarm in board.alarms] == ["list_damaged"]


async def test_a_list_that_is_too_old_confirms_nobody(stand: Stand) -> None:
    await take_in(stand, 1, {REVOKED}, age=timedelta(minutes=1))
    stand.clock.now += 31 * HOUR
    await open_fallback(stand)
    assert await visit(stand, GOOD) == "status_stale"


async def test_no_line_of_the_log_tells_who_was_looked_up(stand: Stand, capfd: pytest.CaptureFixture[str]) -> None:
    await take_in(stand, 1, {REVOKED})
    await open_fallback(stand)
    capfd.readouterr()
    assert await visit(stand, GOOD) == "result"
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
