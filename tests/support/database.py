"""A database of the newest form with nothing in it: migrated once in a process, and copied. And a look into one."""

from __future__ import annotations

import functools
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from kiosk_web.adapters.store.database import FILE_NAME
from kiosk_web.adapters.store.migration import migrate


@functools.cache
def _template() -> tempfile.TemporaryDirectory[str]:
    folder: tempfile.TemporaryDirectory[str] = tempfile.TemporaryDirectory(prefix="kiosk-template-")
    migrate(Path(folder.name))
    return folder


def lay_database(data: Path) -> None:
    """What `migrate` makes of a folder without a database; one that is there stays."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (data / FILE_NAME).exists():
        shutil.copy(Path(_template().name, FILE_NAME), data)


def run_statement(data: Path, statement: str, *values: object) -> list[Any]:
    """One statement of SQL in the database of a server that may be running; the rows, if it has any."""
    with closing(sqlite3.connect(data / FILE_NAME, isolation_level=None, timeout=20)) as connection:
        return connection.execute(statement, values).fetchall()
