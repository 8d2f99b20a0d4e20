"""Writers that share a commit: durable before anybody goes on, each undone alone, all or none on the disk."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from kiosk_web.adapters.store.database import FILE_NAME, SqlStore, SqlTransaction
from kiosk_web.adapters.store.group_commit import GroupCommit, Part, TransactionLost

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
pytestmark = pytest.mark.anyio


@pytest.fixture
def beside(store: SqlStore, tmp_path: Path) -> sqlite3.Connection:
    """What another process sees."""
    return sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)


def list_persons(beside: sqlite3.Connection) -> list[str]:
    return [row[0] for row in beside.execute("SELECT id FROM persons ORDER BY id")]


async def add(store: SqlStore, person: str, serial: int) -> None:
    async with store.write() as transaction:
        await transaction.persons.add(person, b"issuer", serial, NOW)


async def run(store: SqlStore, statement: str) -> None:
    async with store.write() as transaction:
        await transaction.connection.execute(text(statement))


async def test_who_writes_at_once_shares_a_commit(store: SqlStore) -> None:
    said: list[str] = []
    await add(store, "a", 1)
    assert store._writer is not None
    store._writer.driver.set_trace_callback(said.append)
    await asyncio.gather(*(add(store, f"b{number}", 100 + number) for number in range(20)))
    assert said.count("COMMIT") == 1
    assert said.count("BEGIN IMMEDIATE") == 1


async def test_nobody_goes_on_before_the_commit(store: SqlStore, beside: sqlite3.Connection) -> None:
    async def add_and_look(number: int) -> list[str]:
        await add(store, f"p{number}", number)
        return list_persons(beside)

    seen = await asyncio.gather(*(add_and_look(number) for number in range(5)))
    assert all(f"p{number}" in known for number, known in enumerate(seen))


async def test_a_part_that_fails_is_undone_alone(store: SqlStore, beside: sqlite3.Connection) -> None:
    async def fail() -> None:
        async with store.write() as transaction:
            await transaction.persons.add("lost", b"issuer", 7, NOW)
            raise RuntimeError

    said = await asyncio.gather(add(store, "a", 1), fail(), add(store, "b", 2), return_exceptions=True)
    assert [type(one) for one in said] == [type(None), RuntimeError, type(None)]
    assert list_persons(beside) == ["a", "b"]


async def test_a_part_within_a_part_is_undone_alone(store: SqlStore, beside: sqlite3.Connection) -> None:
    async def fail(transaction: SqlTransaction) -> None:
        async with transaction.savepoint():
            await transaction.persons.add("lost", b"issuer", 2, NOW)
            raise RuntimeError

    async with store.write() as transaction:
        await transaction.persons.add("a", b"issuer", 1, NOW)
        with pytest.raises(RuntimeError):
            await fail(transaction)
    assert list_persons(beside) == ["a"]


async def test_a_commit_that_fails_fails_for_all_and_stores_nothing(
    store: SqlStore, beside: sqlite3.Connection
) -> None:
    async def add_orphan() -> None:
        async with store.write() as transaction:
            await transaction.connection.execute(text("PRAGMA defer_foreign_keys=ON"))
            await transaction.persons.add_certificate("nobody", b"issuer", 7, NOW)

    said = await asyncio.gather(add(store, "a", 1), add_orphan(), add(store, "b", 2), return_exceptions=True)
    assert [type(one) for one in said] == [sqlite3.IntegrityError] * 3
    assert list_persons(beside) == []
    await add(store, "c", 3)
    assert list_persons(beside) == ["c"]


class _BrokenDisk:
    """A connection whose `broken` ways of ending a transaction fail."""

    def __init__(self, driver: sqlite3.Connection, *broken: str) -> None:
        self._driver = driver
        self.broken = set(broken)

    def __getattr__(self, name: str) -> object:
        return self._fail if name in self.broken else getattr(self._driver, name)

    def execute(self, statement: str) -> sqlite3.Cursor:
        if statement in self.broken:
            self._fail()
        return self._driver.execute(statement)

    def _fail(self) -> None:
        raise sqlite3.OperationalError("disk I/O error")


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    driver = sqlite3.connect(tmp_path / "plain", isolation_level=None, check_same_thread=False)
    driver.execute("CREATE TABLE told (what)")
    yield driver
    driver.close()


async def note(group: GroupCommit, driver: sqlite3.Connection, what: str, *, fail: bool = False) -> None:
    async with asyncio.timeout(20), Part(group, driver) as handed:
        handed.execute("INSERT INTO told VALUES (?)", (what,))
        if fail:
            raise LookupError(what)


async def test_what_can_be_neither_committed_nor_undone_fails_and_is_never_written_later(
    plain: sqlite3.Connection, tmp_path: Path
) -> None:
    disk = _BrokenDisk(plain, "commit", "rollback")
    group = GroupCommit(disk)  # type: ignore[arg-type]  # as far as it is used
    with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
        await note(group, plain, "first")
    disk.broken = {"rollback"}
    with pytest.raises(TransactionLost):
        await note(group, plain, "second")
    disk.broken = set()
    await note(group, plain, "third")
    await group.close()
    assert list_told(tmp_path) == ["third"]


async def test_a_part_that_cannot_be_undone_alone_takes_the_others_with_it(
    plain: sqlite3.Connection, tmp_path: Path
) -> None:
    disk = _BrokenDisk(plain, "ROLLBACK TO turn")
    group = GroupCommit(disk)  # type: ignore[arg-type]  # as far as it is used
    said = await asyncio.gather(
        note(group, plain, "before"),
        note(group, plain, "failed", fail=True),
        note(group, plain, "after"),
        return_exceptions=True,
    )
    await group.close()
    assert [type(one) for one in said] == [TransactionLost, sqlite3.OperationalError, type(None)]
    assert list_told(tmp_path) == ["after"]


async def test_a_part_that_cannot_be_undone_alone_is_not_committed_when_nobody_follows(
    plain: sqlite3.Connection, tmp_path: Path
) -> None:
    disk = _BrokenDisk(plain, "ROLLBACK TO turn")
    group = GroupCommit(disk)  # type: ignore[arg-type]  # as far as it is used
    with pytest.raises(sqlite3.OperationalError):
        await note(group, plain, "failed", fail=True)
    await group.close()
    assert list_told(tmp_path) == []


class _FullMemory(_BrokenDisk):
    """SQLite undoes everything when the second turn is to begin."""

    turns = 0

    def execute(self, statement: str) -> sqlite3.Cursor:
        self.turns += statement == "SAVEPOINT turn"
        if statement == "SAVEPOINT turn" and self.turns == 2:
            self._driver.rollback()
            self._fail()
        return super().execute(statement)


@pytest.mark.parametrize("others", [1, 2], ids=["nobody follows", "somebody follows"])
async def test_nobody_is_told_of_a_commit_when_the_next_ones_beginning_undid_it(
    plain: sqlite3.Connection, tmp_path: Path, others: int
) -> None:
    group = GroupCommit(_FullMemory(plain))  # type: ignore[arg-type]  # as far as it is used
    names = ["before", "unbegun", "after"][: others + 1]
    said = await asyncio.gather(*(note(group, plain, name) for name in names), return_exceptions=True)
    await group.close()
    assert [type(one) for one in said] == [TransactionLost, sqlite3.OperationalError, type(None)][: others + 1]
    assert list_told(tmp_path) == names[2:]


def list_told(folder: Path) -> list[str]:
    """What another process sees."""
    with closing(sqlite3.connect(folder / "plain")) as beside:
        return [row[0] for row in beside.execute("SELECT what FROM told")]


async def test_a_transaction_that_sqlite_undid_fails_for_all_in_it(store: SqlStore, beside: sqlite3.Connection) -> None:
    said = await asyncio.gather(add(store, "a", 1), run(store, "ROLLBACK"), add(store, "b", 2), return_exceptions=True)
    assert [type(one) for one in said] == [TransactionLost, TransactionLost, type(None)]
    assert list_persons(beside) == ["b"]


async def test_while_another_process_writes_the_loop_goes_on(store: SqlStore, beside: sqlite3.Connection) -> None:
    await add(store, "a", 1)
    beside.execute("BEGIN IMMEDIATE")
    beside.execute("INSERT INTO persons (id, created_at) VALUES ('theirs', '2026-11-23 00:00:00')")
    waiting = asyncio.create_task(add(store, "b", 2))
    async with store.read() as transaction:
        assert await transaction.persons.find(b"issuer", 1) == "a"
    assert not waiting.done()
    beside.execute("COMMIT")
    await waiting
    assert list_persons(beside) == ["a", "b", "theirs"]


async def test_two_stores_in_one_process_do_not_wait_for_each_other_for_ever(store: SqlStore, tmp_path: Path) -> None:
    other = SqlStore(tmp_path)
    both = [
        add(one, f"{name}{number}", 10 * number + ord(name))
        for number in range(5)
        for name, one in (("a", store), ("b", other))
    ]
    await asyncio.gather(*both)
    async with store.read() as transaction:
        rows = await transaction.connection.execute(text("SELECT count(*) FROM persons"))
        assert rows.scalar_one() == 10
    await other.close()


async def test_who_is_cancelled_leaves_the_others_their_turn(store: SqlStore, beside: sqlite3.Connection) -> None:
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with store.write() as transaction:
            await transaction.persons.add("a", b"issuer", 1, NOW)
            inside.set()
            await go_on.wait()

    holding = asyncio.create_task(hold())
    await inside.wait()
    waiting = [asyncio.create_task(add(store, name, number)) for number, name in ((2, "b"), (3, "c"))]
    await asyncio.sleep(0)
    waiting[0].cancel()
    holding.cancel()
    said = await asyncio.gather(holding, *waiting, return_exceptions=True)
    assert [type(one) for one in said] == [asyncio.CancelledError, asyncio.CancelledError, type(None)]
    assert list_persons(beside) == ["c"]


async def test_a_reader_cannot_write(store: SqlStore) -> None:
    with pytest.raises(OperationalError, match="readonly"):
        async with store.read() as transaction:
            await transaction.persons.add("a", b"issuer", 1, NOW)


async def test_a_reader_sees_one_moment(store: SqlStore) -> None:
    await add(store, "a", 1)
    async with store.read() as transaction:
        assert await transaction.persons.find(b"issuer", 2) is None
        await add(store, "b", 2)
        assert await transaction.persons.find(b"issuer", 2) is None
    async with store.read() as transaction:
        assert await transaction.persons.find(b"issuer", 2) == "b"


async def test_what_was_not_committed_is_not_there_after_a_crash(store: SqlStore, tmp_path: Path) -> None:
    """The files as they are while a part is open are what a power cut would leave."""
    await add(store, "a", 1)
    async with store.write() as transaction:
        await transaction.persons.add("b", b"issuer", 2, NOW)
        left = tmp_path / "left"
        left.mkdir()
        for path in tmp_path.glob(f"{FILE_NAME}*"):
            (left / path.name).write_bytes(path.read_bytes())
    assert list_persons(sqlite3.connect(left / FILE_NAME)) == ["a"]
