"""The clock is set back: what ends at a time of day ends at once, and lasts no longer by the jump."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from kiosk_web.errors import IdentityError
from kiosk_web.identity.links import LOOK_UPS_OF_ONE
from kiosk_web.services.clock_watch import TOLERANCE, is_set_back
from tests.support.api_client import API_SYSTEMS, register
from tests.support.jpki import NOW
from tests.support.kazashi import Body, Desk, begin_tap, build_kazashi, enrolled
from tests.support.kiosk_server import Clock, Stand, run_stand
from tests.support.numbers import number
from tests.support.terminal import Terminal

pytestmark = pytest.mark.anyio
JUMP = 600


@pytest.fixture
async def stand(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Stand]:
    async with run_stand(tmp_path, kazashi=build_kazashi(tmp_path), systems=API_SYSTEMS) as running:
        yield running


@pytest.mark.parametrize(
    ("jumps", "noticed"),
    [
        ((), False),
        ((-1,), False),
        ((-3,), True),
        ((5,), False),
        ((5, -8), True),
        ((-1.5, -1.5), True),
        ((5, -1), False),
    ],
)
def test_only_what_goes_back_further_than_a_leap_second_counts_in_however_many_steps(
    jumps: tuple[float, ...], noticed: bool
) -> None:
    shown: list[datetime] = [NOW]
    for jump in jumps:
        shown.append(shown[-1] + timedelta(seconds=jump))
    assert is_set_back(shown[-1], max(shown)) is noticed
    assert timedelta(seconds=1) < TOLERANCE


@pytest.mark.parametrize(("lost", "noticed"), [(0.36, False), (1.5, False), (4, True)])
async def test_clocks_that_drift_apart_for_a_day_end_nothing(stand: Stand, lost: float, noticed: bool) -> None:
    await stand.server.upkeep.sweep()
    with capture_logs() as logs:
        for _ in range(24):
            stand.clock.advance(3600)
            stand.clock.set_back(lost)
            await stand.server.upkeep.sweep()
    assert ("clock_set_back" in [line["event"] for line in logs]) is noticed


async def test_steps_back_within_a_lease_add_up(stand: Stand) -> None:
    await (await Desk.opened(stand)).attend(await stand.opened())
    await stand.server.upkeep.sweep()
    for _ in range(4):
        assert stand.query("SELECT ended_by FROM leases") == [("",)]
        stand.clock.advance(5)
        stand.clock.set_back(0.6)
        await stand.server.upkeep.sweep()
    assert stand.query("SELECT ended_by FROM leases") == [("clock_set_back",)]


async def test_a_lease_ends_when_the_clock_is_set_back_within_its_time(stand: Stand) -> None:
    terminal = await stand.opened()
    await (await Desk.opened(stand)).attend(terminal)
    await stand.server.upkeep.sweep()
    stand.clock.advance(240)
    stand.clock.set_back(200)  # after its beginning still: no stored time alone could tell
    await stand.server.upkeep.sweep()
    assert stand.query("SELECT ended_by FROM leases") == [("clock_set_back",)]


async def test_a_result_does_not_stay_on_its_screen_for_the_length_of_the_jump(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card()
    assert (await stand.identify(terminal, card)).state == "result"
    await stand.server.upkeep.sweep()
    stand.clock.set_back(JUMP)
    await stand.server.upkeep.sweep()
    shown = await terminal.send("extended")
    assert shown.state == "taking_card"
    assert shown.refusal == ""


async def test_a_challenge_that_a_card_holds_is_over(stand: Stand) -> None:
    terminal, body = await stand.opened(), Body(stand.card())
    await enrolled(stand, terminal, body)
    await begin_tap(stand, terminal, body)
    await stand.server.upkeep.sweep()
    stand.clock.set_back(JUMP)
    await stand.server.upkeep.sweep()
    late = await terminal.sign(body.issued, signature=body.sign(terminal))
    assert (late.state, late.code) == ("refused", "session_timeout")


async def test_the_pad_goes_before_any_try_is_used(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card()
    await stand.typing(terminal, card)
    await stand.server.upkeep.sweep()
    stand.clock.set_back(JUMP)
    await stand.server.upkeep.sweep()
    stage = await terminal.send("extended")
    assert (stage.state, stage.code) == ("refused", "pin_timeout")


async def test_after_it_everything_works_by_the_clock_as_it_is(stand: Stand) -> None:
    terminal, card = await stand.opened(), stand.card()
    await stand.server.upkeep.sweep()
    stand.clock.set_back(60)
    await stand.server.upkeep.sweep()
    assert (await stand.identify(terminal, card)).state == "result"
    await stand.server.upkeep.sweep()
    assert (await terminal.send("extended")).state == "result"


async def test_a_challenge_by_the_api_ends_with_it(stand: Stand) -> None:
    client = await (await register(stand)).sign_in()
    challenge = await client.challenge()
    await stand.server.upkeep.sweep()
    stand.clock.set_back(30)
    await stand.server.upkeep.sweep()
    answer = await client.post("validations", client.build_validation(challenge, stand.card()))
    assert answer.json()["code"] == "challenge_not_usable"


async def test_an_access_token_holds_no_longer_by_it(stand: Stand) -> None:
    client = await (await register(stand)).sign_in()
    await stand.server.upkeep.sweep()
    stand.clock.set_back(JUMP)
    await stand.server.upkeep.sweep()
    assert await client.challenge()  # it has the time that it had
    stand.clock.advance(5 * 60)
    answer = await client.post("challenges", {})
    assert (answer.status_code, answer.json()["code"]) == (401, "token_refused")


async def test_who_was_here_is_known_to_the_link_desk_no_longer_by_it(stand: Stand) -> None:
    terminal = await stand.opened()
    assert (await stand.identify(terminal, stand.card(), "library")).state == "result"
    reference = (await stand.read_result(terminal)).visit.reference
    await stand.server.upkeep.sweep()
    stand.clock.set_back(JUMP)
    await stand.server.upkeep.sweep()
    look_up = stand.server.linking.look_up_visit
    assert (await look_up(reference, "city-library", "鈴木", "asked")).user_number is None
    stand.clock.advance(30 * 60)
    with pytest.raises(IdentityError, match="visit_unknown"):
        await look_up(reference, "city-library", "鈴木", "asked")


async def test_look_ups_of_a_time_that_is_yet_to_come_count_for_nobody(stand: Stand) -> None:
    look_up = stand.server.linking.look_up_number
    names = [*["not_linked"] * LOOK_UPS_OF_ONE, "look_up_limit"]
    for name in names:
        with pytest.raises(IdentityError, match=name):
            await look_up("city-library", number(1), "鈴木", "asked")
    stand.clock.set_back(JUMP)
    for name in names:
        with pytest.raises(IdentityError, match=name):
            await look_up("city-library", number(1), "鈴木", "asked")


async def test_what_is_over_is_deleted_as_soon_as_before(stand: Stand) -> None:
    terminal = await stand.opened()
    assert (await stand.identify(terminal, stand.card(), "library")).state == "result"
    await stand.server.upkeep.sweep()
    stand.clock.set_back(24 * 3600)
    for seconds, left in ((0, 1), (3600, 0)):
        stand.clock.advance(seconds)
        await stand.server.upkeep.sweep()
        assert stand.query("SELECT count(*) FROM recent_visits") == [(left,)]


async def test_a_clock_set_back_while_the_server_was_stopped_is_noticed_at_its_start(tmp_path: Path) -> None:
    clock = Clock()
    async with run_stand(tmp_path, clock) as stand:
        terminal, card = await stand.opened(), stand.card()
        assert (await stand.identify(terminal, card)).state == "result"
        cookies = terminal.client.cookies
    clock.set_back(JUMP)
    async with run_stand(tmp_path, clock) as stand:
        again = Terminal(stand.client(), terminal.key)
        again.client.cookies, again.seq = cookies, terminal.seq
        assert (await again.send("extended")).state == "taking_card"
    async with run_stand(tmp_path, clock) as stand:
        terminal = await stand.opened()
        assert (await terminal.send("service_chosen", service="facility")).state == "awaiting_card"
        cookies = terminal.client.cookies
    async with run_stand(tmp_path, clock) as stand:  # and not once more at the next one
        again = Terminal(stand.client(), terminal.key)
        again.client.cookies, again.seq = cookies, terminal.seq
        assert (await again.send("extended")).state == "awaiting_card"
