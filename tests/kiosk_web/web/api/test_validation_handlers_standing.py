"""What the register says of the holder, by API: only with a verdict that accepts, only where it was asked for."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk_web.identity.standing import Silence
from kiosk_web.pki.plan import FetchFailure
from kiosk_web.wiring.introduction import build_introductions
from tests.support.api_client import API_SYSTEMS, OTHER_SYSTEM, SYSTEM, ApiClient, encode, problem, register
from tests.support.jpki import NOW
from tests.support.kiosk_server import Stand, run_stand
from tests.support.ocsp_answers import AnswerShape
from tests.support.register import ScriptedRegister

pytestmark = pytest.mark.anyio
TODAY, LATER = "2026-11-23", "2026-11-28"


@pytest.fixture
def asked() -> ScriptedRegister:
    return ScriptedRegister()


@pytest.fixture
async def stand(tmp_path: Path, asked: ScriptedRegister, anyio_backend: str) -> AsyncIterator[Stand]:
    async with run_stand(tmp_path, systems=API_SYSTEMS, register=asked) as running:
        yield running


def confirmations(stand: Stand) -> list[tuple[str, str]]:
    connection = sqlite3.connect(stand.data / "kiosk.sqlite3")
    rows = connection.execute("SELECT system, confirmed_on FROM confirmations ORDER BY system").fetchall()
    connection.close()
    return rows


async def ask(client: ApiClient, stand: Stand, **changes: Any) -> dict[str, Any]:
    return await client.validate(stand.card(1), standing=True, **changes)


async def test_the_first_question_confirms_and_the_next_one_compares(
    stand: Stand, client: ApiClient, asked: ScriptedRegister
) -> None:
    first = await ask(client, stand)
    assert first["standing"] == {
        "signature_certificate": "valid",
        "items": "unknown",
        "since": None,
        "as_of": NOW.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "why": None,
    }
    stand.clock.advance(5 * 86_400)
    await client.sign_in()
    second = await ask(client, stand)
    assert (second["standing"]["items"], second["standing"]["since"]) == ("unchanged", TODAY)
    assert [serial for serial, _ in asked.standings] == [1, 1]
    assert confirmations(stand) == [(SYSTEM, LATER)]


async def test_a_change_stays_told_until_the_system_confirms_it(
    stand: Stand, client: ApiClient, asked: ScriptedRegister
) -> None:
    ppid = (await ask(client, stand))["ppid"]
    asked.changed_at, asked.signature = NOW + timedelta(days=2), "revoked"
    stand.clock.advance(5 * 86_400)
    await client.sign_in()
    for _ in range(2):
        said = (await ask(client, stand))["standing"]
        assert (said["items"], said["signature_certificate"], said["since"]) == ("changed", "revoked", TODAY)
    answer = await client.post("confirmations", {"system": SYSTEM, "ppid": ppid})
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await ask(client, stand))["standing"]["items"] == "unchanged"
    connection = sqlite3.connect(stand.data / "kiosk.sqlite3")
    audit = connection.execute("SELECT by, action, system, outcome FROM staff_audit").fetchall()
    connection.close()
    assert audit == [("client portal", "confirm", SYSTEM, "done")]


async def test_it_is_not_asked_where_nobody_wants_to_know(
    stand: Stand, client: ApiClient, asked: ScriptedRegister
) -> None:
    assert (await client.validate(stand.card(1)))["standing"] is None
    assert asked.standings == []
    assert confirmations(stand) == []


async def test_without_the_cards_signature_nothing_is_asked_of_the_register(
    stand: Stand, client: ApiClient, asked: ScriptedRegister
) -> None:
    await ask(client, stand)
    asked.standings.clear()
    said = await ask(client, stand, signature=encode(b"\0" * 256))
    assert (said["outcome"], said["ppid"], said["standing"]) == ("signature_invalid", None, None)
    assert asked.standings == []


@pytest.mark.parametrize("outcome", ["revoked", "unavailable"])
async def test_without_a_verdict_that_accepts_nothing_is_asked_of_the_register(
    stand: Stand, client: ApiClient, asked: ScriptedRegister, outcome: str
) -> None:
    if outcome == "revoked":
        stand.responder.shape = AnswerShape(status="revoked")
    else:
        stand.responder.failure = FetchFailure("timeout")
    said = await ask(client, stand)
    assert (said["outcome"], said["standing"]) == (outcome, None)
    assert asked.standings == []


@pytest.mark.parametrize("silence", ["timeout", "unreachable", "refused", "malformed", "unknown_certificate"])
async def test_silence_is_unknown_with_its_reason_and_the_verdict_stands(
    stand: Stand, client: ApiClient, asked: ScriptedRegister, silence: Silence
) -> None:
    asked.silence = silence
    said = await ask(client, stand)
    assert said["accepted"] is True
    assert said["standing"] == {
        "signature_certificate": "unknown",
        "items": "unknown",
        "since": None,
        "as_of": None,
        "why": silence,
    }
    assert confirmations(stand) == []


async def test_without_both_verifier_roles_the_reason_says_so(tmp_path: Path) -> None:
    async with run_stand(tmp_path, systems=API_SYSTEMS) as stand:
        client = await (await register(stand)).sign_in()
        said = await ask(client, stand)
        assert (said["accepted"], said["standing"]["why"]) == (True, "not_configured")
        assert confirmations(stand) == []


async def test_each_system_is_compared_with_its_own_confirmation(
    stand: Stand, client: ApiClient, asked: ScriptedRegister
) -> None:
    points = await (await register(stand, "points", systems=[OTHER_SYSTEM])).sign_in()
    await ask(client, stand)
    said = await points.validate(stand.card(1), OTHER_SYSTEM, standing=True)
    assert said["standing"]["since"] is None
    assert confirmations(stand) == [(SYSTEM, TODAY), (OTHER_SYSTEM, TODAY)]


async def test_a_client_confirms_persons_of_its_own_systems_alone(
    stand: Stand, client: ApiClient, asked: ScriptedRegister
) -> None:
    points = await (await register(stand, "points", systems=[OTHER_SYSTEM])).sign_in()
    ppid = (await client.validate(stand.card(1)))["ppid"]
    foreign = await points.post("confirmations", {"system": OTHER_SYSTEM, "ppid": ppid})
    nobodys = await points.post("confirmations", {"system": OTHER_SYSTEM, "ppid": "A" * 24})
    assert problem(foreign) == problem(nobodys) == (404, "identifier_unknown")
    refused = await points.post("confirmations", {"system": SYSTEM, "ppid": ppid})
    assert problem(refused) == (403, "system_not_permitted")
    introductions = build_introductions(stand.server.settings, stand.server.store, stand.clock)
    await introductions.advance(SYSTEM, "linkage_test", "鈴木", "")
    await stand.server.in_use.watch()
    refused = await client.post("confirmations", {"system": SYSTEM, "ppid": ppid})
    assert problem(refused) == (403, "system_not_in_use")
    assert confirmations(stand) == []
