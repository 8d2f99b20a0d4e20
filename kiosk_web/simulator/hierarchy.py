"""All authorities and OCSP signers of one simulator folder: made at the first start, loaded at every later one.

anchors/authca01.pem … signca03.pem    the six CA certificates, for a demo kiosk's `--anchors`
anchors/simulator.json                 their SHA-256 and key identifiers: what no production installation may ever list
simulator-state/keys/…                 private keys (mode 0600) and the certificates of the OCSP signers
"""

from __future__ import annotations

import json
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from kiosk_web.simulator.authority import Authority, issue_responder_certificate, issue_root
from kiosk_web.simulator.cards import load_key, write_bytes, write_key
from kiosk_web.simulator.lifetimes import derive_generations
from kiosk_web.simulator.names import Kind

_SIGNER_LIFE = timedelta(days=365)
_SIGNER_RENEWAL = timedelta(days=30)


class StateDamaged(Exception):
    """The folder holds a state that cannot be used; the message says which file and what to do."""


class KeySupply:
    """RSA-2048 keys, some made ahead on all cores. Making one takes 0.04 to 0.3 s."""

    def __init__(self) -> None:
        self._stock: deque[rsa.RSAPrivateKey] = deque()

    def stock(self, count: int) -> None:
        """Make `count` keys at once."""
        with ThreadPoolExecutor() as pool:
            self._stock.extend(pool.map(lambda _: _make_key(), range(count)))

    def take(self) -> rsa.RSAPrivateKey:
        """A key nobody had before."""
        return self._stock.popleft() if self._stock else _make_key()


def _make_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True, slots=True)
class Signer:
    """A delegated OCSP signer of one authority."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """The six authorities, oldest generation first, and a signer for each one that is in force."""

    authorities: dict[str, Authority]
    signers: dict[str, Signer]

    def issuing(self, kind: Kind, moment: datetime) -> Authority:
        """The generation that issued at `moment`: the newest one that existed."""
        existing = [a for a in self.authorities.values() if a.kind is kind and a.lifetime.covers(moment)]
        if not existing:
            raise StateDamaged("no certification authority is valid at this date: is the clock right?")
        return existing[-1]

    def sibling(self, authority: Authority) -> Authority:
        """Another generation of the same CA that is in force: same name, another key."""
        return next(
            a
            for a in self.authorities.values()
            if a.kind is authority.kind and a is not authority and a.id in self.signers
        )


def authority_ids() -> list[tuple[Kind, int, str]]:
    """(kind, generation from 1, id) of all six."""
    return [(kind, number, f"{kind.value}ca{number:02}") for kind in Kind for number in (1, 2, 3)]


def is_new(folder: Path) -> bool:
    """Whether no simulator was ever started in this folder."""
    return not (folder / "simulator-state" / "keys").is_dir()


def load_hierarchy(folder: Path, keys: KeySupply, now: datetime) -> Hierarchy:
    """Load the authorities, or make what is missing. Raises `StateDamaged` for files that cannot be read."""
    secrets_folder = folder / "simulator-state" / "keys"
    secrets_folder.mkdir(parents=True, exist_ok=True)
    (folder / "simulator-state").chmod(0o700)
    anchors = folder / "anchors"
    anchors.mkdir(exist_ok=True)
    authorities: dict[str, Authority] = {}
    lifetimes = derive_generations(now)
    for kind, number, name in authority_ids():
        key_path, path = secrets_folder / f"{name}.key.pem", anchors / f"{name}.pem"
        if key_path.exists() and path.exists():
            key, certificate = _load(key_path, path)
        else:
            key = keys.take()
            certificate = issue_root(kind, number, key, lifetimes[number - 1])
            write_key(key_path, key)
            write_bytes(path, certificate.public_bytes(Encoding.PEM))
        authorities[name] = Authority(name, kind, certificate, key)
    _write_mark(anchors / "simulator.json", authorities)
    signers = {
        name: _load_signer(secrets_folder, authority, keys, now)
        for name, authority in authorities.items()
        if authority.lifetime.covers(now)
    }
    return Hierarchy(authorities, signers)


def _load_signer(folder: Path, authority: Authority, keys: KeySupply, now: datetime) -> Signer:
    key_path, path = folder / f"ocsp-{authority.id}.key.pem", folder / f"ocsp-{authority.id}.pem"
    if key_path.exists() and path.exists():
        key, certificate = _load(key_path, path)
        if certificate.not_valid_before_utc <= now and now + _SIGNER_RENEWAL < certificate.not_valid_after_utc:
            return Signer(certificate, key)
    else:
        key = keys.take()
        write_key(key_path, key)
    certificate = issue_responder_certificate(authority, key.public_key(), now - timedelta(hours=1), now + _SIGNER_LIFE)
    write_bytes(path, certificate.public_bytes(Encoding.PEM))
    return Signer(certificate, key)


def _load(key_path: Path, path: Path) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    try:
        key = load_key(key_path)
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise StateDamaged(f"{key_path.name} or {path.name} cannot be read: remove the simulator folder") from error
    if certificate.public_key() != key.public_key():
        raise StateDamaged(f"{path.name} does not belong to {key_path.name}: remove the simulator folder")
    return key, certificate


def _write_mark(path: Path, authorities: dict[str, Authority]) -> None:
    mark = {
        "version": 1,
        "simulator": True,
        "authorities": [
            {
                "id": authority.id,
                "sha256": authority.certificate.fingerprint(hashes.SHA256()).hex(),
                "subject_key_id": authority.key_id.hex(),
            }
            for authority in authorities.values()
        ],
    }
    write_bytes(path, json.dumps(mark, indent=2).encode() + b"\n")
