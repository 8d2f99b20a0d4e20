"""One SQLite file as the database:

WAL, synchronous=FULL, secure_delete, foreign_keys; one writer at a time in this process.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from kiosk_web.adapters.store.audit import SqlAuditRows
from kiosk_web.adapters.store.clients import SqlClientRows
from kiosk_web.adapters.store.fallback import SqlFallbackRows
from kiosk_web.adapters.store.group_commit import BUSY_MILLISECONDS, GroupCommit, Part
from kiosk_web.adapters.store.handovers import SqlHandoverRows
from kiosk_web.adapters.store.held import SqlHeldRows
from kiosk_web.adapters.store.introductions import SqlIntroductionRows
from kiosk_web.adapters.store.kazashi import SqlKazashiRows
from kiosk_web.adapters.store.links import SqlConfirmationRows, SqlLinkRows, SqlStaffAuditRows
from kiosk_web.adapters.store.mark_rows import SqlMarkRows
from kiosk_web.adapters.store.persons import SqlPersonRows
from kiosk_web.adapters.store.reading_redirects import SqlRedirectRows
from kiosk_web.adapters.store.readings import SqlReadingRows
from kiosk_web.adapters.store.remote import SqlRemoteRows
from kiosk_web.adapters.store.sealed_readings import SqlSealedReadingRows
from kiosk_web.adapters.store.sessions import SqlSessionRows
from kiosk_web.adapters.store.staff import SqlLeaseRows, SqlStaffRows
from kiosk_web.adapters.store.statements import InlineStatements, Snapshot, Statements
from kiosk_web.adapters.store.sweeps import SqlSweepRows
from kiosk_web.adapters.store.terminals import SqlTerminalRows
from kiosk_web.adapters.store.terms import SqlTermsRows
from kiosk_web.errors import DatabaseError

FILE_NAME = "kiosk.sqlite3"

Way = TypeVar("Way", bound=InlineStatements)

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={BUSY_MILLISECONDS}",
)


def _prepare_connection(dbapi_connection: Any, record: object) -> None:
    # The driver's own transaction control begins too late; BEGIN is sent by whoever owns the connection (SQLAlchemy
    # docs, "pysqlite transactions").
    dbapi_connection.isolation_level = None
    for pragma in _PRAGMAS:
        dbapi_connection.execute(pragma)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def open_sync_engine(data: Path) -> Engine:
    """A blocking engine on the same file, for migrations."""
    engine = create_engine(f"sqlite:///{data / FILE_NAME}", poolclass=NullPool)
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)
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
    reading_redirects: SqlRedirectRows
    terms: SqlTermsRows
    held: SqlHeldRows
    marks: SqlMarkRows
    connection: Statements

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        return self.connection.savepoint()


def _build_transaction(statements: InlineStatements) -> SqlTransaction:
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
        SqlRedirectRows(statements),
        SqlTermsRows(statements),
        SqlHeldRows(statements),
        SqlMarkRows(statements),
        statements,
    )


class _Opened(Generic[Way]):
    """A connection that stays open, and the transaction that it gives to whoever has it."""

    def __init__(self, connection: Connection, way: Callable[[Connection, sqlite3.Connection], Way]) -> None:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        self.connection = connection
        self.driver = driver
        self.statements = way(connection, driver)
        self.transaction = _build_transaction(self.statements)


class Reading:
    """`async with` around a transaction that sees the database as it was at its first statement, and cannot write."""

    def __init__(
        self, idle: list[_Opened[InlineStatements]], open_another: Callable[[], _Opened[InlineStatements]]
    ) -> None:
        self._idle = idle
        self._open_another = open_another

    async def __aenter__(self) -> SqlTransaction:
        self._opened = self._idle.pop() if self._idle else self._open_another()
        self._opened.driver.execute("BEGIN")
        return self._opened.transaction

    async def __aexit__(self, *error: object) -> None:
        self._opened.driver.rollback()
        self._idle.append(self._opened)


class SqlStore:
    """Implements `services.ports.Store`. The file must have been migrated. Close it with `close`."""

    def __init__(self, data: Path) -> None:
        # A value of a failed statement never appears in an exception or a log.
        self._engine = create_engine(
            f"sqlite:///{data / FILE_NAME}", pool_size=0, max_overflow=-1, hide_parameters=True
        )
        event.listen(self._engine, "connect", _prepare_connection)
        # Connections stay open: opening one costs more than all statements of an event.
        self._idle: list[_Opened[InlineStatements]] = []
        self._glance: _Opened[Snapshot] | None = None
        self._writer: _Opened[InlineStatements] | None = None
        self._group: GroupCommit | None = None

    def read(self) -> Reading:
        return Reading(self._idle, lambda: self._open_reader(InlineStatements))

    def glance(self) -> SqlTransaction:
        if self._glance is None:
            self._glance = self._open_reader(Snapshot)
        self._glance.statements.begin()
        return self._glance.transaction

    def _open_reader(self, way: Callable[[Connection, sqlite3.Connection], Way]) -> _Opened[Way]:
        opened = _Opened(self._engine.connect(), way)
        opened.driver.execute("PRAGMA query_only=ON")
        return opened

    def write(self) -> Part[SqlTransaction]:
        return self._build_part(ahead=False)

    def write_ahead(self) -> Part[SqlTransaction]:
        return self._build_part(ahead=True)

    def _build_part(self, *, ahead: bool) -> Part[SqlTransaction]:
        if self._writer is None or self._group is None:
            self._writer = _Opened(self._engine.connect(), InlineStatements)
            self._group = GroupCommit(self._writer.driver)
        return Part(self._group, self._writer.transaction, ahead=ahead)

    async def close(self) -> None:
        if self._writer is not None and self._group is not None:
            await self._group.close()
            self._writer.connection.close()
        for opened in self._idle:
            opened.connection.close()
        if self._glance is not None:
            self._glance.connection.close()
        self._engine.dispose()


def load_revision(data: Path) -> str | None:
    """The migration the file is at, None for no file or an empty one. Cheap: Alembic is not needed for it.

    Raises `DatabaseError` for a file that is no database, or a damaged one.
    """
    path = data / FILE_NAME
    if not path.exists():
        return None
    connection = sqlite3.connect(path)
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return None
    except sqlite3.DatabaseError:
        raise DatabaseError(f"database_unreadable: {path} is no database, or damaged: put a backup back") from None
    finally:
        connection.close()
    return None if row is None else str(row[0])
