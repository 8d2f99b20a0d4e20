"""Visits while the responder cannot be reached: who is confirmed by a list, what the screens say, and what is kept."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from kiosk_web.pki.plan import FetchFailure
from kiosk_web.settings.services import DEMO_SERVICES, DEMO_SYSTEMS, ServiceSettings, WordsSettings
from kiosk_web.wiring.crl_index import find_lists, import_lists
from tests.support.api_client import SYSTEM, problem, register
from tests.support.crl_stand import SilentWatcher
from tests.support.jpki import NOW, Issued, build_root
from tests.support.kiosk_server import Stand, build_settings, run_stand
from tests.support.status_stand import HOUR, held_list
from tests.support.terminal import Stage, Terminal

pytestmark = pytest.mark.anyio

SERIAL, SUSPENDED = 0x0A1B2C3D, 0x0A1B2C3E
WORDS = WordsSettings(ja="予約", en="Booking")
WITH_STRICT = (
    *DEMO_SERVICES,
    ServiceSettings(id="strict", system="other", profile="type1", name=WORDS, description=WORDS, status_policy="ocsp"),
)
"""With one that needs the responder, whatever is open."""
WINDOW = "2026-11-23T11:00+09:00/2026-11-23T13:00+09:00"


@contextlib.asynccontextmanager
async def run_with_lists(folder: Path, **changes: object) -> AsyncIterator[Stand]:
    """A server whose index has one list of the whole CA, on which one card is suspended."""
    root = build_root(2023)
    file = folder / "list.crl"
    file.write_bytes(held_list(root, SUSPENDED))
    settings = build_settings(folder, root, **changes)
    (outcome,) = await import_lists(settings, find_lists([file]), SilentWatcher(), clock=lambda: NOW)
    assert outcome.result == "taken"
    async with run_stand(folder, **changes) as running:
        yield running


@pytest.fixture
async def stand(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stand]:
    async with run_with_lists(tmp_path) as running:
        running.responder.failure = FetchFailure("refused")
        yield running


async def visit(stand: Stand, terminal: Terminal, card: Issued, service: str = "facility") -> Stage:
    """A whole visit; a refusal comes before the 暗証番号."""
    await stand.typing(terminal, card, service)
    stage = await terminal.send("extended")
    if stage.state == "awaiting_pin":
        await terminal.submit_pin()
        stage = await terminal.sign(card)
    await terminal.take_card()
    return stage


async def open_fallback(stand: Stand) -> None:
    await stand.server.fallback.open(stand.clock.now + HOUR, "notice of 14:10", "Suzuki")
    await stand.server.fallback.watch()


def read_checked(stage: Stage) -> tuple[str, str, str]:
    """Method, cause and sentence of a result."""
    found = re.search(r'id="checked" data-method="(\w+)" data-fallback="(\w*)">([^<]*)<', stage.html)
    assert found is not None, stage.html
    return found.group(1), found.group(2), unescape(found.group(3))


def read_audit(stand: Stand) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(stand.data / "kiosk.sqlite3")
    columns = "outcome, code, status_outcome, status_method, fallback, this_update"
    rows = connection.execute(f"SELECT {columns} FROM audit ORDER BY id").fetchall()
    connection.close()
    return rows


async def test_a_pulled_cable_opens_nothing(stand: Stand) -> None:
    terminal = await stand.opened()
    for _ in range(6):
        assert (await visit(stand, terminal, stand.card())).code == "status_unavailable"


async def test_a_manager_opens_it_and_the_result_says_so(stand: Stand) -> None:
    terminal = await stand.opened()
    await open_fallback(stand)
    stage = await visit(stand, terminal, stand.card())
    assert stage.state == "result"
    sentence = "確認先が休止中のため、失効情報の一覧（2026年11月23日(月) 10:00 時点）で確認しました"
    assert read_checked(stage) == ("crl", "manager", sentence)
    assert read_audit(stand) == [("done", "", "good", "crl", "manager", "2026-11-23 01:00:00.000000")]


async def test_a_suspended_card_is_refused_by_the_list(stand: Stand) -> None:
    terminal = await stand.opened()
    await open_fallback(stand)
    assert (await visit(stand, terminal, stand.card(SUSPENDED))).code == "certificate_on_hold"
    (row,) = read_audit(stand)
    assert row[:5] == ("refused", "certificate_on_hold", "on_hold", "crl", "manager")


async def test_closed_again_nobody_is_confirmed(stand: Stand) -> None:
    terminal = await stand.opened()
    await open_fallback(stand)
    assert await stand.server.fallback.close()
    assert (await visit(stand, terminal, stand.card())).code == "status_unavailable"


async def test_it_ends_at_its_time(stand: Stand) -> None:
    terminal = await stand.opened()
    await open_fallback(stand)
    stand.clock.now = NOW + HOUR
    assert (await visit(stand, terminal, stand.card())).code == "status_unavailable"


async def test_closed_while_the_pin_is_typed_what_was_confirmed_before_still_counts(stand: Stand) -> None:
    """The evidence is judged for its own moment."""
    terminal, card = await stand.opened(), stand.card()
    await open_fallback(stand)
    await stand.typing(terminal, card)
    stand.clock.advance(60)
    await stand.server.fallback.close()
    await terminal.submit_pin()
    assert (await terminal.sign(card)).state == "result"


async def test_a_service_that_needs_the_responder_is_not_served_and_says_so_beforehand(tmp_path: Path) -> None:
    async with run_with_lists(tmp_path, services=WITH_STRICT, systems=DEMO_SYSTEMS) as stand:
        stand.responder.failure = FetchFailure("refused")
        terminal = await stand.opened()
        assert "確認できないことがあります" not in (await terminal.send("extended")).html
        await open_fallback(stand)
        tiles = (await terminal.send("extended")).html
        assert tiles.count("確認できないことがあります") == 1
        assert re.search(r'data-service="strict".*?確認できないことがあります', tiles, re.DOTALL)
        assert (await visit(stand, terminal, stand.card(), "strict")).code == "status_unavailable"


async def test_at_the_library_a_list_speaks_for_whoever_has_a_mykey_id(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card()
    await open_fallback(stand)
    assert (await visit(stand, terminal, card, "library")).code == "status_unavailable"
    stand.responder.failure = None
    first = await visit(stand, terminal, card, "library")
    assert read_checked(first)[:2] == ("ocsp", "")
    stand.responder.failure = FetchFailure("timeout")
    again = await visit(stand, terminal, card, "library")
    assert read_checked(again)[:2] == ("crl", "manager")
    connection = sqlite3.connect(stand.data / "kiosk.sqlite3")
    connection.execute("UPDATE mykey_ids SET state = 'stopped'")
    connection.commit()
    connection.close()
    assert (await visit(stand, terminal, card, "library")).code == "status_unavailable"


async def test_a_window_names_its_end_to_whoever_cannot_be_confirmed(tmp_path: Path) -> None:
    fallback = {"windows": (WINDOW,)}
    async with run_with_lists(tmp_path, fallback=fallback, services=WITH_STRICT, systems=DEMO_SYSTEMS) as stand:
        stand.responder.failure = FetchFailure("reset")
        await stand.server.fallback.watch()
        terminal = await stand.opened()
        assert read_checked(await visit(stand, terminal, stand.card()))[:2] == ("crl", "window")
        refused = await visit(stand, terminal, stand.card(), "strict")
        assert "確認先は、2026年11月23日(月) 13:00 まで保守の予定です。" in refused.html


async def test_by_api_a_client_may_live_on_lists_alone(tmp_path: Path) -> None:
    """Type 2, with nothing out of service: the responder is not even asked."""
    async with run_with_lists(tmp_path) as stand:
        client = await (await register(stand, methods=["crl"])).sign_in()
        good = await client.validate(stand.card())
        assert (good["outcome"], good["evidence"]["method"], good["evidence"]["fallback"]) == ("good", "crl", None)
        assert (await client.validate(stand.card(SUSPENDED)))["outcome"] == "on_hold"
        assert stand.responder.questions == 0


async def test_by_api_nobody_lives_on_lists_alone_for_a_system_without_type_2(tmp_path: Path) -> None:
    """Type 1: lists while the responder is out of service, and at no other time."""
    services = tuple(service for service in DEMO_SERVICES if service.profile != "type2")
    async with run_with_lists(tmp_path, systems=DEMO_SYSTEMS, services=services) as stand:
        client = await (await register(stand)).sign_in()
        challenge, card = await client.challenge(), stand.card()
        by_list = client.build_validation(challenge, card, policy="crl")
        assert problem(await client.post("validations", by_list)) == (403, "method_not_permitted")
        for path in ("certificates", f"persons?system={SYSTEM}"):
            answer = await client.http.post(
                f"/api/v1/batches/{path}",
                content=b"",
                headers={"Authorization": f"Bearer {client.token}", "Content-Type": "application/x-ndjson"},
            )
            assert problem(answer) == (403, "method_not_permitted")
        by_responder = client.build_validation(challenge, card, policy="ocsp-then-crl")
        assert (await client.post("validations", by_responder)).json()["evidence"]["method"] == "ocsp"


async def test_the_rule_serves_by_itself_only_where_it_is_switched_on(tmp_path: Path) -> None:
    fallback = {"failures": 3}
    async with run_with_lists(tmp_path, fallback=fallback) as stand:
        stand.responder.failure = FetchFailure("refused")
        terminal = await stand.opened()
        codes = [(await visit(stand, terminal, stand.card())).code for _ in range(4)]
        assert codes == ["status_unavailable", "status_unavailable", "", ""]
        stand.responder.failure = None
        assert read_checked(await visit(stand, terminal, stand.card()))[0] == "ocsp"
        stand.responder.failure = FetchFailure("refused")
        assert (await visit(stand, terminal, stand.card())).code == "status_unavailable"


async def test_staff_read_why_since_when_and_until_when(stand: Stand) -> None:
    await open_fallback(stand)
    (notice,) = (await stand.server.monitoring.load_board()).openings
    assert (notice.opening.cause, notice.opening.since, notice.opening.until) == ("manager", NOW, NOW + HOUR)
    assert (notice.reason, notice.opened_by) == ("notice of 14:10", "Suzuki")
    stand.clock.now = NOW + HOUR + timedelta(seconds=1)
    await stand.server.fallback.watch()
    assert (await stand.server.monitoring.load_board()).openings == ()


async def test_a_clock_that_nothing_keeps_right_is_its_own_refusal(tmp_path: Path) -> None:
    async with run_stand(tmp_path, is_clock_trusted=lambda: False) as stand:
        assert (await visit(stand, await stand.opened(), stand.card())).code == "clock_unreliable"
