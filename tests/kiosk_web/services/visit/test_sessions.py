"""What must hold around a visit: nothing secret is left anywhere, and nothing is repeated after a stop."""

from __future__ import annotations

import io
import logging
import sqlite3
from pathlib import Path

import pytest

from kiosk_web.log import configure_log
from kiosk_web.session import events as e
from tests.support.kiosk_server import Clock, Stand, run_stand
from tests.support.terminal import Terminal, encode

pytestmark = pytest.mark.anyio
SERIAL = 0x5EC2E7_0BADCAFE


def dump(path: Path) -> dict[str, str]:
    """Every table as text, bytes as hexadecimal."""
    connection = sqlite3.connect(path)
    try:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: "\n".join(
                "|".join(value.hex() if isinstance(value, bytes) else str(value) for value in row)
                for row in connection.execute(f"SELECT * FROM {name}")
            )
            for name in names
        }
    finally:
        connection.close()


async def test_a_whole_visit_leaves_no_certificate_and_a_serial_in_one_place_only(stand: Stand) -> None:
    stream = io.StringIO()
    configure_log(stream)
    logging.getLogger().setLevel(logging.DEBUG)
    terminal, card = await stand.opened(), stand.card(SERIAL)
    for service in ("facility", "library"):
        await stand.typing(terminal, card, service)
        await terminal.submit_pin()
        assert (await terminal.sign(card)).state == "result"
        await terminal.take_card()
    await stand.typing(terminal, card)
    assert (await terminal.sign(card, signature=bytes(256))).code == "evidence_refused"
    tables = dump(stand.data / "kiosk.sqlite3")
    log = stream.getvalue()
    assert str(SERIAL) in tables.pop("person_certificates")
    everything = log + "".join(tables.values())
    for secret in (
        str(SERIAL),
        f"{SERIAL:x}",
        card.der.hex(),
        encode(card.der),
        "TESTTESTTEST0113123003A",
        "2029-05-06",
    ):
        assert secret not in everything
    files = b"".join(path.read_bytes() for path in stand.data.glob("kiosk.sqlite3*"))
    assert card.der not in files
    assert card.der[100:160] not in files


async def test_every_visit_that_ended_has_one_record_that_leads_to_nobody(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card(SERIAL)
    await stand.typing(terminal, card)
    await terminal.submit_pin()
    await terminal.sign(card)
    await terminal.take_card()
    await stand.typing(terminal, card)
    await terminal.take_card()
    columns = "service, outcome, code, method, status_outcome, status_method, this_update IS NULL"
    assert stand.query(f"SELECT {columns} FROM audit ORDER BY id") == [
        ("facility", "done", "", "pin", "good", "ocsp", 0),
        ("facility", "refused", "card_removed", "pin", "good", "ocsp", 0),
    ]
    assert stand.query("SELECT count(DISTINCT reference) FROM audit") == [(2,)]


async def test_work_that_was_under_way_is_not_repeated_after_a_stop(tmp_path: Path) -> None:
    clock = Clock()
    async with run_stand(tmp_path, clock) as stand:
        stand.responder.gate.clear()
        terminal = await stand.opened()
        await stand.typing(terminal, stand.card())
        cookies = terminal.client.cookies
        await stand.server.sessions.close()
    async with run_stand(tmp_path, clock) as stand:
        again = Terminal(stand.client(), terminal.key)
        again.client.cookies, again.seq = cookies, terminal.seq
        stage = await again.send("extended")
        assert (stage.state, stage.code) == ("refused", "internal")
        assert stand.responder.questions == 0
        async with stand.server.store.read() as transaction:
            assert await transaction.sessions.list_unfinished_work() == ()


async def test_a_visit_goes_on_after_a_stop_when_nothing_was_under_way(tmp_path: Path) -> None:
    clock = Clock()
    async with run_stand(tmp_path, clock) as stand:
        terminal, card = await stand.opened(), stand.card()
        await stand.typing(terminal, card)
        await terminal.submit_pin()
    async with run_stand(tmp_path, clock) as stand:
        again = Terminal(stand.client(), terminal.key)
        again.client.cookies, again.seq, again.id = terminal.client.cookies, terminal.seq, terminal.id
        again.ticket, again.counter = terminal.ticket, terminal.counter
        assert (await again.sign(card)).state == "result"


async def test_what_nobody_foresaw_ends_one_visit_and_not_the_next(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    configure_log(stream)
    terminal, card = await stand.opened(), stand.card()
    await terminal.begin()

    def explode(der: bytes) -> None:
        raise RuntimeError(f"quoting {der.hex()}")

    with monkeypatch.context() as patched:
        patched.setattr(stand.server.sessions._validation, "judge_trust", explode)
        stage = await terminal.read_card(card)
    assert (stage.status, stage.state, stage.code) == (200, "refused", "internal")
    assert "RuntimeError" in stream.getvalue()
    assert card.der.hex()[:40] not in stream.getvalue()
    assert (await terminal.take_card()).state == "choosing_service"
    await stand.typing(terminal, card)
    await terminal.submit_pin()
    assert (await terminal.sign(card)).state == "result"


async def test_a_nonce_stays_used_when_what_follows_breaks(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, card = await stand.opened(), stand.card()
    await stand.typing(terminal, card)
    await terminal.submit_pin()
    signed = terminal.build_signed(card)

    def explode(der: bytes) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(stand.server.sessions._validation, "judge_trust", explode)
        stage = await terminal.send("signed", **signed)
    assert (stage.status, stage.state, stage.code) == (200, "refused", "internal")
    assert stand.query("SELECT consumed_at IS NOT NULL FROM challenges") == [(1,)]
    again = await terminal.send("signed", **signed)
    assert (again.status, again.refusal, again.state) == (409, "challenge_used", "refused")


async def test_a_signature_may_overtake_the_word_that_a_pin_was_given(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card()
    await stand.typing(terminal, card)
    challenge = terminal.build_certificate(card)["challenge"]
    assert (await terminal.send_as(terminal.seq + 2, "signed", **terminal.build_signed(card))).state == "result"
    late = await terminal.send_as(terminal.seq + 1, "pin_submitted", challenge=challenge)
    assert (late.status, late.refusal, late.state) == (409, "sequence", "result")


async def test_an_answer_of_the_responder_for_an_earlier_visit_is_ignored(stand: Stand) -> None:
    stand.responder.gate.clear()
    terminal = await stand.opened()
    await stand.typing(terminal, stand.card())
    await terminal.take_card()
    await terminal.send("finished")
    stand.responder.gate.set()
    await stand.server.sessions.settle()
    assert (await terminal.send("extended")).state == "choosing_service"
    async with stand.server.store.read() as transaction:
        assert await transaction.sessions.list_unfinished_work() == ()


async def test_a_failure_that_belongs_to_an_earlier_visit_does_not_end_the_next_one(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal, card = await stand.opened(), stand.card()
    with monkeypatch.context() as patched:
        stand.responder.gate.clear()
        patched.setattr("kiosk_web.services.status.validation.judge_answer", None)
        await stand.typing(terminal, card)
        await terminal.take_card()
        await terminal.send("finished")
        assert (await terminal.begin()).state == "reading_card"
        stand.responder.gate.set()
        await stand.server.sessions.settle()
    assert (await terminal.read_card(card)).state == "awaiting_pin"


async def test_a_terminal_whose_session_cannot_be_read_holds_up_no_other(stand: Stand) -> None:
    broken, other = await stand.opened("a-broken"), await stand.opened("other")
    for terminal in (broken, other):
        await terminal.send("service_chosen", service="library")
    stand.query("UPDATE sessions SET state = '{}' WHERE terminal_id = ?", broken.id)
    stand.clock.advance(121)
    await stand.server.sessions.sweep()
    assert (await stand.server.sessions.load(other.id)).state.name == "choosing_service"
    assert (await broken.open_page()).state == "choosing_service"
    assert (await broken.send("service_chosen", service="library")).state == "awaiting_card"


async def test_two_writers_at_once_both_count(stand: Stand) -> None:
    import asyncio

    terminal = await stand.opened()
    before = (await stand.server.sessions.load(terminal.id)).version
    await asyncio.gather(
        stand.server.sessions.apply(terminal.id, e.HelpCalled()),
        stand.server.sessions.apply(terminal.id, e.LanguageChosen("en")),
    )
    after = await stand.server.sessions.load(terminal.id)
    assert after.version == before + 2
    visit = after.state.visit  # type: ignore[union-attr]  # choosing a service
    assert visit is not None
    assert (visit.help_called, visit.language) == (True, "en")


async def test_what_is_old_is_forgotten(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card()
    await stand.typing(terminal, card)
    await terminal.take_card()
    stand.clock.advance(3 * 24 * 3600)
    await stand.server.upkeep.sweep()
    tables = dump(stand.data / "kiosk.sqlite3")
    assert (tables["hello_tickets"], tables["challenges"], tables["outbox"]) == ("", "", "")
    assert tables["audit"] != ""
