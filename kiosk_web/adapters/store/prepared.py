"""A statement that is run for every event: written in SQLAlchemy Core like all others, compiled once, and then given
to the driver as it is.

SQLAlchemy's way from a statement to its rows takes some fifty microseconds each time, SQLite itself five; a validation
has a dozen statements (`docs/decisions/005-sqlalchemy-core.md`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import Select, UpdateBase
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

_DIALECT = SQLiteDialect_pysqlite()
_Processor = Callable[[Any], Any]


class _Compiled(NamedTuple):
    """The text; the names of its parameters in order; the values that stand in the statement; of parameters (by name)
    and columns (by place) those that their type changes on the way.
    """

    text: str
    names: tuple[str, ...]
    fixed: dict[str, Any]
    written: tuple[tuple[str, _Processor], ...]
    read: tuple[tuple[int, _Processor], ...]


class Prepared:
    """`names`: the columns of an INSERT, which has no other way to say them. Values that vary are `bindparam`s; what a
    column's type does to a value is done here too.
    """

    def __init__(self, statement: Select[Any] | UpdateBase, names: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._names = names

    @cached_property
    def _compiled(self) -> _Compiled:
        compiled = self._statement.compile(dialect=_DIALECT, column_keys=self._names)
        assert isinstance(compiled, SQLCompiler)
        binds = compiled.binds
        names = tuple(compiled.positiontup or ())
        processors = ((name, _find_bind_processor(binds[name].type)) for name in dict.fromkeys(names))
        columns = (_find_result_processor(column.type) for column in self._statement.exported_columns)
        return _Compiled(
            text=compiled.string,
            names=names,
            fixed={name: binds[name].value for name in names if not binds[name].required},
            written=tuple((name, process) for name, process in processors if process is not None),
            read=tuple((place, process) for place, process in enumerate(columns) if process is not None),
        )

    def run(self, driver: sqlite3.Connection, values: Mapping[str, object]) -> sqlite3.Cursor:
        """Raises `sqlite3.Error`, which quotes no value."""
        return driver.execute(self._compiled.text, self._bind(values))

    def run_all(self, driver: sqlite3.Connection, rows: Iterable[Mapping[str, object]]) -> None:
        """Once for each of them. Raises `sqlite3.Error`, which quotes no value."""
        driver.executemany(self._compiled.text, map(self._bind, rows))

    def _bind(self, values: Mapping[str, object]) -> list[object]:
        compiled = self._compiled
        bound = {**compiled.fixed, **values}
        for name, process in compiled.written:
            bound[name] = process(bound[name])
        return [bound[name] for name in compiled.names]

    def fetch(self, driver: sqlite3.Connection, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """All rows."""
        rows: list[tuple[Any, ...]] = self.run(driver, values).fetchall()
        read = self._compiled.read
        return [_read_row(row, read) for row in rows] if read else rows


def _read_row(row: tuple[Any, ...], read: Iterable[tuple[int, _Processor]]) -> tuple[Any, ...]:
    values = list(row)
    for place, process in read:
        values[place] = process(values[place])
    return tuple(values)


def _find_bind_processor(kind: TypeEngine[Any]) -> _Processor | None:
    return kind.dialect_impl(_DIALECT).bind_processor(_DIALECT)


def _find_result_processor(kind: TypeEngine[Any]) -> _Processor | None:
    return kind.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
