"""The database: durable, tidy, with a schema that the migrations make exactly."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from kiosk_web.adapters.store.database import SqlStore, load_revision, open_sync_engine
from kiosk_web.adapters.store.list_marks import SqlListMarks
from kiosk_web.adapters.store.marks import SqlHighWaterMarks
from kiosk_web.adapters.store.migration import HEAD, migrate
from kiosk_web.adapters.store.schema import metadata
from kiosk_web.pki.crl_trust import ListMark, ListScope
from kiosk_web.pki.status import HighWaterMark
from kiosk_web.services.ports.sessions import SessionRecord
from kiosk_web.services.ports.terminals import EnrolmentRecord, TerminalRecord

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


async def add_terminal(store: SqlStore) -> None:
    async with store.write() as transaction:
        await transaction.terminals.add(
            TerminalRecord("t", "library-1", "", None, NOW, None, None), EnrolmentRecord(b"c", b"k", "t", NOW)
        )


def test_the_migrations_make_exactly_the_schema(tmp_path: Path) -> None:
    migrate(tmp_path)
    engine = open_sync_engine(tmp_path)
    try:
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    finally:
        engine.dispose()
    assert load_revision(tmp_path) == HEAD


@pytest.mark.anyio
async def test_every_connection_is_durable_and_forgets_what_is_deleted(store: SqlStore) -> None:
    expected = {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1}
    async with store.read() as transaction:
        for name, value in expected.items():
            assert (await transaction.connection.execute(text(f"PRAGMA {name}"))).scalar() == value


@pytest.mark.anyio
async def test_a_transaction_that_fails_leaves_nothing(store: SqlStore) -> None:
    async def fail() -> None:
        async with store.write() as transaction:
            await transaction.persons.add("p", b"issuer", 1, NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with store.read() as transaction:
        assert await transaction.persons.find(b"issuer", 1) is None


@pytest.mark.anyio
async def test_an_error_of_the_database_quotes_no_value(store: SqlStore) -> None:
    async def add_twice() -> None:
        async with store.write() as transaction:
            await transaction.persons.add("p", b"issuer", 7007007007, NOW)
            await transaction.persons.add("q", b"issuer", 7007007007, NOW)

    with pytest.raises(IntegrityError) as refusal:
        await add_twice()
    assert "7007007007" not in str(refusal.value)


@pytest.mark.anyio
async def test_an_older_version_is_not_written_over_a_newer_one(store: SqlStore) -> None:
    await add_terminal(store)
    async with store.write() as transaction:
        sessions = transaction.sessions
        record = SessionRecord("t", 1, "{}", "p", NOW)
        assert await sessions.save(record, "connecting", None, None)
        assert not await sessions.save(record, "connecting", None, None)
        assert await sessions.save(SessionRecord("t", 2, "{}", "p", NOW), "connecting", NOW, 1)
        assert not await sessions.save(SessionRecord("t", 2, "{}", "p", NOW), "connecting", NOW, 1)
        assert await sessions.list_due(NOW) == ("t",)
        assert await sessions.list_due(NOW - timedelta(seconds=1)) == ()


@pytest.mark.anyio
async def test_a_counter_only_rises(store: SqlStore) -> None:
    await add_terminal(store)
    async with store.write() as transaction:
        raised = [await transaction.terminals.raise_counter("t", number) for number in (0, 5, 5, 4, 6)]
    assert raised == [False, True, False, False, True]


@pytest.mark.anyio
async def test_a_high_water_mark_never_falls_and_keeps_a_revocation(store: SqlStore) -> None:
    marks = SqlHighWaterMarks(store)
    assert (await marks.load(b"k"), await marks.load_newest_time()) == (None, None)
    revoked = HighWaterMark(NOW, False, NOW - timedelta(days=1), "key_compromise")
    assert await marks.record(b"k", revoked) == revoked
    older = HighWaterMark(NOW - timedelta(minutes=5))
    assert await marks.record(b"k", older) == revoked
    newer = await marks.record(b"k", HighWaterMark(NOW + timedelta(minutes=5)))
    assert (newer.this_update, newer.revoked_at) == (NOW + timedelta(minutes=5), NOW - timedelta(days=1))
    assert await marks.load(b"k") == newer
    assert await marks.load_newest_time() == NOW + timedelta(minutes=5)


TOWN, WHOLE = ListScope(b"key", b"point"), ListScope(b"key", b"")


@pytest.mark.anyio
async def test_marks_of_lists_are_kept_for_each_scope_and_only_rise(store: SqlStore) -> None:
    marks = SqlListMarks(store)
    assert (await marks.load_all(), await marks.load([TOWN]), await marks.load_newest_time()) == ({}, {}, None)
    newest = ListMark((1 << 159) + 1, NOW, b"newest")
    without_number = ListMark(None, NOW + timedelta(hours=1), b"whole")
    await marks.record({TOWN: newest, WHOLE: without_number})
    assert await marks.load_all() == {TOWN: newest, WHOLE: without_number}
    assert await marks.load([TOWN, ListScope(b"key", b"another")]) == {TOWN: newest}
    assert await marks.load_newest_time() == NOW + timedelta(hours=1)
    await marks.record({TOWN: ListMark(7, NOW - timedelta(hours=1), b"older")})
    assert await marks.load([TOWN]) == {TOWN: newest}
    newer = ListMark((1 << 159) + 2, NOW + timedelta(minutes=1), b"newer")
    await marks.record({TOWN: newer})
    assert await marks.load_all() == {TOWN: newer, WHOLE: without_number}


@pytest.mark.anyio
async def test_two_hosts_that_record_at_once_lose_no_mark(store: SqlStore, tmp_path: Path) -> None:
    other = SqlStore(tmp_path)
    try:
        for number in range(1, 20):
            first, second = SqlListMarks(store), SqlListMarks(other)
            await first.record({TOWN: ListMark(2 * number, NOW, b"a")})
            await second.record({TOWN: ListMark(2 * number - 1, NOW + timedelta(minutes=number), b"b")})
            assert await first.load([TOWN]) == {TOWN: ListMark(2 * number, NOW + timedelta(minutes=number), b"a")}
    finally:
        await other.close()


@pytest.mark.anyio
async def test_a_glance_sees_every_commit_that_came_before_this_round_of_the_loop(
    store: SqlStore, tmp_path: Path
) -> None:
    add = "INSERT INTO persons (id, created_at, check_again) VALUES ('{}', '2026-11-23 03:00:00.000000', 0)"

    async def count() -> int:
        found = await store.glance().connection.execute(text("SELECT count(*) FROM persons"))
        return int(found.scalar_one())

    other = open_sync_engine(tmp_path)  # as `kiosk client revoke`, another process, would
    try:
        assert await count() == 0
        with other.begin() as connection:
            connection.execute(text(add.format("a")))
        assert await count() == 0  # all who ask in one round see one moment
        await asyncio.sleep(0)
        assert await count() == 1
    finally:
        other.dispose()
