"""The database brought up to date: old secrets are sealed, and what is newer or in use is not touched.

Staff who were there before: the migration seals their secrets, leaves none behind, and their codes still count.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from kiosk_web.adapters.data_folder import hold_data_folder
from kiosk_web.adapters.key_files import KeyFiles
from kiosk_web.adapters.store import migration
from kiosk_web.adapters.store.database import FILE_NAME, load_revision, open_sync_engine
from kiosk_web.errors import DatabaseError, SettingsError
from kiosk_web.services.staff.sealing import SecretSeal

SECRETS = {"0042": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "0043": "KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU"}


def build_old(data: Path) -> None:
    """A database as it was before, with staff."""
    (data / FILE_NAME).touch(mode=0o600)
    config = Config()
    config.set_main_option("script_location", str(Path(migration.__file__).with_name("migrations")))
    engine = open_sync_engine(data)
    with engine.connect() as connection, connection.begin():
        config.attributes.update(connection=connection, data=data)
        command.upgrade(config, "0014")
        for number, secret in SECRETS.items():
            connection.execute(
                text(
                    "INSERT INTO staff (id, name, number, facility, totp_secret, last_step, created_at)"
                    " VALUES (:number, :number, :number, 'main', :secret, 7, '2026-11-23 03:00:00')"
                ),
                {"number": number, "secret": secret},
            )
    engine.dispose()


def test_secrets_that_lay_plain_are_sealed_and_gone_from_the_file(tmp_path: Path) -> None:
    build_old(tmp_path)
    assert SECRETS["0042"].encode() in (tmp_path / FILE_NAME).read_bytes()
    assert migration.migrate(tmp_path)
    assert load_revision(tmp_path) == migration.HEAD
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert not [number for number, secret in SECRETS.items() if secret.encode() in path.read_bytes()], path
    seal = SecretSeal(KeyFiles(tmp_path, secrets.token_bytes).load_database_key(), secrets.token_bytes)
    engine = open_sync_engine(tmp_path)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT number, sealed_secret, last_step FROM staff")).all()
    engine.dispose()
    assert {row.number: seal.open(row.sealed_secret, row.number) for row in rows} == SECRETS
    assert {row.last_step for row in rows} == {7}


def test_without_staff_no_key_is_made(tmp_path: Path) -> None:
    assert migration.migrate(tmp_path)
    assert not (tmp_path / "keys").exists()


def test_what_a_newer_program_wrote_is_refused_by_name_and_stays_as_it_is(tmp_path: Path) -> None:
    assert migration.migrate(tmp_path)
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(DatabaseError, match="database_newer"):
        migration.migrate(tmp_path)
    assert load_revision(tmp_path) == "9999"


def test_a_file_that_is_no_database_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"not a database at all" * 300)
    with pytest.raises(DatabaseError, match="database_unreadable"):
        migration.migrate(tmp_path)


def test_no_command_changes_the_form_of_a_database_under_its_server(tmp_path: Path) -> None:
    build_old(tmp_path)
    with hold_data_folder(tmp_path):
        with pytest.raises(SettingsError, match="data_in_use"):
            migration.migrate(tmp_path)
        assert load_revision(tmp_path) == "0014"
        assert migration.migrate(tmp_path, held=True)
        assert not migration.migrate(tmp_path)  # up to date: nothing is held for it


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_database_that_others_may_read_is_refused_by_name(tmp_path: Path, mode: int) -> None:
    assert migration.migrate(tmp_path)
    (tmp_path / FILE_NAME).chmod(mode)
    with pytest.raises(DatabaseError, match="database_shared"):
        migration.migrate(tmp_path)
    (tmp_path / FILE_NAME).chmod(0o600)
    assert not migration.migrate(tmp_path)
