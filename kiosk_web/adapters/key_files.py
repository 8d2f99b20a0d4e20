"""The server's keys as files in the data folder, readable by its user alone."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from kiosk_web.errors import KeysError
from kiosk_web.services.keys import KeyRing, TicketKey, derive_rotation
from kiosk_web.services.ports import Entropy
from kiosk_web.services.staff.sealing import KEY_LENGTH


class KeyFiles:
    """`keys/identity.pem` is made once; `keys/tickets.json` holds the current and the next ticket key.

    `keys/database.key` (32 bytes, in hexadecimal) seals secrets in the database. `keys/index.key` signs the index of
    revocation lists; whoever only reads the index needs `keys/index.pub` alone.
    """

    def __init__(self, data: Path, entropy: Entropy) -> None:
        self._folder = data / "keys"
        self._entropy = entropy

    def load(self, now: datetime) -> KeyRing:
        """The keys, made where missing and rotated where due. Raises `KeysError`."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            identity = self._load_private("identity.pem")
            current, following = self._rotate(now)
        except OSError as error:
            raise KeysError(f"{self._folder}: {error.strerror or 'cannot be used'}") from None
        return KeyRing(identity, current, following)

    def rotate(self, ring: KeyRing, now: datetime) -> None:
        """Let the next key take over if the current one nears its end."""
        ring.rotate(*self._rotate(now))

    def load_database_key(self) -> bytes:
        """32 bytes, made where missing. Raises `KeysError`."""
        path = self._folder / "database.key"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not path.exists():
                _write_new(path, self._entropy(KEY_LENGTH).hex().encode())
            key = bytes.fromhex(_read_secret(path).decode("ascii").strip())
        except OSError as error:
            raise KeysError(f"{path}: {error.strerror or 'cannot be used'}") from None
        except ValueError:  # not hexadecimal, not ASCII
            raise KeysError(f"{path}: not a key") from None
        if len(key) != KEY_LENGTH:
            raise KeysError(f"{path}: not a key of {KEY_LENGTH} bytes")
        return key

    def load_index_key(self) -> Ed25519PrivateKey:
        """The key of the index, made where missing, its public half beside it. Raises `KeysError`."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            key = self._load_private("index.key")
            public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            path = self._folder / "index.pub"
            if not path.exists() or path.read_bytes() != public:
                _write_over(path, public)
        except OSError as error:
            raise KeysError(f"{self._folder}: {error.strerror or 'cannot be used'}") from None
        return key

    def load_index_public_key(self) -> Ed25519PublicKey | None:
        """What the index must be signed with; None before the first list was taken in. Raises `KeysError`."""
        path = self._folder / "index.pub"
        try:
            key = load_pem_public_key(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeysError(f"{path}: {error.strerror or 'cannot be read'}") from None
        except (ValueError, UnsupportedAlgorithm):
            raise KeysError(f"{path}: not a public key") from None
        if not isinstance(key, Ed25519PublicKey):
            raise KeysError(f"{path}: not an Ed25519 key")
        return key

    def _load_private(self, name: str) -> Ed25519PrivateKey:
        path = self._folder / name
        if not path.exists():
            fresh = Ed25519PrivateKey.from_private_bytes(self._entropy(32))
            pem = fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            _write_new(path, pem)
        try:
            key = load_pem_private_key(_read_secret(path), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise KeysError(f"{path}: not a private key") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise KeysError(f"{path}: not an Ed25519 key")
        return key

    def _rotate(self, now: datetime) -> tuple[TicketKey, TicketKey]:
        path = self._folder / "tickets.json"
        known = _load_ticket_keys(path) if path.exists() else ()
        keys = derive_rotation(known, now, self._entropy)
        if keys != known:
            _write_over(path, json.dumps([_dump(key) for key in keys]).encode())
        return keys


def _load_ticket_keys(path: Path) -> tuple[TicketKey, ...]:
    try:
        return tuple(
            TicketKey(
                Ed25519PrivateKey.from_private_bytes(bytes.fromhex(entry["private"])),
                datetime.fromtimestamp(entry["nbf"], UTC),
                datetime.fromtimestamp(entry["exp"], UTC),
            )
            for entry in json.loads(_read_secret(path))
        )
    except (ValueError, KeyError, TypeError):
        raise KeysError(f"{path}: not a list of ticket keys") from None


def _dump(key: TicketKey) -> dict[str, object]:
    return {
        "private": key.private.private_bytes_raw().hex(),
        "nbf": int(key.not_before.timestamp()),
        "exp": int(key.expires_at.timestamp()),
    }


def _read_secret(path: Path) -> bytes:
    """Raises `KeysError` where others than its user may read it, as after a restore that forgot the modes: it may be
    known to somebody already. On Windows the folder's own rights decide.
    """
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise KeysError(f"{path}: others may read it: chmod 600, and think of who could (docs/operating.md)")
    return path.read_bytes()


def _write_new(path: Path, content: bytes) -> None:
    """Whoever is first makes the file; the other one reads it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links
        if not path.exists():
            draft.replace(path)
            return
    draft.unlink()


def _write_over(path: Path, content: bytes) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_bytes(content)
    draft.replace(path)
