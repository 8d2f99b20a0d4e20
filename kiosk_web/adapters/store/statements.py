"""How a statement reaches the database: what the tables need of a connection, and SQLite's way of giving it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
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

    async def change_all(self, statement: Prepared, rows: Iterable[Mapping[str, object]]) -> None:
        """Once for each of them."""
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

    async def change_all(self, statement: Prepared, rows: Iterable[Mapping[str, object]]) -> None:
        statement.run_all(self._driver, rows)

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


class Snapshot(InlineStatements):
    """What was true at one moment, for all who ask in one round of the loop: after a commit of anybody SQLite reads all
    pages anew, and here it does so once. The same question has the same answer, and is asked once.
    """

    def __init__(self, connection: Connection, driver: sqlite3.Connection) -> None:
        super().__init__(connection, driver)
        self._found: dict[tuple[object, ...], list[tuple[Any, ...]]] = {}

    def begin(self) -> None:
        """For this round, if it has not begun."""
        if not self._driver.in_transaction:
            self._driver.execute("BEGIN")
            asyncio.get_running_loop().call_soon(self._end)

    def _end(self) -> None:
        self._found.clear()
        self._driver.rollback()

    async def fetch(self, statement: Prepared, **values: object) -> list[tuple[Any, ...]]:
        asked = (statement, *values.values())
        if asked not in self._found:
            self._found[asked] = statement.fetch(self._driver, values)
        return self._found[asked]
