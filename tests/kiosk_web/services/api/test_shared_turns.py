"""Who asks at the same time is served in one transaction; what fails, and who goes away, is nobody else's trouble."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.services.api.shared_turns import MOST_AT_ONCE, SharedTurns
from kiosk_web.services.ports import Transaction

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@dataclass
class Work:
    """Adds one person for each name that asks. `early` go on before the disk; `broken` cannot be committed."""

    early: frozenset[str] = frozenset()
    broken: frozenset[str] = frozenset()
    groups: list[list[str]] = field(default_factory=list)

    async def serve(self, transaction: Transaction, asked: Sequence[str]) -> list[str]:
        self.groups.append(list(asked))
        for name in asked:
            if name == "raises":
                raise ValueError(name)
            if name in self.broken:
                await transaction.connection.execute(text("PRAGMA defer_foreign_keys=ON"))  # type: ignore[attr-defined]
                await transaction.persons.add_certificate("nobody", b"issuer", 7, NOW)
            else:
                await transaction.persons.add(name, b"issuer", len(name), NOW)
        return [name for name in asked if name in self.early]


async def take(turns: SharedTurns[str], name: str) -> str:
    written = await turns.take(name)
    await asyncio.wait([written])
    written.result()
    return name


async def count_persons(store: SqlStore) -> int:
    async with store.read() as transaction:
        return int((await transaction.connection.execute(text("SELECT count(*) FROM persons"))).scalar_one())


async def test_all_who_ask_at_once_share_a_turn_and_then_it_is_on_the_disk(store: SqlStore) -> None:
    work = Work()
    turns = SharedTurns(store, work.serve)
    names = ["a" * number for number in range(1, 6)]
    assert await asyncio.gather(*(take(turns, name) for name in names)) == names
    assert work.groups == [names]
    assert await count_persons(store) == 5
    await take(turns, "later!")
    assert work.groups == [names, ["later!"]]


async def test_who_comes_while_others_have_their_turn_shares_the_next_one(store: SqlStore) -> None:
    work = Work()
    turns = SharedTurns(store, work.serve)
    async with store.write():
        waiting = [asyncio.create_task(take(turns, "a"))]
        await asyncio.sleep(0)
        waiting += [asyncio.create_task(take(turns, name)) for name in ("bb", "ccc")]
        await asyncio.sleep(0)
        assert work.groups == []
    await asyncio.gather(*waiting)
    assert work.groups == [["a", "bb", "ccc"]]


async def test_more_than_a_turn_holds_take_another_one(store: SqlStore) -> None:
    work = Work()
    turns = SharedTurns(store, work.serve)
    names = ["a" * number for number in range(1, MOST_AT_ONCE + 4)]
    assert await asyncio.gather(*(take(turns, name) for name in names)) == names
    assert [len(group) for group in work.groups] == [MOST_AT_ONCE, 3]


async def test_who_must_go_on_does_so_before_the_disk_and_the_others_after_it(store: SqlStore) -> None:
    turns = SharedTurns(store, Work(early=frozenset({"a"})).serve)
    early, late = asyncio.create_task(turns.take("a")), asyncio.create_task(turns.take("bb"))
    written = await early
    assert not written.done()
    assert not late.done()
    await asyncio.wait([written])
    assert (await late).done()


async def test_what_fails_fails_for_all_of_the_turn_and_for_no_other(store: SqlStore) -> None:
    turns = SharedTurns(store, Work().serve)
    said = await asyncio.gather(take(turns, "a"), take(turns, "raises"), return_exceptions=True)
    assert [type(one) for one in said] == [ValueError, ValueError]
    assert await count_persons(store) == 0
    assert await take(turns, "bb") == "bb"


async def test_nobody_is_told_of_what_could_not_be_committed(store: SqlStore) -> None:
    turns = SharedTurns(store, Work(early=frozenset({"a"}), broken=frozenset({"bb"})).serve)
    said = await asyncio.gather(*(take(turns, name) for name in ("a", "bb", "ccc")), return_exceptions=True)
    assert [type(one) for one in said] == [sqlite3.IntegrityError] * 3
    assert await count_persons(store) == 0


async def test_who_goes_away_takes_nobody_along(store: SqlStore) -> None:
    turns = SharedTurns(store, Work(early=frozenset({"bb"})).serve)
    tasks = [asyncio.create_task(take(turns, name)) for name in ("a", "bb", "ccc")]
    await asyncio.sleep(0)
    tasks[0].cancel()
    said = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(said[0], asyncio.CancelledError)
    assert said[1:] == ["bb", "ccc"]
    early = asyncio.create_task(take(turns, "dddd"))
    await asyncio.sleep(0)
    early.cancel()
    assert await take(turns, "eeeee") == "eeeee"


async def test_nobody_waits_for_a_turn_that_is_cancelled(store: SqlStore) -> None:
    turns = SharedTurns(store, Work().serve)
    async with store.write():
        waiting = asyncio.create_task(take(turns, "a"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # now it stands in the queue of those who write
        for turn in turns._running:
            turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert await take(turns, "bb") == "bb"
