"""Where lists answer and where they do not: on real lists, beside a responder that says or fails as a test wants."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from kiosk_web.pki.fallback import TRANSPORT_FAILURES, FallbackState
from kiosk_web.pki.plan import FailureKind, FetchFailure
from kiosk_web.pki.status import Good, HighWaterMark, Opening, Revoked
from kiosk_web.services.status.validation import derive_mark_key
from tests.support.crl_stand import list_of, town_point
from tests.support.crl_writer import ListShape
from tests.support.high_water import MemoryHighWaterMarks
from tests.support.jpki import NOW
from tests.support.status_stand import (
    CLOSED,
    HOUR,
    MANAGER,
    UNASKED,
    WINDOW,
    StatusStand,
    ask,
    fail,
    held_list,
    hold_answer,
    say,
    silent_list,
    spell,
)

pytestmark = pytest.mark.anyio

SERIAL = 0x0A1B2C3D
OPENED = [MANAGER, WINDOW]
CUT = fail("reset")


@pytest.fixture
def stand(tmp_path: Path) -> StatusStand:
    return StatusStand(tmp_path)


async def take_in(stand: StatusStand, *lists: bytes) -> None:
    assert {outcome.result for outcome in await stand.lists.take_in(*lists)} <= {"taken"}


SIGNED = {
    "good by ocsp": say(),
    "revoked by ocsp": say(status="revoked", reason=x509.ReasonFlags.superseded),
    "onhold by ocsp": hold_answer(),
    "unknown by ocsp": say(status="unknown"),
}


@pytest.mark.parametrize("outcome", SIGNED)
@pytest.mark.parametrize("opened", OPENED)
async def test_what_the_responder_signs_stands_whatever_the_lists_say(
    stand: StatusStand, outcome: str, opened: FallbackState
) -> None:
    stand.fallback.state, stand.script = opened, SIGNED[outcome]
    await take_in(stand, silent_list(stand.root) if outcome != "good by ocsp" else list_of(stand.root, [SERIAL]))
    assert spell(await stand.check(SERIAL, ask())) == outcome
    assert stand.shelf.questions == 0


@pytest.mark.parametrize("kind", get_args(FailureKind))
@pytest.mark.parametrize("opened", [CLOSED, *OPENED])
async def test_only_where_nothing_came_and_only_in_an_opening_a_list_answers(
    stand: StatusStand, kind: FailureKind, opened: FallbackState
) -> None:
    stand.fallback.state, stand.script = opened, fail(kind)
    await take_in(stand, silent_list(stand.root))
    status = await stand.check(SERIAL, ask())
    if kind in ("refused", "timeout", "reset", "circuit_open") and opened is not CLOSED:
        assert spell(status) == "good by crl"
    else:
        assert spell(status) == f"unavailable {kind}"
        assert (status.evidence.method, status.evidence.opening) == ("ocsp", None)


def unsigned(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


ANSWERED = {
    "unavailable responder_try_later": lambda request: unsigned(ocsp.OCSPResponseStatus.TRY_LATER),
    "unavailable responder_internal_error": lambda request: unsigned(ocsp.OCSPResponseStatus.INTERNAL_ERROR),
    "unavailable malformed": lambda request: b"garbage",
    "unavailable nonce_missing": say(nonce="absent"),
    "unavailable nonce_wrong": say(nonce=bytes(32)),
    "unavailable other_certificate": say(serial=99),
    "stale too_old": say(this_update=NOW - timedelta(days=1), next_update=None),
    "stale next_update_passed": say(next_update=NOW - timedelta(minutes=1)),
}


@pytest.mark.parametrize("outcome", ANSWERED)
@pytest.mark.parametrize("opened", OPENED)
async def test_no_answer_that_does_not_count_lets_a_list_answer(
    stand: StatusStand, outcome: str, opened: FallbackState
) -> None:
    stand.fallback.state, stand.script = opened, ANSWERED[outcome]
    await take_in(stand, silent_list(stand.root))
    assert spell(await stand.check(SERIAL, ask())) == outcome
    assert (stand.shelf.questions, stand.fallback.exchanges) == (0, [True])


async def test_the_evidence_names_the_list_and_why_it_was_asked(stand: StatusStand) -> None:
    stand.fallback.state, stand.script = MANAGER, CUT
    await take_in(stand, silent_list(stand.root))
    evidence = (await stand.check(SERIAL, ask())).evidence
    assert evidence.opening == Opening("manager", NOW - HOUR, NOW + HOUR)
    assert (evidence.method, evidence.this_update, evidence.crl_number) == ("crl", NOW - 2 * HOUR, 1000)
    assert (evidence.checked_at, evidence.responder) == (NOW, "")


async def test_in_a_window_without_a_responder_none_is_asked(stand: StatusStand) -> None:
    stand.fallback.state = UNASKED
    await take_in(stand, held_list(stand.root, SERIAL))
    status = await stand.check(SERIAL, ask())
    assert (spell(status), stand.requests) == ("onhold by crl", [])
    assert status.evidence.opening == Opening("window", NOW - HOUR, NOW + HOUR, ask_responder=False)
    assert spell(await stand.check(SERIAL, ask("ocsp"))) == "good by ocsp"


async def test_lists_alone_ask_no_responder_and_name_no_opening(stand: StatusStand) -> None:
    stand.fallback.state = MANAGER
    await take_in(stand, silent_list(stand.root))
    status = await stand.check(SERIAL, ask("crl"))
    assert (spell(status), status.evidence.opening, stand.requests) == ("good by crl", None, [])


@pytest.mark.parametrize("opened", [CLOSED, *OPENED, UNASKED])
async def test_an_empty_policy_asks_nobody_and_confirms_nothing(stand: StatusStand, opened: FallbackState) -> None:
    stand.fallback.state = opened
    await take_in(stand, silent_list(stand.root))
    assert spell(await stand.check(SERIAL, ask(None))) == "unavailable no_policy"
    assert (stand.requests, stand.shelf.questions) == ([], 0)


@pytest.mark.parametrize("changes", [{"purpose": "enrol"}, {"lists_permitted": False}, {"method": "kazashi"}])
@pytest.mark.parametrize("opened", [*OPENED, UNASKED])
async def test_where_no_list_may_speak_the_responder_is_asked_and_alone_counts(
    stand: StatusStand, changes: dict[str, object], opened: FallbackState
) -> None:
    stand.fallback.state, stand.script = opened, CUT
    await take_in(stand, silent_list(stand.root))
    assert spell(await stand.check(SERIAL, ask(**changes))) == "unavailable reset"
    assert (len(stand.requests), stand.shelf.questions) == (1, 0)


async def test_without_a_list_that_covers_the_certificate_nothing_is_confirmed(stand: StatusStand) -> None:
    stand.fallback.state, stand.script = MANAGER, CUT
    assert spell(await stand.check(SERIAL, ask())) == "unavailable no_list"
    await take_in(stand, silent_list(stand.root, ListShape(point=town_point("Another-ku"))))
    assert spell(await stand.check(SERIAL, ask())) == "unavailable no_list"
    await take_in(stand, silent_list(stand.root, ListShape(point=town_point())))
    assert spell(await stand.check(SERIAL, ask())) == "good by crl"


async def test_an_opening_counts_at_the_moment_of_the_answer(stand: StatusStand) -> None:
    """It may begin, and end, while the responder is being asked."""
    await take_in(stand, silent_list(stand.root))

    def change(opened: FallbackState) -> None:
        def script(request: bytes) -> FetchFailure:
            stand.fallback.state = opened
            return FetchFailure("timeout")

        stand.script = script

    change(MANAGER)
    assert spell(await stand.check(SERIAL, ask())) == "good by crl"
    change(FallbackState(records=(replace(MANAGER.records[0], closed_at=NOW),)))
    assert spell(await stand.check(SERIAL, ask())) == "unavailable timeout"


async def test_a_revocation_stays_whichever_method_saw_it(stand: StatusStand) -> None:
    stand.fallback.state, stand.script = MANAGER, SIGNED["revoked by ocsp"]
    await take_in(stand, silent_list(stand.root, ListShape(this_update=NOW)))
    assert spell(await stand.check(SERIAL, ask())) == "revoked by ocsp"
    stand.script = CUT
    assert spell(await stand.check(SERIAL, ask())) == "revoked by crl"

    await take_in(stand, list_of(stand.root, [SERIAL + 1], ListShape(this_update=NOW, number=1001)))
    assert spell(await stand.check(SERIAL + 1, ask())) == "revoked by crl"
    stand.script = say(this_update=NOW)
    assert spell(await stand.check(SERIAL + 1, ask())) == "revoked by ocsp"


async def test_a_hold_is_lifted_only_by_something_newer_whichever_method_saw_it(stand: StatusStand) -> None:
    stand.fallback.state, stand.script = MANAGER, hold_answer(this_update=NOW - timedelta(minutes=10))
    await take_in(stand, silent_list(stand.root, ListShape(this_update=NOW - timedelta(minutes=10))))
    assert spell(await stand.check(SERIAL, ask())) == "onhold by ocsp"
    stand.script = CUT
    assert spell(await stand.check(SERIAL, ask())) == "stale hold_not_lifted"
    await take_in(stand, silent_list(stand.root, ListShape(this_update=NOW - timedelta(minutes=5), number=1001)))
    assert spell(await stand.check(SERIAL, ask())) == "good by crl"

    await take_in(stand, held_list(stand.root, SERIAL, ListShape(this_update=NOW - timedelta(minutes=2), number=1002)))
    assert spell(await stand.check(SERIAL, ask())) == "onhold by crl"
    stand.script = say(this_update=NOW - timedelta(minutes=3))
    assert spell(await stand.check(SERIAL, ask())) == "stale behind_high_water"
    stand.script = say(this_update=NOW - timedelta(minutes=1))
    assert spell(await stand.check(SERIAL, ask())) == "good by ocsp"


async def test_a_good_list_does_not_make_the_responder_look_old(stand: StatusStand) -> None:
    """Both follow a beat of their own: the list of 03:00 says nothing about the answer of 02:45."""
    stand.fallback.state, stand.script = MANAGER, CUT
    await take_in(stand, silent_list(stand.root, ListShape(this_update=NOW)))
    assert spell(await stand.check(SERIAL, ask())) == "good by crl"
    assert stand.marks.marks == {}
    stand.script = say(this_update=NOW - timedelta(minutes=15))
    assert spell(await stand.check(SERIAL, ask())) == "good by ocsp"


async def test_a_clock_behind_the_newest_list_confirms_nothing(stand: StatusStand) -> None:
    stand.fallback.state = MANAGER
    await take_in(stand, silent_list(stand.root, ListShape(this_update=NOW)))
    stand.lists.now = NOW - timedelta(minutes=3)
    for stand.script in (say(this_update=NOW - timedelta(minutes=4), produced_at=NOW - timedelta(minutes=4)), CUT):
        assert spell(await stand.check(SERIAL, ask())) == "unavailable clock_unreliable"
    stand.lists.now = NOW - timedelta(minutes=2)
    assert spell(await stand.check(SERIAL, ask())) == "good by crl"


async def test_what_another_host_records_meanwhile_counts_against_a_list(tmp_path: Path) -> None:
    class Racing(MemoryHighWaterMarks):
        async def record(self, key: bytes, mark: HighWaterMark) -> HighWaterMark:
            await super().record(key, HighWaterMark(NOW - timedelta(minutes=1), False, NOW, "superseded"))
            return await super().record(key, mark)

    stand = StatusStand(tmp_path, CUT, marks=Racing())
    stand.fallback.state = MANAGER
    await take_in(stand, silent_list(stand.root, ListShape(this_update=NOW)))
    held = HighWaterMark(NOW - timedelta(minutes=9), held=True)
    await MemoryHighWaterMarks.record(stand.marks, derive_mark_key(stand.lists.certificate(SERIAL)), held)
    assert isinstance(await stand.check(SERIAL, ask()), Revoked)


async def test_two_visits_share_a_question_and_not_its_consequence(stand: StatusStand) -> None:
    stand.fallback.state, stand.script = MANAGER, CUT
    await take_in(stand, silent_list(stand.root))
    outcomes = await asyncio.gather(stand.check(SERIAL, ask()), stand.check(SERIAL, ask(purpose="enrol")))
    assert [spell(outcome) for outcome in outcomes] == ["good by crl", "unavailable reset"]
    assert len(stand.requests) == 1


async def test_the_automatic_rule_hears_of_every_exchange_once(stand: StatusStand) -> None:
    await take_in(stand, silent_list(stand.root))
    for kind in get_args(FailureKind):
        stand.script = fail(kind)
        await stand.check(SERIAL, ask())
    expected = [
        kind not in TRANSPORT_FAILURES for kind in get_args(FailureKind) if kind not in ("address", "circuit_open")
    ]
    assert stand.fallback.exchanges == expected
    stand.script = say()
    assert isinstance(await stand.check(SERIAL, ask()), Good)
    assert stand.fallback.exchanges == [*expected, True]
