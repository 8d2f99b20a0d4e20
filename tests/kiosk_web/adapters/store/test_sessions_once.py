"""The statement that consumes a card's challenge lets it through once, for its own terminal, in its time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.services.ports.sessions import ChallengeRecord
from kiosk_web.services.ports.terminals import EnrolmentRecord, TerminalRecord
from tests.support.database import lay_database

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
CHALLENGE = ChallengeRecord(
    id="one",
    ticket="ticket",
    terminal="hall-1",
    origin="http://127.0.0.1:8480",
    session="session",
    service="library",
    purpose="identify",
    method="pin",
    nonce=b"n" * 32,
    consent=b"c" * 32,
    lease="",
    card="card",
    reference="K7M24Q9X",
    issued_at=NOW,
    expires_at=NOW + timedelta(minutes=3),
)


@pytest.mark.parametrize(
    ("terminal", "later", "expected"),
    [
        ("hall-1", timedelta(0), [True, False]),
        ("hall-1", timedelta(minutes=4), [False, False]),
        ("hall-2", timedelta(0), [False, False]),
    ],
)
async def test_a_challenge_is_consumed_once_by_its_own_terminal_in_its_time(
    tmp_path: Path, terminal: str, later: timedelta, expected: list[bool]
) -> None:
    lay_database(tmp_path)
    store = SqlStore(tmp_path)
    async with store.write() as transaction:
        await transaction.terminals.add(
            TerminalRecord("hall-1", "hall-1", "", None, NOW, None, None), EnrolmentRecord(b"c", b"k", "hall-1", NOW)
        )
        await transaction.sessions.add_challenge(CHALLENGE)
    consumed = []
    for _ in range(2):
        async with store.write() as transaction:
            consumed.append(await transaction.sessions.consume_challenge("one", terminal, NOW + later))
    await store.close()
    assert [record is not None for record in consumed] == expected
    for record in filter(None, consumed):
        assert replace(record, consumed_at=None) == CHALLENGE
