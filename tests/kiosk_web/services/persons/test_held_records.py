"""What is held about somebody is told to them, on their own screen, and to nobody else."""

from __future__ import annotations

import io
import logging
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from kiosk_web.adapters.store import schema
from kiosk_web.adapters.store.held import TABLES
from kiosk_web.adapters.store.schema import metadata
from kiosk_web.log import configure_log
from tests.kiosk_web.services.visit.test_sessions import dump
from tests.support.jpki import Issued
from tests.support.kazashi import Body, Desk, build_kazashi, enrol, tap
from tests.support.kiosk_server import Stand, run_stand
from tests.support.numbers import number
from tests.support.terminal import Terminal

pytestmark = pytest.mark.anyio
LIBRARY = "city-library"
OLD, NEW, OTHERS = number(1), number(2), number(3)


@pytest.fixture
async def stand(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stand]:
    async with run_stand(tmp_path, kazashi=build_kazashi(tmp_path)) as running:
        yield running


async def ask(terminal: Terminal) -> str:
    """The words on the sheet; "" for nothing."""
    answer = await terminal.client.get("/k/records")
    assert answer.status_code in (200, 204)
    assert answer.headers["Cache-Control"] == "no-store"
    return re.sub(r"\s+", " ", re.sub(r"<!--.*?-->|<[^>]+>", " ", answer.text))


async def link(stand: Stand, terminal: Terminal, text: str) -> None:
    reference = (await stand.read_result(terminal)).visit.reference
    await stand.server.linking.link_visit(reference, LIBRARY, text, "鈴木", "desk", "desk")


async def live(stand: Stand, terminal: Terminal, card: Issued) -> str:
    """A life with both systems; ends at a result, whose reference number is returned."""
    await stand.identify(terminal, card)
    await terminal.take_card()
    stand.clock.advance(86_400)
    await stand.identify(terminal, card, "library")
    await link(stand, terminal, OLD)
    await stand.server.linking.unlink(LIBRARY, OLD, "鈴木", "lost")
    await link(stand, terminal, NEW)
    await enrol(stand, terminal, Body(card))
    await terminal.take_card()
    stand.clock.advance(86_400)
    await stand.identify(terminal, card)
    return (await stand.read_result(terminal)).visit.reference


def test_every_table_that_names_a_person_is_asked() -> None:
    assert set(TABLES) == {table for table in metadata.tables.values() if "person_id" in table.columns}


async def test_all_of_ones_own_is_told_and_nothing_of_anybody_else(stand: Stand, terminal: Terminal) -> None:
    other = await stand.opened("library-2")
    await stand.identify(other, stand.card(0x99), "library")
    await link(stand, other, OTHERS)
    reference = await live(stand, terminal, stand.card())
    async with stand.server.store.write() as transaction:
        seen = await transaction.links.find_visit(reference, stand.clock.now)
        assert seen is not None
        await transaction.confirmations.record(seen.person, "facility-booking", date(2026, 11, 23))
        for count, whose in enumerate((reference, "AAAA-BBBB")):  # one of theirs, and one of somebody else
            until = stand.clock.now + timedelta(minutes=20 + count)
            row = {"id": whose, "reference": whose, "system": "facility-booking", "jwe": "a.b.c", "attempts": 0}
            values = {**row, "created_at": stand.clock.now, "expires_at": until}
            await transaction.connection.execute(insert(schema.sealed_readings).values(values))
    said = await ask(terminal)
    expected = (
        "みほん市立図書館 図書館システム",
        "みほん市 施設予約システム",
        "番号（PPID）。2026年11月23日に作りました",
        f"利用者番号 ••••••••{OLD[-2:]}。2026年11月24日につなぎ、2026年11月24日に解除しました",
        f"利用者番号 ••••••••{NEW[-2:]}。2026年11月24日につなぎました",
        "利用規約の版 demo-1 に、2026年11月23日に同意しました",
        "個人情報保護方針の版 demo-1 に、2026年11月24日に同意しました",
        "確かめた日：2026年11月23日",
        "電子証明書の発行番号：1件。2026年11月23日からです",
        "マイキーID。2026年11月24日に作りました",
        "2026年11月24日に登録し、2026年11月25日に最後に使いました",
        "今は1件あります",
        f"受付番号 {reference} を伝えて",
        "かざし利用をやめる",
    )
    missing = [words for words in expected if words not in said]
    assert missing == []
    assert said.count("システムが受け取るのを待っている") == 1
    for unseen in (OLD, NEW, OTHERS, OTHERS[-2:] + "。", "AAAA-BBBB"):
        assert unseen not in said


async def test_it_is_in_no_stream_no_staff_page_no_log_and_no_table(stand: Stand, terminal: Terminal) -> None:
    log = io.StringIO()
    configure_log(log)
    logging.getLogger("kiosk_web").setLevel(logging.DEBUG)
    await live(stand, terminal, stand.card())
    before = dump(stand.data / "kiosk.sqlite3")
    marks = (f"••{NEW[-2:]}", "demo-1 に、", "保存していないもの")
    said = await ask(terminal)
    assert all(mark in said for mark in marks)
    stage = await terminal.send("language_chosen", language="ja")
    board = await stand.server.monitoring.load_board()
    snapshot = await stand.server.sessions.load(terminal.id)
    for place in (stage.html, repr(board), repr(snapshot), log.getvalue()):
        assert not [mark for mark in marks if mark in place]
    after = dump(stand.data / "kiosk.sqlite3")
    assert {name for name in before if before[name] != after[name]} <= {"pages", "sessions"}  # the language was chosen
    assert not [mark for mark in marks if mark in after["sessions"]]


@pytest.mark.parametrize("ends", ["card", "time", "page", "loaded anew", "state", "finished"])
async def test_without_the_card_the_visit_or_the_page_there_is_nothing(
    stand: Stand, terminal: Terminal, ends: str
) -> None:
    await stand.identify(terminal, stand.card(), "library")
    assert await ask(terminal) != ""
    if ends == "card":
        await terminal.take_card()
    elif ends == "time":
        stand.clock.advance(31 * 60)
    elif ends == "page":
        terminal.client.cookies.clear()
    elif ends == "loaded anew":
        await terminal.open_page(again=True)  # nobody knows yet what lies there
    elif ends == "state":
        assert (await terminal.send("link_wanted")).state == "entering_number"
    else:
        await terminal.send("finished")
    assert await ask(terminal) == ""


async def test_another_terminal_is_told_nothing_and_a_tap_opens_nothing(stand: Stand, terminal: Terminal) -> None:
    body = Body(stand.card())
    await stand.identify(terminal, body.issued)
    await enrol(stand, terminal, body)
    other = await stand.opened("library-2")
    assert await ask(other) == ""
    await terminal.take_card()
    await (await Desk.opened(stand)).attend(terminal)
    stage = await tap(stand, terminal, body)
    assert stage.state == "result"
    assert 'id="records-open"' not in stage.html
    assert await ask(terminal) == ""


async def test_a_system_that_is_not_offered_any_more_is_told_by_its_id(stand: Stand, terminal: Terminal) -> None:
    await stand.identify(terminal, stand.card())
    with closing(sqlite3.connect(stand.data / "kiosk.sqlite3")) as connection, connection:
        connection.execute("UPDATE pairwise_ids SET system = 'closed-pool'")
    assert "closed-pool" in await ask(terminal)
