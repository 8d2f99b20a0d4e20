"""Bring the database file to the newest form (Alembic). The file is made with mode 0600."""

from __future__ import annotations

from pathlib import Path

from kiosk_web.adapters.store.database import FILE_NAME, load_revision, open_sync_engine

HEAD = "0019"
_SCRIPTS = Path(__file__).with_name("migrations")


def migrate(data: Path) -> bool:
    """Apply what is missing. True if something was applied; blocking."""
    if load_revision(data) == HEAD:
        return False
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
    return True
