"""The fallback as it is opened, closed, opened by itself, and told to staff."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kiosk_web.adapters.feed import LocalFeed
from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.errors import FallbackError
from kiosk_web.pki.fallback import DatedWindow, find_openings, read_until
from kiosk_web.pki.status import Opening
from kiosk_web.services.status.fallback import FallbackRules, FallbackService, describe_length
from tests.support.jpki import NOW
from tests.support.kiosk_server import Clock

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


def build(store: SqlStore, clock: Clock, feed: LocalFeed | None = None, **rules: object) -> FallbackService:
    return FallbackService(
        store=store,
        feed=feed or LocalFeed(),
        rules=FallbackRules(**rules),  # type: ignore[arg-type]  # handed through
        clock=clock,
    )


async def causes(service: FallbackService, clock: Clock) -> list[str]:
    return [opening.cause for opening in find_openings(await service.load(), clock.now)]


async def test_it_is_closed_until_somebody_opens_it_and_ends_by_itself(store: SqlStore) -> None:
    clock = Clock()
    service = build(store, clock)
    assert await causes(service, clock) == []
    await service.open(NOW + HOUR, "notice", "Suzuki")
    assert await causes(service, clock) == ["manager"]
    assert await causes(build(store, clock), clock) == ["manager"]  # another process, or this one after a restart
    clock.now = NOW + HOUR
    assert await causes(service, clock) == []
    assert not await service.close()


async def test_what_ended_is_remembered_as_long_as_a_verdict_looks_back(store: SqlStore) -> None:
    clock = Clock()
    service = build(store, clock)
    await service.open(NOW + HOUR, "notice", "Suzuki")
    clock.advance(60)
    assert await service.close()
    clock.advance(180)
    state = await service.load()
    assert find_openings(state, NOW + timedelta(seconds=30)) == (Opening("manager", NOW, NOW + HOUR),)
    assert find_openings(state, clock.now) == ()


async def test_opening_again_ends_the_one_before_and_keeps_its_record(store: SqlStore) -> None:
    clock = Clock()
    service = build(store, clock)
    await service.open(NOW + HOUR, "first", "Suzuki")
    clock.advance(60)
    await service.open(NOW + 2 * HOUR, "second", "Sato")
    (notice,) = (await service.show()).notices
    assert (notice.opening.since, notice.reason, notice.opened_by) == (clock.now, "second", "Sato")
    latest = (await service.show()).latest
    assert [(record.reason, record.closed_at) for record in latest] == [("second", None), ("first", clock.now)]


@pytest.mark.parametrize(
    ("hours", "reason", "by", "words"),
    [
        (0, "notice", "Suzuki", "the end time has passed"),
        (-1, "notice", "Suzuki", "the end time has passed"),
        (25, "notice", "Suzuki", "at most 24 h"),
        (1, "", "Suzuki", "give a reason"),
        (1, "x" * 201, "Suzuki", "give a reason"),
        (1, "notice\x1b[2J", "Suzuki", "give a reason"),
        (1, "notice", "  ", "give a name"),
    ],
)
async def test_an_opening_needs_an_end_a_reason_and_a_name(
    store: SqlStore, hours: int, reason: str, by: str, words: str
) -> None:
    clock = Clock()
    service = build(store, clock)
    with pytest.raises(FallbackError, match=words):
        await service.open(NOW + hours * HOUR, reason, by)
    assert await causes(service, clock) == []


async def test_a_window_is_neither_opened_nor_closed_by_hand(store: SqlStore) -> None:
    clock = Clock()
    service = build(store, clock, windows=(DatedWindow(NOW - HOUR, NOW + HOUR),))
    assert await causes(service, clock) == ["window"]
    assert not await service.close()
    assert await causes(service, clock) == ["window"]


async def test_without_the_rule_no_number_of_failures_opens_anything(store: SqlStore) -> None:
    clock = Clock()
    service = build(store, clock)
    for _ in range(500):
        await service.note_exchange(reached=False)
    assert await causes(service, clock) == []


async def test_the_rule_opens_after_failures_in_a_row_and_closes_with_the_first_answer(store: SqlStore) -> None:
    clock = Clock()
    service = build(store, clock, failures=3, maximum=HOUR)
    for reached in (False, False, True, False, False):
        await service.note_exchange(reached=reached)
        assert await causes(service, clock) == []
    await service.note_exchange(reached=False)
    assert find_openings(await service.load(), clock.now) == (Opening("automatic", NOW, NOW + HOUR),)
    clock.advance(60)
    await service.note_exchange(reached=True)
    assert await causes(service, clock) == []
    for _ in range(3):
        await service.note_exchange(reached=False)
    assert await causes(service, clock) == ["automatic"]


async def test_the_rule_does_not_go_on_for_ever(store: SqlStore) -> None:
    """Past its end it waits for the responder, or for a manager; a restart does not let it begin anew."""
    clock = Clock()
    service = build(store, clock, failures=3, maximum=HOUR)
    for _ in range(3):
        await service.note_exchange(reached=False)
    clock.now = NOW + HOUR
    restarted = build(store, clock, failures=3, maximum=HOUR)
    for _ in range(10):
        await service.note_exchange(reached=False)
        await restarted.note_exchange(reached=False)
    assert await causes(service, clock) == []
    await restarted.note_exchange(reached=True)
    for _ in range(3):
        await restarted.note_exchange(reached=False)
    assert await causes(service, clock) == ["automatic"]


async def test_a_restarted_server_closes_what_the_rule_had_opened(store: SqlStore) -> None:
    clock = Clock()
    service = build(store, clock, failures=3)
    for _ in range(3):
        await service.note_exchange(reached=False)
    restarted = build(store, clock, failures=3)
    assert await causes(restarted, clock) == ["automatic"]
    await restarted.note_exchange(reached=True)
    assert await causes(service, clock) == []


async def test_every_stream_is_told_when_it_opens_ends_or_is_closed(store: SqlStore) -> None:
    clock, feed = Clock(), LocalFeed()
    window = DatedWindow(NOW + HOUR, NOW + 2 * HOUR)
    service = build(store, clock, feed, windows=(window,))
    elsewhere = build(store, clock)  # the command line: another process
    seen = []
    with feed.subscribe(None) as staff, feed.subscribe("terminal-1") as resident:

        async def look() -> None:
            await service.watch()
            told = staff.changed.is_set(), resident.changed.is_set()
            seen.append((*told, [notice.opening.cause for notice in service.notices]))
            staff.changed.clear()
            resident.changed.clear()

        await look()
        await elsewhere.open(NOW + 3 * HOUR, "notice", "Suzuki")
        await look()
        await look()
        clock.now = NOW + HOUR
        await look()
        await elsewhere.close()
        await look()
        clock.now = NOW + 2 * HOUR
        await look()
    assert seen == [
        (False, False, []),
        (True, True, ["manager"]),
        (False, False, ["manager"]),
        (True, True, ["window", "manager"]),
        (True, True, ["window"]),
        (True, True, []),
    ]


def test_an_end_is_told_by_the_clocks_of_japan_or_exactly() -> None:
    assert read_until("12:01", NOW) == NOW + timedelta(minutes=1)
    assert read_until("12:00", NOW) == NOW + timedelta(days=1)
    assert read_until("2026-11-23T13:00+09:00", NOW) == NOW + HOUR
    for text in ("24:00", "noon", "2026-11-23T13:00", ""):
        with pytest.raises(ValueError, match=r"needs an offset|no ISO 8601 time"):
            read_until(text, NOW)


def test_lengths_are_told_in_hours_and_minutes() -> None:
    lengths = [timedelta(hours=24), timedelta(minutes=90), timedelta(minutes=45), timedelta()]
    assert [describe_length(length) for length in lengths] == ["24 h", "1 h 30 min", "45 min", "0 min"]
