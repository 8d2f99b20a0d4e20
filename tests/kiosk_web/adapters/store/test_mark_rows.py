"""One statement reads what is stored of a certificate and of lists, as those who write it read it one by one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.adapters.store.list_marks import SqlListMarks
from kiosk_web.adapters.store.marks import SqlHighWaterMarks
from kiosk_web.pki.crl_trust import ListMark, ListScope
from kiosk_web.pki.status import HighWaterMark
from kiosk_web.services.ports.marks import Remembered
from tests.support.database import lay_database

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

NOW = datetime(2026, 11, 23, 3, 0, 0, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
SCOPES = [ListScope(bytes([number]) * 20, bytes([number]) * 32) for number in range(5)]
KEYS = [bytes([number]) * 32 for number in range(3)]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    lay_database(tmp_path)
    opened = SqlStore(tmp_path)
    yield opened
    await opened.close()


async def recall(store: SqlStore, key: bytes, scopes: list[ListScope]) -> Remembered:
    """In a transaction, and at a glance."""
    async with store.read() as transaction:
        within = await transaction.marks.recall(key, scopes)
    assert await store.glance().marks.recall(key, scopes) == within
    return within


async def test_an_empty_memory(store: SqlStore) -> None:
    assert await recall(store, KEYS[0], SCOPES) == Remembered(None, {}, None)


async def test_each_mark_is_found_under_its_key_and_its_scope(store: SqlStore) -> None:
    marks = {
        SCOPES[0]: ListMark(None, NOW - HOUR, b"a" * 32),
        SCOPES[1]: ListMark(1 << 150, NOW - 2 * HOUR, b"b" * 32),
        SCOPES[3]: ListMark(7, NOW + HOUR, b"c" * 32),
    }
    await SqlListMarks(store).record(marks)
    revoked = HighWaterMark(NOW, held=False, revoked_at=NOW - HOUR, revoked_reason="superseded")
    held = HighWaterMark(NOW - 3 * HOUR, held=True)
    for key, mark in zip(KEYS, (revoked, held), strict=False):
        await SqlHighWaterMarks(store).record(key, mark)
    for key, mark in zip(KEYS, (revoked, held, None), strict=True):
        found = await recall(store, key, SCOPES[:3])
        assert found == Remembered(mark, {scope: marks[scope] for scope in SCOPES[:2]}, NOW + HOUR)
    assert (await recall(store, KEYS[0], [SCOPES[3]])).lists == {SCOPES[3]: marks[SCOPES[3]]}
    crossed = ListScope(SCOPES[0].key_id, SCOPES[1].point)
    assert (await recall(store, KEYS[2], [crossed])) == Remembered(None, {}, NOW + HOUR)


async def test_the_newest_time_may_be_that_of_a_certificate(store: SqlStore) -> None:
    await SqlHighWaterMarks(store).record(KEYS[0], HighWaterMark(NOW, held=False))
    assert (await recall(store, KEYS[1], SCOPES)).newest == NOW
    await SqlListMarks(store).record({SCOPES[0]: ListMark(1, NOW - HOUR, b"a" * 32)})
    assert (await recall(store, KEYS[1], SCOPES)).newest == NOW


async def test_a_glance_sees_what_was_committed_meanwhile(store: SqlStore) -> None:
    assert (await store.glance().marks.recall(KEYS[0], SCOPES)).certificate is None
    await SqlHighWaterMarks(store).record(KEYS[0], HighWaterMark(NOW, held=True))
    assert (await store.glance().marks.recall(KEYS[0], SCOPES)).certificate == HighWaterMark(NOW, held=True)
