"""The keys of the server on disk: made once, for one user, read back the same."""

from __future__ import annotations

import os
import secrets
from datetime import timedelta
from pathlib import Path

import pytest

from kiosk_web.adapters.key_files import KeyFiles
from kiosk_web.errors import KeysError
from tests.support.jpki import NOW


def test_keys_are_made_once_and_readable_by_one_user_only(tmp_path: Path) -> None:
    files = KeyFiles(tmp_path, secrets.token_bytes)
    first, second = files.load(NOW), files.load(NOW)
    assert first.identity_public == second.identity_public
    assert (first.current.kid, first.following.kid) == (second.current.kid, second.following.kid)
    for path in (tmp_path / "keys").iterdir():
        assert path.stat().st_mode & 0o077 == 0


def test_a_rotation_is_kept(tmp_path: Path) -> None:
    files = KeyFiles(tmp_path, secrets.token_bytes)
    ring = files.load(NOW)
    announced = ring.following.kid
    files.rotate(ring, NOW + timedelta(days=6))
    assert ring.current.kid == announced
    assert files.load(NOW + timedelta(days=6)).current.kid == announced


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
@pytest.mark.parametrize("name", ["identity.pem", "tickets.json", "database.key", "index.key"])
@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_key_that_others_may_read_is_not_used(tmp_path: Path, name: str, mode: int) -> None:
    files = KeyFiles(tmp_path, secrets.token_bytes)

    def load_all() -> None:
        files.load(NOW)
        files.load_database_key()
        files.load_index_key()

    load_all()
    (tmp_path / "keys" / name).chmod(mode)
    with pytest.raises(KeysError, match="others may read it"):
        load_all()
    (tmp_path / "keys" / name).chmod(0o600)
    load_all()


@pytest.mark.parametrize("name", ["identity.pem", "tickets.json"])
def test_a_file_that_is_no_key_is_named(tmp_path: Path, name: str) -> None:
    files = KeyFiles(tmp_path, secrets.token_bytes)
    files.load(NOW)
    (tmp_path / "keys" / name).write_text("{}x")
    with pytest.raises(KeysError, match=name):
        files.load(NOW)


def test_the_key_of_the_database_is_made_once_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    files = KeyFiles(tmp_path, secrets.token_bytes)
    key = files.load_database_key()
    assert (len(key), files.load_database_key()) == (32, key)
    path = tmp_path / "keys" / "database.key"
    assert path.stat().st_mode & 0o077 == 0
    for damaged in ("", "zz", key.hex()[:-2], "鍵"):
        path.write_text(damaged, encoding="utf-8")
        with pytest.raises(KeysError, match=r"database\.key: not a key"):
            files.load_database_key()


def test_the_key_of_the_index_is_made_once_and_readers_need_its_public_half_only(tmp_path: Path) -> None:
    files = KeyFiles(tmp_path, secrets.token_bytes)
    assert files.load_index_public_key() is None
    key = files.load_index_key()
    assert files.load_index_key().private_bytes_raw() == key.private_bytes_raw()
    (tmp_path / "keys" / "index.key").unlink()
    public = files.load_index_public_key()
    assert public is not None
    public.verify(key.sign(b"manifest"), b"manifest")
    for path in (tmp_path / "keys").iterdir():
        assert path.stat().st_mode & 0o077 == 0


def test_a_foreign_public_half_of_the_index_key_is_replaced(tmp_path: Path) -> None:
    ours, others = KeyFiles(tmp_path / "a", secrets.token_bytes), KeyFiles(tmp_path / "b", secrets.token_bytes)
    key = ours.load_index_key()
    others.load_index_key()
    (tmp_path / "b/keys/index.pub").replace(tmp_path / "a/keys/index.pub")
    assert ours.load_index_key().private_bytes_raw() == key.private_bytes_raw()
    public = ours.load_index_public_key()
    assert public is not None
    assert public.public_bytes_raw() == key.public_key().public_bytes_raw()


@pytest.mark.parametrize("name", ["index.key", "index.pub"])
def test_a_file_that_is_no_key_of_the_index_is_named(tmp_path: Path, name: str) -> None:
    files = KeyFiles(tmp_path, secrets.token_bytes)
    files.load_index_key()
    (tmp_path / "keys" / name).write_text("{}x")
    with pytest.raises(KeysError, match=name):
        (files.load_index_key if name == "index.key" else files.load_index_public_key)()
