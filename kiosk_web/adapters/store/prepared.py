"""A statement that is run for every event: written in SQLAlchemy Core like all others, compiled once, and then given
to the driver as it is.

SQLAlchemy's way from a statement to its rows takes some fifty microseconds each time, SQLite itself five; a validation
has a dozen statements (`docs/decisions/005-sqlalchemy-core.md`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import Select, UpdateBase
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

_DIALECT = SQLiteDialect_pysqlite()
_Processor = Callable[[Any], Any]


class _Compiled(NamedTuple):
    """The text; of each parameter, in order, name and processor; the values that stand in the statement; the processors
    of the columns, None if none of them has one.
    """

    text: str
    parameters: tuple[tuple[str, _Processor | None], ...]
    fixed: dict[str, Any]
    columns: tuple[_Processor | None, ...] | None


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
        parameters = tuple((name, _find_bind_processor(binds[name].type)) for name in compiled.positiontup or ())
        fixed = {name: binds[name].value for name, _ in parameters if not binds[name].required}
        columns = tuple(_find_result_processor(column.type) for column in self._statement.exported_columns)
        return _Compiled(compiled.string, parameters, fixed, columns if any(columns) else None)

    def run(self, driver: sqlite3.Connection, values: Mapping[str, object]) -> sqlite3.Cursor:
        """Raises `sqlite3.Error`, which quotes no value."""
        compiled = self._compiled
        if compiled.fixed:
            values = {**compiled.fixed, **values}
        bound = [values[name] if process is None else process(values[name]) for name, process in compiled.parameters]
        return driver.execute(compiled.text, bound)

    def fetch(self, driver: sqlite3.Connection, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """All rows."""
        rows: list[tuple[Any, ...]] = self.run(driver, values).fetchall()
        columns = self._compiled.columns
        if columns is None or not rows:
            return rows
        return [
            tuple([value if process is None else process(value) for value, process in zip(row, columns, strict=True)])
            for row in rows
        ]


def _find_bind_processor(kind: TypeEngine[Any]) -> _Processor | None:
    return kind.dialect_impl(_DIALECT).bind_processor(_DIALECT)


def _find_result_processor(kind: TypeEngine[Any]) -> _Processor | None:
    return kind.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
