"""The nightly sweep: who is looked up, what is kept of it, and that it goes on where it was ended."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.pki.crl_batch import SerialAnswer
from kiosk_web.services.lists.sweep import LinkSweep, derive_due
from kiosk_web.settings.server import Settings

NOW = datetime(2026, 11, 23, 19, 0, tzinfo=UTC)  # 04:00 on the 24th in Japan
KEY, OTHER_KEY = b"k" * 20, b"o" * 20
NIGHT = time(3, 30)


class Lists:
    """Stands for `ListCheck`: `listed` are (key, serial), and of `OTHER_KEY` nothing is known."""

    def __init__(self, *listed: tuple[bytes, int], lists: int = 1) -> None:
        self.listed = set(listed)
        self.lists = lists
        self.asked: list[int] = []
        self.ends_at = 0

    def judge_serials(self, key_id: bytes, serials: Sequence[int]) -> list[SerialAnswer]:
        self.asked += serials
        if self.ends_at and len(self.asked) >= self.ends_at:
            raise RuntimeError
        if key_id == OTHER_KEY:
            return [SerialAnswer("unavailable", "no_list")] * len(serials)
        return [SerialAnswer("revoked" if (key_id, one) in self.listed else "not_listed") for one in serials]


async def add(store: SqlStore, person: str, serial: int, key: bytes = KEY, **links: Any) -> None:
    """`system`: a PPID there. `mykey`: a MyKey ID in that state."""
    async with store.write() as transaction:
        await transaction.persons.add(person, key, serial, NOW)
        if "system" in links:
            await transaction.persons.add_ppid(person, links["system"], f"ppid-{person}", NOW)
        if "mykey" in links:
            await transaction.persons.add_mykey_id(person, f"mk-{person}", NOW)
            await transaction.connection.execute(
                text("UPDATE mykey_ids SET state = :state WHERE person_id = :person").bindparams(
                    state=links["mykey"], person=person
                )
            )


def build(store: SqlStore, lists: Lists, *, at: time | None = NIGHT, step: int = 100, now: datetime = NOW) -> LinkSweep:
    async def open_lists() -> Any:
        await asyncio.sleep(0)
        return lists

    return LinkSweep(
        store=store, build_check=open_lists, systems={"online"}, at=at, clock=lambda: now, persons_at_a_time=step
    )


async def marked(store: SqlStore) -> set[str]:
    async with store.read() as transaction:
        rows = await transaction.connection.execute(text("SELECT id FROM persons WHERE check_again"))
        return {row.id for row in rows}


@pytest.mark.anyio
async def test_only_links_of_type_2_and_issued_mykey_ids_are_looked_up(store: SqlStore) -> None:
    await add(store, "type2", 1, system="online")
    await add(store, "type1", 2, system="counter")
    await add(store, "library", 3, mykey="issued")
    await add(store, "stopped", 4, mykey="stopped")
    await add(store, "unlinked", 5)
    lists = Lists(*((KEY, serial) for serial in range(1, 6)))
    record = await build(store, lists).sweep()
    assert sorted(lists.asked) == [1, 3]
    assert await marked(store) == {"type2", "library"}
    assert record is not None
    assert (record.persons, record.marked, record.unconfirmed) == (2, 2, 0)


def test_the_swept_systems_are_those_with_a_type_2_service() -> None:
    offer = Settings().build_offer()
    expected = {service.system for service in offer.services if service.profile == "type2"}
    assert offer.systems_by_list == expected
    assert expected


@pytest.mark.anyio
async def test_the_newest_certificate_of_a_person_is_the_one_looked_up(store: SqlStore) -> None:
    await add(store, "renewed", 1, system="online")
    async with store.write() as transaction:
        await transaction.connection.execute(
            text(
                "INSERT INTO person_certificates (issuer_key_id, serial, person_id, created_at)"
                " VALUES (:key, '2', 'renewed', '2026-12-01 00:00:00')"
            ).bindparams(key=KEY)
        )
    lists = Lists((KEY, 1))
    await build(store, lists).sweep()
    assert lists.asked == [2]
    assert await marked(store) == set()


@pytest.mark.anyio
async def test_nothing_of_why_is_kept_and_what_is_unknown_marks_nobody(store: SqlStore) -> None:
    await add(store, "a", 7001, system="online")
    await add(store, "b", 7002, OTHER_KEY, system="online")
    record = await build(store, Lists((KEY, 7001))).sweep()
    assert record is not None
    assert (record.marked, record.unconfirmed, record.reached) == (1, 1, "")
    async with store.read() as transaction:
        rows = (await transaction.connection.execute(text("SELECT * FROM sweeps"))).mappings().all()
        person = (await transaction.connection.execute(text("SELECT * FROM persons WHERE id = 'a'"))).mappings().one()
    assert [set(row) for row in rows] == [
        {"id", "began_at", "ended_at", "reached", "persons", "marked", "unconfirmed"},
    ]
    assert set(person) == {"id", "created_at", "check_again"}
    assert "revoked" not in str([dict(row) for row in rows])


@pytest.mark.anyio
async def test_a_sweep_that_was_ended_goes_on_behind_the_person_it_had_reached(store: SqlStore) -> None:
    for number in range(7):
        await add(store, f"p{number}", 100 + number, system="online")
    lists = Lists((KEY, 100), (KEY, 106))
    lists.ends_at = 5
    with pytest.raises(RuntimeError):
        await build(store, lists, step=2).look()
    assert await marked(store) == {"p0"}
    lists.ends_at, lists.asked = 0, []
    record = await build(store, lists, step=2, now=NOW + timedelta(minutes=1)).look()
    assert lists.asked == [104, 105, 106]
    assert record is not None
    assert (record.persons, record.marked) == (7, 2)
    assert await marked(store) == {"p0", "p6"}


@pytest.mark.anyio
async def test_it_is_done_once_a_day_from_its_time_on_and_never_without_one_or_without_lists(store: SqlStore) -> None:
    await add(store, "a", 1, system="online")
    lists = Lists()
    assert await build(store, lists, at=None).look() is None
    assert await build(store, Lists(lists=0)).look() is None
    first = await build(store, lists).look()
    assert first is not None
    assert first.ended_at == NOW
    assert await build(store, lists, now=NOW + timedelta(hours=20)).look() is None
    assert await build(store, lists, now=NOW + timedelta(hours=24)).look() is not None
    assert lists.asked == [1, 1]


def test_the_time_is_that_of_japan() -> None:
    assert derive_due(NIGHT, NOW) == datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
    assert derive_due(NIGHT, NOW - timedelta(hours=1)) == datetime(2026, 11, 22, 18, 30, tzinfo=UTC)


@pytest.mark.anyio
async def test_an_accepted_visit_takes_the_mark_away(store: SqlStore) -> None:
    await add(store, "a", 1, system="online")
    await build(store, Lists((KEY, 1))).sweep()
    async with store.write() as transaction:
        assert await transaction.persons.must_check_again("a")
        await transaction.persons.clear_check_again("a")
        assert not await transaction.persons.must_check_again("a")
    assert await marked(store) == set()
