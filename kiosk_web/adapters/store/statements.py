"""How a statement reaches the database: what the tables need of a connection, and SQLite's way of giving it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from sqlalchemy import Connection, CursorResult, Executable

Parameters = Mapping[str, object] | Sequence[Mapping[str, object]]


class Statements(Protocol):
    """One connection inside its transaction. A statement that is run for every event is built once, with
    `bindparam`; building it anew each time takes five times as long as running it. With several mappings it is run once
    for each.
    """

    async def execute(self, statement: Executable, parameters: Parameters | None = None) -> CursorResult[Any]: ...

    def savepoint(self) -> AbstractAsyncContextManager[None]: ...


class InlineStatements:
    """SQLite in the thread of the event loop.

    A statement takes some ten microseconds; handing it to another thread and back takes longer, and an event has a
    dozen of them (`docs/decisions/005-sqlalchemy-core.md`).
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def execute(self, statement: Executable, parameters: Parameters | None = None) -> CursorResult[Any]:
        return self._connection.execute(statement, parameters)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        with self._connection.begin_nested():
            yield
