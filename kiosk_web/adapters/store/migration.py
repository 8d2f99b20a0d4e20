"""Bring the database file to the newest form (Alembic). The file is made with mode 0600.

Under a running server nothing is migrated, and what a newer program wrote is not touched.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path

from kiosk_web.adapters.data_folder import hold_data_folder
from kiosk_web.adapters.store.database import FILE_NAME, load_revision, open_sync_engine
from kiosk_web.errors import DatabaseError

HEAD = "0021"
_SCRIPTS = Path(__file__).with_name("migrations")


def migrate(data: Path, *, held: bool = False) -> bool:
    """Apply what is missing. True if something was applied; blocking. `held`: the caller holds the data folder.

    Raises `DatabaseError`, and `SettingsError` where a server works on a database that would have to be changed.
    """
    found = load_revision(data)
    if found is not None and os.name == "posix" and (data / FILE_NAME).stat().st_mode & 0o077:
        raise DatabaseError(f"database_shared: others may read {data / FILE_NAME}: chmod 600")
    if found == HEAD:
        return False
    if found is not None and found > HEAD:
        raise DatabaseError(
            f"database_newer: {data / FILE_NAME} was written by a newer kiosk (form {found}, here {HEAD}): start that "
            "one, or put the backup of before the upgrade back"
        )
    with nullcontext() if held else hold_data_folder(data):
        _upgrade(data)
    return True


def _upgrade(data: Path) -> None:
    # Alembic takes a while to import; a start that needs no migration does not wait for it.
    from alembic import command
    from alembic.config import Config

    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    (data / FILE_NAME).touch(mode=0o600)
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    engine = open_sync_engine(data)
    try:
        with engine.connect() as connection, connection.begin():
            config.attributes["connection"] = connection
            config.attributes["data"] = data
            command.upgrade(config, "head")
    finally:
        engine.dispose()
