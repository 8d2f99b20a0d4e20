"""The life of a MyKey ID: recorded against its certificate, stopped, resumed, superseded; refused while stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import pytest

from kiosk_web.errors import IdentityError
from kiosk_web.identity.mykey import LIFE, MyKeyState, MyKeyStep, derive_state
from kiosk_web.identity.persons import CertificateName
from kiosk_web.services.persons.mykey import MyKeyService
from tests.support.kiosk_server import Stand, run_stand
from tests.support.register import ScriptedRegister
from tests.support.terminal import Terminal

pytestmark = pytest.mark.anyio


@pytest.fixture
async def stand(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stand]:
    async with run_stand(tmp_path, register=ScriptedRegister({2: 1})) as running:
        yield running


def build(stand: Stand) -> MyKeyService:
    return MyKeyService(store=stand.server.store, issuance=stand.server.issuance, clock=stand.clock)


async def visit(stand: Stand, terminal: Terminal, serial: int) -> str:
    stage = await stand.identify(terminal, stand.card(serial), "library")
    answer = stage.code or (await stand.read_result(terminal)).identifier
    await terminal.take_card()
    return answer


async def test_it_is_recorded_against_the_certificate_it_was_issued_to_and_outlives_it(stand: Stand) -> None:
    terminal = await stand.opened()
    mykey_id = await visit(stand, terminal, 1)
    assert await visit(stand, terminal, 2) == mykey_id
    async with stand.server.store.read() as transaction:
        record = await transaction.persons.load_mykey_id(mykey_id)
    assert record is not None
    assert record.issued_to == CertificateName(stand.root.anchor.key_id, 1)
    assert (record.state, record.issued_at) == ("issued", stand.clock.now)


async def load_state(stand: Stand, mykey_id: str) -> MyKeyState:
    async with stand.server.store.read() as transaction:
        record = await transaction.persons.load_mykey_id(mykey_id)
    assert record is not None
    return record.state


async def test_a_stopped_one_is_refused_by_name_until_it_is_resumed(stand: Stand) -> None:
    terminal, service = await stand.opened(), build(stand)
    mykey_id = await visit(stand, terminal, 1)
    await service.stop(mykey_id, "鈴木", "lost library card")
    assert await visit(stand, terminal, 1) == "mykey_id_stopped"
    assert await visit(stand, terminal, 2) == "mykey_id_stopped"  # nor does a renewed certificate help
    assert await load_state(stand, mykey_id) == "stopped"
    await service.resume(mykey_id, "鈴木", "found again")
    assert await visit(stand, terminal, 1) == mykey_id


async def test_a_superseded_one_never_comes_back(stand: Stand) -> None:
    terminal, service = await stand.opened(), build(stand)
    first = await visit(stand, terminal, 1)
    second = await service.supersede(first, "鈴木", "known to somebody else")
    assert second != first
    assert await visit(stand, terminal, 1) == second
    assert [await load_state(stand, one) for one in (first, second)] == ["superseded", "issued"]
    for step in (service.stop, service.resume, service.supersede):
        with pytest.raises(IdentityError, match="mykey_id_state"):
            await step(first, "鈴木", "again")


async def test_a_step_needs_a_name_a_reason_and_an_id_that_is_there(stand: Stand) -> None:
    service = build(stand)
    mykey_id = await visit(stand, await stand.opened(), 1)
    for arguments, name in (
        ((mykey_id, "", "why"), "name_missing"),
        ((mykey_id, "鈴木", " "), "reason_missing"),
        ((mykey_id, "鈴木", "two\nlines"), "reason_missing"),
        (("2222222Z", "鈴木", "why"), "mykey_id_unknown"),
    ):
        with pytest.raises(IdentityError) as refusal:
            await service.stop(*arguments)
        assert refusal.value.name == name
    assert await load_state(stand, mykey_id) == "issued"


async def test_every_step_is_in_the_staff_audit_without_the_id(stand: Stand) -> None:
    service = build(stand)
    mykey_id = await visit(stand, await stand.opened(), 1)
    await service.stop(mykey_id, "鈴木", "why")
    await service.supersede(mykey_id, "佐藤", "because")
    for unknown in ("2222222Z", mykey_id):
        with pytest.raises(IdentityError):
            await service.resume(unknown, "鈴木", "again")
    async with stand.server.store.read() as transaction:
        actions = await transaction.staff_audit.list_latest(10)
    assert [(one.action, one.by, one.reason, one.outcome) for one in actions] == [
        ("mykey_resume", "鈴木", "again", "mykey_id_state"),
        ("mykey_resume", "鈴木", "again", "mykey_id_unknown"),
        ("mykey_supersede", "佐藤", "because", "done"),
        ("mykey_stop", "鈴木", "why", "done"),
    ]
    assert mykey_id not in repr(actions)


def test_each_state_and_step_is_decided() -> None:
    superseded = [derive_state("superseded", step) for step in get_args(MyKeyStep)]
    assert superseded == [None, None, None]
    assert set(LIFE.values()) == set(get_args(MyKeyState))
    assert derive_state("issued", "resume") is None
    assert derive_state("stopped", "stop") is None
