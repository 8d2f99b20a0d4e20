"""Staff see that a terminal lives and how far it is, and nothing of whoever stands there."""

from __future__ import annotations

from dataclasses import asdict
from typing import get_args

import pytest

from kiosk_web.services.terminals.monitoring import TOLD_OUTCOMES, TerminalRow
from kiosk_web.session.commands import VisitOutcome
from kiosk_web.web.catalogue import load_catalogue
from tests.support.kiosk_server import Stand
from tests.support.ocsp_answers import AnswerShape

pytestmark = pytest.mark.anyio


async def only(stand: Stand) -> TerminalRow:
    (row,) = await stand.server.monitoring.terminals()
    return row


async def test_a_terminal_without_a_page_is_offline_and_keeps_no_green(stand: Stand) -> None:
    terminal = await stand.opened()
    assert (await only(stand)).state == "offline"
    with stand.server.monitoring.attend(terminal.id):
        row = await only(stand)
        assert (row.live, row.state, row.last_seen) == (True, "choosing_service", stand.clock.now)
        stand.clock.advance(30)
    row = await only(stand)
    assert (row.live, row.state, row.last_seen) == (False, "offline", stand.clock.now)


async def test_revoked_is_not_said_before_help_was_called(stand: Stand) -> None:
    stand.responder.shape = AnswerShape(status="revoked")
    terminal = await stand.opened()
    with stand.server.monitoring.attend(terminal.id):
        await stand.typing(terminal, stand.card())
        row = await only(stand)
        assert (row.state, row.outcome, row.code) == ("refused", "could_not_finish", "")
        assert "revoked" not in str(asdict(row))
        await terminal.send("help_called")
        row = await only(stand)
        assert (row.help_called, row.code) == (True, "K-402")


async def test_a_fault_of_the_terminal_is_said_at_once(stand: Stand) -> None:
    terminal = await stand.opened()
    with stand.server.monitoring.attend(terminal.id):
        await terminal.send("bridge_lost", cause="bridge_missing")
        row = await only(stand)
        assert (row.state, row.code) == ("out_of_service", "K-101")


async def test_a_revoked_terminal_is_not_listed(stand: Stand) -> None:
    await stand.opened()
    await stand.server.enrolment.revoke_terminal("library-1")
    assert await stand.server.monitoring.terminals() == ()


def test_every_end_of_a_visit_has_a_word_for_staff() -> None:
    assert set(TOLD_OUTCOMES) == set(get_args(VisitOutcome))
    assert {f"staff.outcome.{told}" for told in TOLD_OUTCOMES.values()} <= load_catalogue("ja").messages.keys()
