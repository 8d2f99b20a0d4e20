"""Statements that are compiled once say and give what SQLAlchemy would."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects.sqlite import DATETIME
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from kiosk_web.adapters.store import schema
from kiosk_web.adapters.store.database import FILE_NAME, open_sync_engine
from kiosk_web.adapters.store.prepared import Prepared
from tests.support.database import lay_database

NOW = datetime(2026, 11, 23, 3, 0, 0, 5, tzinfo=UTC)
_p = schema.persons.c

ADD = Prepared(insert(schema.persons), ["id", "created_at", "check_again"])
FIND = Prepared(select(_p.created_at, _p.check_again, _p.id).where(_p.id == bindparam("person")))
FIXED = Prepared(select(_p.id).where(_p.check_again == True, _p.created_at >= NOW))  # noqa: E712  # SQL
MARK = Prepared(update(schema.persons).where(_p.id == bindparam("person")).values(check_again=True).returning(_p.id))


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    lay_database(tmp_path)
    opened = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    yield opened
    opened.close()


def test_values_go_in_and_come_out_as_their_columns_say(driver: sqlite3.Connection, tmp_path: Path) -> None:
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    assert ADD.run(driver, {"id": "a", "created_at": tokyo, "check_again": False}).rowcount == 1
    assert FIND.fetch(driver, {"person": "a"}) == [(NOW, False, "a")]
    assert FIND.fetch(driver, {"person": "b"}) == []
    engine = open_sync_engine(tmp_path)
    with engine.connect() as connection:
        row = connection.execute(select(_p.created_at, _p.check_again, _p.id)).one()
    engine.dispose()
    assert [tuple(row)] == FIND.fetch(driver, {"person": "a"})


@pytest.mark.parametrize("moment", [NOW, NOW.replace(microsecond=0), datetime(999, 1, 2, tzinfo=UTC)])
def test_a_time_is_stored_as_sqlalchemy_stores_it(driver: sqlite3.Connection, moment: datetime) -> None:
    usual = DATETIME().bind_processor(SQLiteDialect_pysqlite())
    assert usual is not None
    ADD.run(driver, {"id": "a", "created_at": moment, "check_again": False})
    assert driver.execute("SELECT created_at FROM persons").fetchone() == (usual(moment),)


def test_values_that_stand_in_the_statement_are_bound_too(driver: sqlite3.Connection) -> None:
    for number, moment in enumerate((NOW - timedelta(microseconds=1), NOW)):
        ADD.run(driver, {"id": str(number), "created_at": moment, "check_again": True})
    assert FIXED.fetch(driver, {}) == [("1",)]
    assert MARK.fetch(driver, {"person": "0"}) == [("0",)]
    assert MARK.fetch(driver, {"person": "2"}) == []


def test_a_naive_time_is_refused(driver: sqlite3.Connection) -> None:
    with pytest.raises(ValueError, match="naive"):
        ADD.run(driver, {"id": "a", "created_at": NOW.replace(tzinfo=None), "check_again": False})


def test_an_error_quotes_no_value(driver: sqlite3.Connection) -> None:
    ADD.run(driver, {"id": "somebody", "created_at": NOW, "check_again": False})
    with pytest.raises(sqlite3.IntegrityError) as refusal:
        ADD.run(driver, {"id": "somebody", "created_at": NOW, "check_again": False})
    assert "somebody" not in str(refusal.value)
