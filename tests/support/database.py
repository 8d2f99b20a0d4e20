"""A database of the newest form with nothing in it: migrated once in a process, and copied."""

from __future__ import annotations

import functools
import shutil
import tempfile
from pathlib import Path

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
