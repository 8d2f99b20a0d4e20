"""How a statement reaches the database: what the tables need of a connection, and SQLite's way of giving it."""

from __future__ import annotations

from typing import Any, Protocol

from sqlalchemy import Connection, CursorResult, Executable


class Statements(Protocol):
    """One connection inside its transaction. SQLAlchemy's `AsyncConnection` offers the same."""

    async def execute(self, statement: Executable) -> CursorResult[Any]: ...


class InlineStatements:
    """SQLite in the thread of the event loop.

    A statement takes some ten microseconds; handing it to another thread and back takes longer, and an event has a
    dozen of them (`docs/decisions/005-sqlalchemy-core.md`).
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def execute(self, statement: Executable) -> CursorResult[Any]:
        return self._connection.execute(statement)
