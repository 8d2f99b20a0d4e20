"""How a statement reaches the database: what the tables need of a connection, and SQLite's way of giving it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from sqlalchemy import Connection, CursorResult, Executable

from kiosk_web.adapters.store.prepared import Prepared

Parameters = Mapping[str, object] | Sequence[Mapping[str, object]]


class Statements(Protocol):
    """One connection inside its transaction. A statement that is run for every event is a `Prepared`; one that is
    built anew each time takes ten times as long as running it.
    """

    async def execute(self, statement: Executable, parameters: Parameters | None = None) -> CursorResult[Any]:
        """Of several mappings, once for each."""
        ...

    async def fetch(self, statement: Prepared, **values: object) -> list[tuple[Any, ...]]:
        """All rows."""
        ...

    async def change(self, statement: Prepared, **values: object) -> int:
        """How many rows were changed."""
        ...

    def savepoint(self) -> AbstractAsyncContextManager[None]: ...


class InlineStatements:
    """SQLite in the thread of the event loop.

    A statement takes some ten microseconds; handing it to another thread and back takes longer, and an event has a
    dozen of them (`docs/decisions/005-sqlalchemy-core.md`). Transactions are begun and ended on `driver` by whoever
    owns the connection; SQLAlchemy's are not used.
    """

    def __init__(self, connection: Connection, driver: sqlite3.Connection) -> None:
        self._connection = connection
        self._driver = driver

    async def execute(self, statement: Executable, parameters: Parameters | None = None) -> CursorResult[Any]:
        return self._connection.execute(statement, parameters)

    async def fetch(self, statement: Prepared, **values: object) -> list[tuple[Any, ...]]:
        return statement.fetch(self._driver, values)

    async def change(self, statement: Prepared, **values: object) -> int:
        return statement.run(self._driver, values).rowcount

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        self._driver.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self._driver.execute("ROLLBACK TO part")
            raise
        finally:
            self._driver.execute("RELEASE part")
