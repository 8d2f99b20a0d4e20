"""A client that may have certificates confirmed by lists: what they settle at once, and what they leave to be asked."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from kiosk_web.services.api import visits
from kiosk_web.services.persons.issuance import IssuanceService
from kiosk_web.services.status.validation import ValidationService
from kiosk_web.settings.services import DEMO_SERVICES
from kiosk_web.wiring import crl_index
from tests.support.api_client import API_SYSTEMS, OTHER_SYSTEM, SYSTEM, ApiClient, count, encode, problem, register
from tests.support.crl_stand import ORDINARY, SilentWatcher, list_of, offer, town_point
from tests.support.jpki import NOW
from tests.support.kiosk_server import Stand, run_stand

pytestmark = pytest.mark.anyio

SERIAL = 0x0A1B2C3D
HOUR = timedelta(hours=1)


async def take_in(stand: Stand, serials: Sequence[int], number: int = 1000) -> None:
    shape = replace(
        ORDINARY, point=town_point(), this_update=NOW + timedelta(seconds=number - 2000), next_update=NOW + 24 * HOUR,
        number=number,
    )  # fmt: skip
    offers = [offer(list_of(stand.root, serials, shape))]
    outcomes = await crl_index.import_lists(stand.server.settings, offers, SilentWatcher(), clock=stand.clock)
    assert [outcome.result for outcome in outcomes] == ["taken"]


@pytest.fixture
async def client(stand: Stand) -> ApiClient:
    await take_in(stand, [4711])
    return await (await register(stand, methods=["crl"])).sign_in()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often the status was asked for on the long way."""
    questions: list[int] = []
    ordinary = ValidationService.check_status

    async def check_status(*given: object) -> object:
        questions.append(1)
        return await ordinary(*given)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(ValidationService, "check_status", check_status)
    return questions


async def test_a_known_person_is_confirmed_at_once_and_a_new_one_is_not(
    stand: Stand, client: ApiClient, asked: list[int]
) -> None:
    first = await client.validate(stand.card())
    assert (first["outcome"], first["evidence"]["method"], len(asked)) == ("good", "crl", 1)
    again = await client.validate(stand.card())
    assert {**again, "reference": ""} == {**first, "reference": ""}
    assert again["reference"] != first["reference"]
    assert len(asked) == 1
    async with stand.server.store.read() as transaction:
        rows = (await transaction.connection.execute(text("SELECT * FROM remote_visits"))).mappings().all()
    assert [row["reference"] for row in rows] == [first["reference"], again["reference"]]
    shared = [{name: row[name] for name in row if name not in ("id", "reference")} for row in rows]
    assert shared[0] == shared[1]
    assert shared[0] == shared[0] | {"outcome": "accepted", "status_outcome": "good", "status_method": "crl"}


async def test_a_person_of_two_systems_has_in_each_its_own_ppid(stand: Stand, asked: list[int]) -> None:
    await take_in(stand, [4711])
    systems = (SYSTEM, OTHER_SYSTEM)
    client = await (await register(stand, "both", systems=systems, methods=["ocsp-then-crl", "crl"])).sign_in()
    first = {}
    for system in reversed(systems):  # by either way of asking
        policy = "crl" if system == OTHER_SYSTEM else "ocsp-then-crl"
        first[system] = (await client.validate(stand.card(), system, policy=policy))["ppid"]
    assert len({*first.values(), None}) == 3
    again = await client.validate(stand.card(), OTHER_SYSTEM, policy="crl")
    assert (again["ppid"], len(asked)) == (first[OTHER_SYSTEM], 2)


async def test_lists_alone_are_for_the_systems_that_may_live_on_them(tmp_path: Path) -> None:
    """A client of two systems, one of which has no service of Type 2: the right of the other is not its own."""
    async with run_stand(tmp_path, systems=API_SYSTEMS, services=DEMO_SERVICES[:1]) as stand:
        client = await (await register(stand, systems=(SYSTEM, OTHER_SYSTEM), methods=["crl"])).sign_in()
        body = client.build_validation(await client.challenge(SYSTEM), stand.card())
        assert problem(await client.post("validations", body)) == (403, "method_not_permitted")
        assert await count(stand, "remote_visits") == 0
        assert (await client.validate(stand.card(), OTHER_SYSTEM))["reason"] == "no_list"


async def test_a_list_that_names_a_known_person_counts_from_the_next_request_on(
    stand: Stand, client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        assert (await client.validate(stand.card()))["accepted"]
    await take_in(stand, [4711, SERIAL], 1001)
    monkeypatch.setattr("kiosk_web.adapters.crl_files.LOOK_SECONDS", 0.0)
    for _ in range(2):
        verdict = await client.validate(stand.card())
        assert (verdict["accepted"], verdict["outcome"], verdict["ppid"]) == (False, "revoked", None)
    stand.clock.now = NOW + 25 * HOUR
    await client.sign_in()
    assert (await client.validate(stand.card()))["outcome"] == "revoked"


async def test_an_old_list_confirms_nobody(stand: Stand, client: ApiClient) -> None:
    for _ in range(2):
        assert (await client.validate(stand.card()))["accepted"]
    stand.clock.now = NOW + 25 * HOUR
    await client.sign_in()
    verdict = await client.validate(stand.card())
    assert (verdict["outcome"], verdict["reason"], verdict["ppid"]) == ("stale", "next_update_passed", None)


async def test_a_person_to_be_checked_again_is_so_no_more(stand: Stand, client: ApiClient, asked: list[int]) -> None:
    await client.validate(stand.card())
    async with stand.server.store.write() as transaction:
        await transaction.connection.execute(text("UPDATE persons SET check_again = 1"))
    for questions in (2, 2):
        assert (await client.validate(stand.card()))["accepted"]
        assert len(asked) == questions
    assert await count(stand, "persons WHERE check_again = 0") == 1


async def test_a_wrong_signature_shows_nothing_of_a_known_person(
    stand: Stand, client: ApiClient, asked: list[int]
) -> None:
    await client.validate(stand.card())
    verdict = await client.validate(stand.card(), signature=encode(b"x" * 256))
    assert (verdict["outcome"], verdict["ppid"], verdict["evidence"]) == ("signature_invalid", None, None)
    assert len(asked) == 1
    assert await count(stand, "remote_visits WHERE outcome = 'refused'") == 1


async def test_a_challenge_is_used_up_by_what_fails(
    stand: Stand, client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*given: object) -> None:
        raise RuntimeError("no")

    await client.validate(stand.card())
    body = client.build_validation(await client.challenge(), stand.card())
    with monkeypatch.context() as patch:
        patch.setattr(IssuanceService, "find_settled_ppid", fail)
        assert problem(await client.post("validations", body)) == (500, "internal")
    assert problem(await client.post("validations", body)) == (409, "challenge_not_usable")
    assert await count(stand, "remote_visits") == 1


async def test_nothing_is_answered_that_is_not_on_the_disk(stand: Stand, client: ApiClient) -> None:
    """The commit of challenge and record fails, because of somebody who shares it."""
    await client.validate(stand.card())
    body = client.build_validation(await client.challenge(), stand.card())

    async def write_what_cannot_be_committed() -> None:
        async with stand.server.store.write() as transaction:
            await transaction.connection.execute(text("PRAGMA defer_foreign_keys=ON"))
            await transaction.persons.add_certificate("nobody", b"issuer", 7, NOW)

    answer, said = await asyncio.gather(
        client.post("validations", body), write_what_cannot_be_committed(), return_exceptions=True
    )
    assert isinstance(said, sqlite3.IntegrityError)
    assert problem(answer) == (500, "internal")
    assert await count(stand, "remote_visits") == 1
    assert (await client.post("validations", body)).json()["accepted"] is True


async def test_what_breaks_a_library_is_nobody_elses_trouble(
    stand: Stand, client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A panic of a library in Rust is no `Exception`."""

    class Panic(BaseException):
        pass

    def judge_trust(self: ValidationService, der: bytes) -> object:
        if der == b"panic!":
            raise Panic
        return ordinary(self, der)

    await client.validate(stand.card())
    ordinary = ValidationService.judge_trust
    monkeypatch.setattr(ValidationService, "judge_trust", judge_trust)
    right, wrong = [client.build_validation(await client.challenge(), stand.card()) for _ in range(2)]
    wrong["certificate"] = encode(b"panic!")
    answers = await asyncio.gather(*(client.post("validations", body) for body in (wrong, right)))
    assert problem(answers[0]) == (500, "internal")
    assert answers[1].json()["accepted"] is True


async def test_of_many_at_once_one_is_answered(stand: Stand, client: ApiClient) -> None:
    await client.validate(stand.card())
    body = client.build_validation(await client.challenge(), stand.card())
    answers = await asyncio.gather(*(client.post("validations", body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert await count(stand, "remote_visits") == 2


async def test_a_verdict_that_cannot_be_told_is_not_recorded(
    stand: Stand, client: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.validate(stand.card())

    def fail(*given: object) -> None:
        raise RuntimeError("no answer")

    monkeypatch.setattr(visits, "build_answer", fail)
    challenge = await client.challenge()
    answer = await client.post("validations", client.build_validation(challenge, stand.card()))
    assert answer.status_code == 500
    assert await count(stand, "remote_visits") == 1
