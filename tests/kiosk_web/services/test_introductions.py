"""Stages that are recorded by command, and what a running server then offers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from kiosk_web.errors import IntroductionError
from kiosk_web.identity.introduction import LinkageReport
from kiosk_web.services.introductions import IntroductionService
from kiosk_web.session.states import Refused
from kiosk_web.wiring.introduction import build_introductions
from tests.support.api_client import SYSTEM, register
from tests.support.kiosk_server import Stand, run_stand

pytestmark = pytest.mark.anyio


def report(stand: Stand, system: str = SYSTEM, deployment: str = "demo") -> LinkageReport:
    """A test that was passed just now."""
    profiles = frozenset({"type1", "type2", "library"})
    return LinkageReport(system, True, b"\1" * 32, stand.clock.now, deployment, profiles)


def introductions(stand: Stand) -> IntroductionService:
    return build_introductions(stand.server.settings, stand.server.store, stand.clock)


async def test_in_a_demo_all_systems_are_live(stand: Stand) -> None:
    views = await introductions(stand).list_all()
    assert {view.system.id: view.introduction.stage for view in views} == {
        "facility-booking": "live",
        "city-library": "live",
    }
    assert all(view.missing is None and not view.steps for view in views)


async def test_every_step_is_kept_with_who_and_when(stand: Stand) -> None:
    service = introductions(stand)
    await service.advance(SYSTEM, "inquiry", "鈴木", "asked by mail")
    await service.pledge(SYSTEM, stand.clock.now.date(), "鈴木", "")
    await service.advance(SYSTEM, None, "佐藤", "")
    view = await service.show(SYSTEM)
    assert [(step.stage, step.by) for step in view.steps] == [
        ("inquiry", "鈴木"),
        ("pledged", "鈴木"),
        ("pledge", "佐藤"),
    ]
    assert (view.introduction.stage, view.introduction.pledged_on) == ("pledge", stand.clock.now.date())


@pytest.mark.parametrize(
    ("system", "to", "by", "refusal"),
    [
        ("nothing", None, "鈴木", "system_unknown"),
        (SYSTEM, None, " ", "name_missing"),
        (SYSTEM, None, "鈴木\n2026-11-01  live  佐藤", "name_missing"),
        (SYSTEM, "x", "鈴木", "stage_unknown"),
    ],
)
async def test_what_cannot_be_done_is_named_and_changes_nothing(
    stand: Stand, system: str, to: str | None, by: str, refusal: str
) -> None:
    service = introductions(stand)
    with pytest.raises(IntroductionError) as caught:
        await service.advance(system, to, by, "")
    assert caught.value.name == refusal
    assert (await service.show(SYSTEM)).steps == ()


async def test_a_report_lets_a_system_into_use_as_long_as_it_holds(stand: Stand) -> None:
    service = introductions(stand)
    await service.advance(SYSTEM, "linkage_test", "鈴木", "")
    await service.pledge(SYSTEM, stand.clock.now.date(), "鈴木", "")
    with pytest.raises(IntroductionError, match="linkage_test_missing"):
        await service.advance(SYSTEM, None, "鈴木", "")
    await service.record_report(report(stand))
    stand.clock.advance(timedelta(days=31).total_seconds())
    with pytest.raises(IntroductionError, match="linkage_test_expired"):
        await service.advance(SYSTEM, None, "鈴木", "")
    await service.record_report(report(stand))
    assert (await service.advance(SYSTEM, None, "鈴木", "")).stage == "pilot"


async def test_a_service_of_a_system_that_is_not_in_use_is_not_offered(stand: Stand) -> None:
    terminal = await stand.opened()
    service = introductions(stand)
    await service.advance(SYSTEM, "linkage_test", "鈴木", "")
    await stand.server.in_use.watch()
    stage = await terminal.open_page(again=True)
    assert 'data-service="library"' in stage.html
    assert 'data-service="facility"' not in stage.html
    refused = await terminal.send("service_chosen", service="facility")
    assert (refused.status, refused.refusal, refused.state) == (409, "illegal_event", "choosing_service")
    assert (await terminal.send("service_chosen", service="library")).state == "awaiting_card"


async def test_a_visit_that_began_before_is_served_to_its_end(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card()
    await stand.typing(terminal, card)
    await introductions(stand).advance(SYSTEM, "inquiry", "鈴木", "")
    await stand.server.in_use.watch()
    await terminal.submit_pin()
    assert (await terminal.sign(card)).state == "result"
    assert not isinstance((await stand.server.sessions.load(terminal.id)).state, Refused)


async def test_by_api_there_are_challenges_from_the_test_on_and_verdicts_in_use_only(stand: Stand) -> None:
    client, card = await (await register(stand)).sign_in(), stand.card()
    service = introductions(stand)
    ready = await client.challenge()
    for stage, challenge in (("linkage_test", 201), ("specification", 403)):
        await service.advance(SYSTEM, stage, "鈴木", "")
        await stand.server.in_use.watch()
        asked = await client.post("challenges", {"system": SYSTEM, "origin": "https://www.example.lg.jp"})
        assert asked.status_code == challenge
    assert asked.json()["code"] == "system_not_in_use"
    answer = await client.post("validations", client.build_validation(ready, card))
    assert (answer.status_code, answer.json()["code"]) == (403, "system_not_in_use")
    batch = await client.post(f"batches/persons?system={SYSTEM}", b"", Content_Type="application/x-ndjson")
    assert batch.json()["code"] == "system_not_in_use"
    batch = await client.post("batches/certificates", b"", Content_Type="application/x-ndjson")
    assert batch.json()["code"] == "system_not_in_use"
    assert stand.responder.questions == 0


async def test_in_production_nothing_is_offered_before_it_was_introduced(tmp_path: Path) -> None:
    async with run_stand(tmp_path) as stand:
        production = stand.server.settings.model_copy(update={"deployment": "production"})
        service = build_introductions(production, stand.server.store, stand.clock)
        assert {view.introduction.stage for view in await service.list_all()} == {"inquiry"}
        await service.advance("city-library", None, "鈴木", "")
        await service.advance("city-library", None, "鈴木", "")
        await service.advance("city-library", None, "鈴木", "")
        await service.record_report(report(stand, "city-library", "production"))
        with pytest.raises(IntroductionError, match="verifier_missing"):
            await service.advance("city-library", None, "鈴木", "")
