"""What lists settle inside a transaction, without anybody being asked: `Good`, and nothing else.

Every check of a `StatusStand` compares the two ways, so all tests of lists and downgrades are about this one too.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from kiosk_web.pki.status import Good, HighWaterMark
from kiosk_web.services.status.validation import derive_mark_key
from tests.support.crl_stand import list_of
from tests.support.crl_writer import ListShape
from tests.support.jpki import NOW
from tests.support.status_stand import HOUR, MANAGER, UNASKED, StatusStand, ask, held_list, silent_list, spell

pytestmark = pytest.mark.anyio

SERIAL = 0x0A1B2C3D


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def stand(tmp_path: Path) -> StatusStand:
    return StatusStand(tmp_path)


async def test_a_silent_list_settles_it_where_lists_alone_are_asked(stand: StatusStand) -> None:
    await stand.lists.take_in(silent_list(stand.root))
    assert spell(await stand.check(SERIAL, ask("crl"))) == "good by crl"
    assert stand.at_once


@pytest.mark.parametrize("context", [ask("crl", purpose="enrol"), ask("crl", method="kazashi"), ask(None), ask("ocsp")])
async def test_where_lists_may_not_answer_they_do_not_answer_at_once(stand: StatusStand, context: object) -> None:
    await stand.lists.take_in(silent_list(stand.root))
    await stand.check(SERIAL, context)  # type: ignore[arg-type]  # a context
    assert not stand.at_once


async def test_an_opening_is_looked_at_by_who_may_ask(stand: StatusStand) -> None:
    await stand.lists.take_in(silent_list(stand.root))
    for stand.fallback.state in (MANAGER, UNASKED):
        await stand.check(SERIAL, ask("ocsp-then-crl"))
        assert not stand.at_once


async def test_whatever_is_not_good_is_left_to_who_may_write(stand: StatusStand) -> None:
    assert spell(await stand.check(SERIAL, ask("crl"))) == "unavailable no_list"
    assert not stand.at_once
    lists = {
        "stale next_update_passed": silent_list(stand.root, ListShape(next_update=NOW + timedelta(seconds=1))),
        "onhold by crl": held_list(stand.root, SERIAL, ListShape(this_update=NOW - HOUR, number=1001)),
        "revoked by crl": list_of(stand.root, [SERIAL], ListShape(this_update=NOW, number=1002)),
    }
    for outcome, taken in lists.items():
        await stand.lists.take_in(taken)
        stand.lists.now = NOW + timedelta(seconds=2)
        assert spell(await stand.check(SERIAL, ask("crl"))) == outcome
        assert not stand.at_once
        stand.lists.now = NOW


async def test_a_hold_that_a_list_lifts_is_left_to_who_may_write(stand: StatusStand) -> None:
    key = derive_mark_key(stand.lists.certificate(SERIAL))
    stand.marks.marks[key] = HighWaterMark(NOW - 3 * HOUR, held=True)
    await stand.lists.take_in(silent_list(stand.root))
    assert spell(await stand.check(SERIAL, ask("crl"))) == "good by crl"
    assert not stand.at_once
    assert not stand.marks.marks[key].held
    assert spell(await stand.check(SERIAL, ask("crl"))) == "good by crl"
    assert stand.at_once


async def test_nothing_is_settled_while_the_clock_is_wrong(stand: StatusStand) -> None:
    await stand.lists.take_in(silent_list(stand.root))
    stand.marks.marks[b"of another one"] = HighWaterMark(NOW + timedelta(minutes=3), held=False)
    assert spell(await stand.check(SERIAL, ask("crl"))) == "unavailable clock_unreliable"
    assert not stand.at_once
    stand.marks.marks.clear()
    stand.clock_trusted = False
    assert spell(await stand.check(SERIAL, ask("crl"))) == "unavailable clock_unreliable"
    assert not stand.at_once


async def test_what_was_revoked_once_is_not_settled_by_a_list_that_is_silent(stand: StatusStand) -> None:
    key = derive_mark_key(stand.lists.certificate(SERIAL))
    stand.marks.marks[key] = HighWaterMark(NOW - 3 * HOUR, held=False, revoked_at=NOW - 4 * HOUR)
    await stand.lists.take_in(silent_list(stand.root))
    status = await stand.check(SERIAL, ask("crl"))
    assert not isinstance(status, Good)
    assert not stand.at_once


async def test_a_list_older_than_one_that_was_seen_settles_nothing(stand: StatusStand) -> None:
    await stand.lists.take_in(silent_list(stand.root))
    assert spell(await stand.check(SERIAL, ask("crl"))) == "good by crl"
    ((scope, mark),) = stand.list_marks.marks.items()
    stand.list_marks.marks[scope] = replace(mark, this_update=mark.this_update + timedelta(seconds=1))
    status = await stand.check(SERIAL, ask("crl"))
    assert not isinstance(status, Good)
    assert not stand.at_once
