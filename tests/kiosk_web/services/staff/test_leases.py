"""Attended mode (窓口モード): how a lease begins and ends, and that a tap needs one which holds at every step."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from kiosk_web.wiring.kazashi import load_seal
from tests.support.kazashi import STAFF, Body, Desk, begin_tap, build_kazashi, continue_by_pin, enrolled, tap
from tests.support.kiosk_server import Stand, run_stand
from tests.support.terminal import Terminal, read_claims

pytestmark = pytest.mark.anyio


@pytest.fixture
async def stand(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stand]:
    async with run_stand(tmp_path, kazashi=build_kazashi(tmp_path)) as running:
        yield running


@pytest.fixture
def body(stand: Stand) -> Body:
    return Body(stand.card())


async def lapse(stand: Stand, terminal: Terminal, cause: str) -> None:
    """The lease is over by the table alone: no sweep has written it down."""
    async with stand.server.store.write() as transaction:
        lease = await transaction.leases.find_open(terminal.id)
        assert lease is not None
        if cause == "member revoked":
            await transaction.staff.revoke(lease.staff, stand.clock.now)
        else:
            await transaction.leases.touch(lease.id, stand.clock.now - timedelta(minutes=5))


@pytest.mark.parametrize("cause", ["idle", "member revoked"])
async def test_a_lease_that_is_over_and_unswept_lets_no_card_be_asked_for_a_tap(
    stand: Stand, terminal: Terminal, body: Body, cause: str
) -> None:
    await enrolled(stand, terminal, body)
    await lapse(stand, terminal, cause)
    await terminal.begin()
    claims = read_claims(terminal.ticket)
    assert (claims["method"], claims["lease"]) == ("pin", "")


@pytest.mark.parametrize("cause", ["idle", "member revoked"])
async def test_a_lease_that_lapses_between_challenge_and_consumption_confirms_nobody(
    stand: Stand, terminal: Terminal, body: Body, cause: str
) -> None:
    await enrolled(stand, terminal, body)
    await begin_tap(stand, terminal, body)
    await lapse(stand, terminal, cause)
    stage = await terminal.sign(body.issued, signature=body.sign(terminal))
    assert (await continue_by_pin(stand, terminal, body, stage)).state == "result"


async def test_after_a_quarter_of_an_hour_nobody_is_confirmed_however_busy_it_was(
    stand: Stand, terminal: Terminal, body: Body
) -> None:
    await enrolled(stand, terminal, body)
    for _ in range(2):
        stand.clock.advance(4 * 60 + 50)
        assert (await tap(stand, terminal, body)).state == "result"
        await terminal.take_card()
    stand.clock.advance(4 * 60 + 50)
    await begin_tap(stand, terminal, body)
    assert read_claims(terminal.ticket)["method"] == "kazashi"
    stand.clock.advance(30)
    stage = await terminal.sign(body.issued, signature=body.sign(terminal))
    assert (await continue_by_pin(stand, terminal, body, stage)).state == "result"
    await terminal.take_card()
    await terminal.begin()
    assert read_claims(terminal.ticket)["method"] == "pin"


async def test_who_attends_is_shown_until_when_here_and_on_the_staff_page(stand: Stand, terminal: Terminal) -> None:
    desk = await Desk.opened(stand)
    stage = await desk.attend(terminal)
    assert f"窓口モード：{STAFF}" in stage.html
    (row,) = await stand.server.monitoring.terminals()
    assert row.attended_by == STAFF
    assert row.attended_until is not None
    assert (row.attended_until - stand.clock.now).total_seconds() == 15 * 60
    assert "窓口モード：" not in (await terminal.send("staff_signed_out")).html
    assert stand.query("SELECT ended_by FROM leases") == [("signed_out",)]


async def test_a_code_works_once_and_wrong_ones_are_limited(stand: Stand, terminal: Terminal) -> None:
    desk = await Desk.opened(stand)
    await desk.attend(terminal)
    await terminal.send("staff_signed_out")
    await terminal.send("staff_asked")
    again = await terminal.send("staff_identified", number=desk.number, code=desk.code())
    assert (again.state, "K-609" in again.html) == ("staff_sign_in", True)
    for _ in range(4):
        await terminal.send("staff_identified", number=desk.number, code="000000")
    stand.clock.advance(30)
    limited = await terminal.send("staff_identified", number=desk.number, code=desk.code())
    assert "K-610" in limited.html
    stand.clock.advance(15 * 60)
    await terminal.send("staff_asked")
    assert (await desk.attend(terminal)).state == "choosing_service"


async def test_a_secret_sealed_for_another_number_is_refused_like_a_wrong_code(
    stand: Stand, terminal: Terminal
) -> None:
    desk = await Desk.opened(stand)
    sealed = load_seal(stand.data, secrets.token_bytes).seal(desk.secret, "9999")
    async with stand.server.store.write() as transaction:
        member = await transaction.staff.find_by_number(desk.number)
        assert member is not None
        await transaction.staff.renew(member.id, member.number, member.facility, sealed)
    await terminal.send("staff_asked")
    stage = await terminal.send("staff_identified", number=desk.number, code=desk.code())
    assert (stage.state, "K-609" in stage.html) == ("staff_sign_in", True)


async def test_a_code_of_a_revoked_member_is_refused_like_a_wrong_one(stand: Stand, terminal: Terminal) -> None:
    desk = await Desk.opened(stand)
    async with stand.server.store.write() as transaction:
        member = await transaction.staff.find_by_number(desk.number)
        assert member is not None
        await transaction.staff.revoke(member.id, stand.clock.now)
    refused = await desk.attend(terminal)
    assert (refused.state, "K-609" in refused.html) == ("staff_sign_in", True)
    assert stand.query("SELECT * FROM leases") == []


async def test_a_number_nobody_has_and_another_facility_are_refused_alike(stand: Stand, terminal: Terminal) -> None:
    desk = await Desk.opened(stand, facility="elsewhere")
    refused = await desk.attend(terminal)
    unknown = await terminal.send("staff_identified", number="4321", code="123456")
    assert (refused.state, unknown.state) == ("staff_sign_in", "staff_sign_in")
    assert "K-609" in refused.html
    assert "K-609" in unknown.html
    assert stand.query("SELECT * FROM leases") == []


async def test_a_number_nobody_has_is_limited_like_another_and_is_kept_nowhere(
    stand: Stand, terminal: Terminal
) -> None:
    number = "91827364"
    await terminal.send("staff_asked")
    for _ in range(5):
        assert "K-609" in (await terminal.send("staff_identified", number=number, code="123456")).html
    assert "K-610" in (await terminal.send("staff_identified", number=number, code="123456")).html
    assert (await (await Desk.opened(stand)).attend_here(terminal)).state == "choosing_service"
    kept = b"".join(path.read_bytes() for path in stand.data.glob("kiosk.sqlite3*"))
    assert number.encode() not in kept


@pytest.mark.parametrize("cause", ["expired", "idle", "revoked", "page_lost", "silent"])
async def test_a_lease_ends_by_itself(stand: Stand, terminal: Terminal, cause: str) -> None:
    await (await Desk.opened(stand)).attend(terminal)
    seconds = {"expired": 15 * 60, "idle": 5 * 60, "silent": 31}.get(cause, 0)
    if cause == "expired":
        async with stand.server.store.write() as transaction:
            lease = await transaction.leases.find_open(terminal.id)
            assert lease is not None
            await transaction.leases.touch(lease.id, stand.clock.now.replace(year=2099))
    stand.clock.advance(seconds)
    if cause == "revoked":
        async with stand.server.store.write() as transaction:
            member = await transaction.staff.find_by_name(STAFF)
            assert member is not None
            await transaction.staff.revoke(member.id, stand.clock.now)
    if cause == "page_lost":
        await terminal.open_page()
    await stand.server.upkeep.sweep()
    ended = {"silent": "page_lost"}.get(cause, cause)
    assert stand.query("SELECT ended_by FROM leases") == [(ended,)]
    assert "窓口モード：" not in (await terminal.send("extended")).html


async def test_a_new_code_renews_the_lease(stand: Stand, terminal: Terminal) -> None:
    desk = await Desk.opened(stand)
    await desk.attend(terminal)
    stand.clock.advance(4 * 60)
    await desk.attend(terminal)
    assert stand.query("SELECT ended_by FROM leases ORDER BY opened_at") == [("replaced",), ("",)]
