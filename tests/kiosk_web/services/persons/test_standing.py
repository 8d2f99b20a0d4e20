"""Signature certificate and change of the basic 4 information: asked after the visit, for Types 1 and 2 only."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from pathlib import Path

import pytest

from kiosk_web.errors import IdentityError
from kiosk_web.identity.links import LOOK_UPS_OF_ONE
from kiosk_web.identity.standing import HolderStanding, SignatureState, Silence
from kiosk_web.services.persons.standing import ShownStanding
from tests.support.api_client import register
from tests.support.jpki import NOW
from tests.support.kiosk_server import Stand, run_stand
from tests.support.register import ScriptedRegister
from tests.support.terminal import Stage, Terminal

pytestmark = pytest.mark.anyio
TODAY = date(2026, 11, 23)


async def visit(stand: Stand, terminal: Terminal, service: str = "facility") -> Stage:
    """What the resident sees once the register was asked."""
    await terminal.take_card()
    await terminal.send("finished")
    assert (await stand.identify(terminal, stand.card(1), service)).state == "result"
    await stand.server.standings.settle()
    return await terminal.send("extended")


def items(stage: Stage) -> str:
    return stage._attribute("items")


def confirmed_on(stand: Stand) -> list[tuple[str, str]]:
    return stand.query("SELECT system, confirmed_on FROM confirmations")


async def test_the_first_visit_is_the_first_confirmation_and_the_next_one_compares(tmp_path: Path) -> None:
    """The next one from home, by API: one system has one date for both."""
    asked = ScriptedRegister()
    async with run_stand(tmp_path, register=asked) as stand:
        terminal = await stand.opened()
        stage = await visit(stand, terminal)
        assert (items(stage), stage._attribute("signature")) == ("first", "valid")
        assert confirmed_on(stand) == [("facility-booking", TODAY.isoformat())]
        stand.clock.advance(5 * 86_400)
        client = await (await register(stand)).sign_in()
        at_home = await client.validate(stand.card(1), standing=True)
        assert at_home["standing"]["items"] == "unchanged"
        assert asked.standings == [(1, None), (1, TODAY)]
        assert confirmed_on(stand) == [("facility-booking", (TODAY + timedelta(days=5)).isoformat())]


async def test_the_day_that_counts_is_the_one_of_the_question_not_of_a_late_answer(tmp_path: Path) -> None:
    """A change registered between the two would be hidden for good."""
    asked = ScriptedRegister()
    async with run_stand(tmp_path, register=asked) as stand:
        terminal = await stand.opened()
        asked.gate.clear()
        await terminal.send("finished")
        assert (await stand.identify(terminal, stand.card(1), "facility")).state == "result"
        while not asked.standings:
            await asyncio.sleep(0)
        stand.clock.advance(86_400)
        asked.changed_at = stand.clock.now - timedelta(hours=1)
        asked.gate.set()
        await stand.server.standings.settle()
        assert confirmed_on(stand) == [("facility-booking", TODAY.isoformat())]
        assert items(await visit(stand, terminal)) == "changed"


async def test_a_change_stays_told_until_somebody_confirms_it(tmp_path: Path) -> None:
    register = ScriptedRegister(signature="revoked")
    async with run_stand(tmp_path, register=register) as stand:
        terminal = await stand.opened()
        await visit(stand, terminal)
        register.changed_at = NOW + timedelta(days=2)
        stand.clock.advance(5 * 86_400)
        for _ in range(2):
            stage = await visit(stand, terminal)
            assert (items(stage), stage._attribute("signature")) == ("changed", "revoked")
            assert "窓口" in stage.html
        assert confirmed_on(stand) == [("facility-booking", TODAY.isoformat())]
        async with stand.server.store.read() as transaction:
            person = await transaction.persons.find(stand.root.anchor.key_id, 1)
        assert person is not None
        async with stand.server.store.write() as transaction:
            await transaction.links.add("facility-booking", person, "20260418", "desk", NOW)
        confirm = stand.server.standing.confirm_by_staff
        for number, name in (("20260419", "not_linked"), ("number_malformed", "number_malformed")):
            with pytest.raises(IdentityError, match=name):
                await confirm("facility-booking", number, "鈴木", "moved")
        assert items(await visit(stand, terminal)) == "changed"
        await confirm("facility-booking", "20260418", "鈴木", "moved")
        assert items(await visit(stand, terminal)) == "unchanged"
        async with stand.server.store.read() as transaction:
            actions = await transaction.staff_audit.list_latest(3)
        assert [(one.action, one.outcome) for one in actions] == [
            ("confirm", outcome) for outcome in ("done", "number_malformed", "not_linked")
        ]


async def test_whoever_tries_numbers_out_by_confirming_is_stopped(tmp_path: Path) -> None:
    async with run_stand(tmp_path) as stand:
        confirm = stand.server.standing.confirm_by_staff
        for name in ["not_linked"] * LOOK_UPS_OF_ONE + ["look_up_limit"]:
            with pytest.raises(IdentityError, match=name):
                await confirm("facility-booking", "20260418", "鈴木", "moved")
        with pytest.raises(IdentityError, match="not_linked"):
            await confirm("facility-booking", "20260418", "佐藤", "moved")


@pytest.mark.parametrize("silence", ["timeout", "unreachable", "refused", "malformed", "unknown_certificate"])
async def test_silence_is_unknown_and_confirms_nothing(tmp_path: Path, silence: Silence) -> None:
    register = ScriptedRegister()
    async with run_stand(tmp_path, register=register) as stand:
        terminal = await stand.opened()
        await visit(stand, terminal)
        stand.clock.advance(86_400)
        register.silence = silence
        stage = await visit(stand, terminal)
        assert (items(stage), stage._attribute("signature")) == ("unknown", "unknown")
        assert "確認できませんでした" in stage.html
        assert "変更はありません" not in stage.html
        assert confirmed_on(stand) == [("facility-booking", TODAY.isoformat())]


@pytest.mark.parametrize("signature", ["valid", "revoked", "expired", "none_issued"])
async def test_each_state_of_the_signature_certificate_is_shown(tmp_path: Path, signature: SignatureState) -> None:
    async with run_stand(tmp_path, register=ScriptedRegister(signature=signature)) as stand:
        assert (await visit(stand, await stand.opened()))._attribute("signature") == signature


async def test_the_result_does_not_wait_for_the_register(tmp_path: Path) -> None:
    register = ScriptedRegister()
    async with run_stand(tmp_path, register=register) as stand:
        terminal = await stand.opened()
        await visit(stand, terminal)
        register.gate.clear()
        await terminal.take_card()
        stage = await stand.identify(terminal, stand.card(1))
        assert (stage.state, stage._attribute("asking")) == ("result", "true")
        register.gate.set()
        await stand.server.standings.settle()
        assert (await terminal.send("extended"))._attribute("asking") == "false"
        assert len(register.standings) == 2  # once for each visit, however often the screen is made


async def test_the_library_is_told_nothing_and_nobody_without_a_proof_is_asked_about(tmp_path: Path) -> None:
    register = ScriptedRegister()
    async with run_stand(tmp_path, register=register) as stand:
        terminal = await stand.opened()
        assert "standing" not in (await visit(stand, terminal, "library")).html
        await terminal.take_card()
        await stand.typing(terminal, stand.card(1))
        await terminal.submit_pin()
        assert (await terminal.sign(stand.card(1), signature=bytes(256))).code == "evidence_refused"
        await stand.server.standings.settle()
        assert register.standings == []


async def test_without_a_register_the_screen_says_nothing_of_it(tmp_path: Path) -> None:
    async with run_stand(tmp_path) as stand:
        stage = await visit(stand, await stand.opened())
        assert "standing" not in stage.html
        assert confirmed_on(stand) == []


async def test_what_is_shown_is_forgotten_with_its_result(tmp_path: Path) -> None:
    async with run_stand(tmp_path, register=ScriptedRegister()) as stand:
        terminal = await stand.opened()
        await visit(stand, terminal)
        state = (await stand.server.sessions.load(terminal.id)).state
        shown = stand.server.standings.find(terminal.id, state)
        assert isinstance(shown, ShownStanding)
        assert isinstance(shown.answer, HolderStanding)
        await terminal.take_card()
        await terminal.send("extended")
        assert stand.server.standings._shown == {}
