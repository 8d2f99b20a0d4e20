"""What is kept until a time of day is kept no longer by a clock that is set back."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Boolean, Column, Integer, LargeBinary, Table

from kiosk_web.adapters.store.database import SqlStore
from kiosk_web.adapters.store.schema import metadata
from kiosk_web.adapters.store.set_back import BEGINNINGS, ENDS
from kiosk_web.adapters.store.utc_time import UtcTime
from tests.support.jpki import NOW

pytestmark = pytest.mark.anyio
JUMP = timedelta(hours=25, seconds=1.5)
STORED = NOW.replace(tzinfo=None, microsecond=123_000)

ELSEWHERE = {
    "sessions.deadline_at": "visits end",
    "challenges.expires_at": "visits end",
    "leases.expires_at": "leases end",
    "remote_challenges.expires_at": "those that are open are dropped",
    "api_assertions.expires_at": "known as long as their own exp lets them count",
    "api_client_keys.ends_at": "a day that an operator chose",
    "fallback_openings.until": "a time that a manager chose",
}


def build_row(table: Table, *, empty: bool) -> dict[str, Any]:
    def build(column: Column[Any]) -> object:
        if isinstance(column.type, UtcTime):
            return None if empty and column.nullable else STORED.isoformat(" ", "microseconds")
        if isinstance(column.type, Integer | Boolean):
            return 1
        return b"\1" if isinstance(column.type, LargeBinary) else "x"

    return {column.name: build(column) for column in table.columns}


@pytest.mark.parametrize("empty", [False, True], ids=["all times", "none that need not be"])
async def test_each_end_moves_by_the_jump_and_nothing_else(store: SqlStore, tmp_path: Path, empty: bool) -> None:
    rows = {table.name: build_row(table, empty=empty) for table, _ in ENDS}
    connection = sqlite3.connect(tmp_path / "kiosk.sqlite3")
    for name, row in rows.items():  # foreign keys are off here
        values = ", ".join(f":{column}" for column in row)
        connection.execute(f"INSERT INTO {name} ({', '.join(row)}) VALUES ({values})", row)
    connection.commit()
    async with store.write() as transaction:
        await transaction.sessions.set_back_ends(JUMP, NOW)
    moved = (STORED - JUMP).isoformat(" ", "microseconds")
    for table, ends in ENDS:
        found = connection.execute(f"SELECT {', '.join(rows[table.name])} FROM {table.name}").fetchone()
        wanted = {name: moved if name in ends and value else value for name, value in rows[table.name].items()}
        assert dict(zip(wanted, found, strict=True)) == wanted
    connection.close()
    assert datetime.fromisoformat(moved + "+00:00") == NOW.replace(microsecond=123_000) - JUMP


async def test_no_beginning_is_later_than_the_clock(store: SqlStore, tmp_path: Path) -> None:
    later, before = NOW + JUMP, NOW - timedelta(seconds=1)
    connection = sqlite3.connect(tmp_path / "kiosk.sqlite3")
    for table, name in BEGINNINGS:
        for number, moment in enumerate((later, before)):
            row = build_row(table, empty=False)
            row |= {name: f"{value}{number}" for name, value in row.items() if value in ("x", b"\1")}
            row[name] = moment.replace(tzinfo=None).isoformat(" ", "microseconds")
            values = ", ".join(f":{column}" for column in row)
            connection.execute(f"INSERT INTO {table.name} ({', '.join(row)}) VALUES ({values})", row)
    connection.commit()
    async with store.write() as transaction:
        await transaction.sessions.set_back_ends(JUMP, NOW)
    for table, name in BEGINNINGS:
        found = connection.execute(f"SELECT {name} FROM {table.name} ORDER BY {name}").fetchall()
        assert [datetime.fromisoformat(f"{value}+00:00") for (value,) in found] == [before, NOW], table.name
    connection.close()
    async with store.read() as reading:
        assert await reading.sessions.load_newest_time() == NOW


def test_no_end_is_forgotten() -> None:
    ends = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, UtcTime) and column.name.endswith(("until", "ends_at", "expires_at", "deadline_at"))
    }
    known = {f"{table.name}.{name}" for table, names in ENDS for name in names}
    assert ends - known == set(ELSEWHERE)
