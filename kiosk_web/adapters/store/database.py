"""One SQLite file as the database:

WAL, synchronous=FULL, secure_delete, foreign_keys; one writer at a time in this process.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from kiosk_web.adapters.store.audit import SqlAuditRows
from kiosk_web.adapters.store.clients import SqlClientRows
from kiosk_web.adapters.store.fallback import SqlFallbackRows
from kiosk_web.adapters.store.handovers import SqlHandoverRows
from kiosk_web.adapters.store.held import SqlHeldRows
from kiosk_web.adapters.store.introductions import SqlIntroductionRows
from kiosk_web.adapters.store.kazashi import SqlKazashiRows, SqlLeaseRows, SqlStaffRows
from kiosk_web.adapters.store.links import SqlConfirmationRows, SqlLinkRows, SqlStaffAuditRows
from kiosk_web.adapters.store.persons import SqlPersonRows
from kiosk_web.adapters.store.readings import SqlReadingRows
from kiosk_web.adapters.store.remote import SqlRemoteRows
from kiosk_web.adapters.store.sealed_readings import SqlSealedReadingRows
from kiosk_web.adapters.store.sessions import SqlSessionRows
from kiosk_web.adapters.store.statements import InlineStatements, Statements
from kiosk_web.adapters.store.sweeps import SqlSweepRows
from kiosk_web.adapters.store.terminals import SqlTerminalRows
from kiosk_web.adapters.store.terms import SqlTermsRows

FILE_NAME = "kiosk.sqlite3"
_WRITE = "kiosk_write"
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=5000",
)


def _prepare_connection(dbapi_connection: Any, record: object) -> None:
    # The driver's own transaction control begins too late; BEGIN is sent below (SQLAlchemy docs, "pysqlite
    # transactions").
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _listen(engine: Engine) -> None:
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)


def open_sync_engine(data: Path) -> Engine:
    """A blocking engine on the same file, for migrations."""
    engine = create_engine(f"sqlite:///{data / FILE_NAME}", poolclass=NullPool).execution_options(**{_WRITE: True})
    _listen(engine)
    return engine


@dataclass(frozen=True)
class SqlTransaction:
    terminals: SqlTerminalRows
    sessions: SqlSessionRows
    persons: SqlPersonRows
    audit: SqlAuditRows
    fallback: SqlFallbackRows
    sweeps: SqlSweepRows
    links: SqlLinkRows
    confirmations: SqlConfirmationRows
    staff_audit: SqlStaffAuditRows
    clients: SqlClientRows
    remote: SqlRemoteRows
    handovers: SqlHandoverRows
    staff: SqlStaffRows
    leases: SqlLeaseRows
    kazashi: SqlKazashiRows
    readings: SqlSealedReadingRows
    introductions: SqlIntroductionRows
    asked_readings: SqlReadingRows
    terms: SqlTermsRows
    held: SqlHeldRows
    connection: Statements

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        return self.connection.savepoint()


def _build_transaction(connection: Connection) -> SqlTransaction:
    statements = InlineStatements(connection)
    return SqlTransaction(
        SqlTerminalRows(statements),
        SqlSessionRows(statements),
        SqlPersonRows(statements),
        SqlAuditRows(statements),
        SqlFallbackRows(statements),
        SqlSweepRows(statements),
        SqlLinkRows(statements),
        SqlConfirmationRows(statements),
        SqlStaffAuditRows(statements),
        SqlClientRows(statements),
        SqlRemoteRows(statements),
        SqlHandoverRows(statements),
        SqlStaffRows(statements),
        SqlLeaseRows(statements),
        SqlKazashiRows(statements),
        SqlSealedReadingRows(statements),
        SqlIntroductionRows(statements),
        SqlReadingRows(statements),
        SqlTermsRows(statements),
        SqlHeldRows(statements),
        statements,
    )


class SqlStore:
    """Implements `services.ports.Store`. The file must have been migrated. Close it with `close`."""

    def __init__(self, data: Path) -> None:
        self._engine = create_engine(
            f"sqlite:///{data / FILE_NAME}",
            # Connections stay open: opening one costs more than all statements of an event.
            pool_size=8,
            max_overflow=-1,
            # A value of a failed statement never appears in an exception or a log.
            hide_parameters=True,
        )
        _listen(self._engine)
        # SQLite knows one writer; waiting here is in order and wakes at once, its own waiting is a poll.
        self._writer = asyncio.Lock()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[SqlTransaction]:
        with self._engine.connect() as connection, connection.begin():
            yield _build_transaction(connection)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[SqlTransaction]:
        async with self._writer:
            with self._engine.connect().execution_options(**{_WRITE: True}) as connection, connection.begin():
                yield _build_transaction(connection)

    async def close(self) -> None:
        self._engine.dispose()


def load_revision(data: Path) -> str | None:
    """The migration the file is at, None for no file or an empty one. Cheap: Alembic is not needed for it."""
    path = data / FILE_NAME
    if not path.exists():
        return None
    connection = sqlite3.connect(path)
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return None
    finally:
        connection.close()
    return None if row is None else str(row[0])
