"""Renewal keeps the person by the register's word, and by nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk_web.identity.standing import Silence
from tests.support.kiosk_server import Stand, run_stand
from tests.support.register import ScriptedRegister

pytestmark = pytest.mark.anyio


async def identify(stand: Stand, serial: int, service: str = "facility") -> str:
    async with stand.server.store.read() as transaction:
        count = len(await transaction.terminals.list_all())
    terminal = await stand.opened(f"terminal-{count}")
    assert (await stand.identify(terminal, stand.card(serial), service)).state == "result"
    return (await stand.read_result(terminal)).identifier


async def test_a_renewed_certificate_keeps_ppid_and_mykey_id(tmp_path: Path) -> None:
    register = ScriptedRegister({2: 1, 3: 2})
    async with run_stand(tmp_path, register=register) as stand:
        ppid, mykey_id = await identify(stand, 1), await identify(stand, 1, "library")
        assert await identify(stand, 2) == ppid
        assert await identify(stand, 3, "library") == mykey_id
        assert await identify(stand, 3) == ppid
        assert await identify(stand, 1) == ppid  # still the same person, were it good
        # Asked once for each certificate that is new, and never again.
        assert register.asked == [1, 2, 3]
        actions = await _list_actions(stand)
        assert actions == ["renewed", "renewed"]


async def test_renewals_without_a_visit_between_them_are_followed(tmp_path: Path) -> None:
    register = ScriptedRegister({4: 3, 3: 2, 2: 1})
    async with run_stand(tmp_path, register=register) as stand:
        ppid = await identify(stand, 1)
        assert await identify(stand, 4) == ppid
        assert register.asked == [1, 4, 3, 2]


async def test_a_certificate_that_replaced_none_is_a_new_persons(tmp_path: Path) -> None:
    async with run_stand(tmp_path, register=ScriptedRegister({2: 77})) as stand:
        ppid = await identify(stand, 1)
        assert await identify(stand, 2) != ppid
        assert await identify(stand, 5) != ppid


async def test_a_certificate_that_was_replaced_already_is_not_replaced_by_another_one(tmp_path: Path) -> None:
    """Two that both say so cannot be the same person's: the second one is somebody new, and staff may settle it."""
    register = ScriptedRegister({2: 1, 3: 1})
    async with run_stand(tmp_path, register=register) as stand:
        ppid = await identify(stand, 1)
        assert await identify(stand, 2) == ppid
        assert await identify(stand, 3) != ppid
        assert await _list_actions(stand) == ["renewed"]


async def test_a_circle_in_the_registers_answers_leads_nowhere(tmp_path: Path) -> None:
    register = ScriptedRegister({2: 3, 3: 2})
    async with run_stand(tmp_path, register=register) as stand:
        ppid = await identify(stand, 1)
        assert await identify(stand, 2) != ppid
        assert register.asked == [1, 2, 3]


@pytest.mark.parametrize("silence", ["timeout", "unreachable", "refused", "malformed", "unknown_certificate"])
async def test_silence_is_never_taken_for_a_renewal(tmp_path: Path, silence: Silence) -> None:
    register = ScriptedRegister({2: 1})
    async with run_stand(tmp_path, register=register) as stand:
        ppid = await identify(stand, 1)
        register.silence = silence
        assert await identify(stand, 2) != ppid


async def test_a_register_that_answers_too_late_holds_nobody_up(tmp_path: Path) -> None:
    register = ScriptedRegister({2: 1})
    async with run_stand(tmp_path, register=register, register_service={"budget_seconds": 0.05}) as stand:
        ppid = await identify(stand, 1)
        register.gate.clear()
        assert await identify(stand, 2) != ppid
        register.gate.set()


async def test_a_visit_without_a_proof_joins_no_certificate_to_anybody(tmp_path: Path) -> None:
    async with run_stand(tmp_path, register=ScriptedRegister({2: 1})) as stand:
        await identify(stand, 1)
        terminal = await stand.opened("thief")
        await stand.typing(terminal, stand.card(2))
        await terminal.submit_pin()
        assert (await terminal.sign(stand.card(2), signature=bytes(256))).code == "evidence_refused"
        async with stand.server.store.read() as transaction:
            assert await transaction.persons.find(stand.root.anchor.key_id, 2) is None


async def _list_actions(stand: Stand) -> list[str]:
    async with stand.server.store.read() as transaction:
        return [action.action for action in await transaction.staff_audit.list_latest(10)]
