"""The folder that a virtual reader watches: card profiles and `reader.json`, exactly as `docs/card-profile.md` says.

Every file is written to a temporary name and renamed, and only when its content differs. `counters.json` belongs to the
card: it is read here for display, and removed by `restore_counters`, so that the card makes it again from `card.json`.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from kiosk_web.simulator.faults import CardFault
from kiosk_web.simulator.lifetimes import era_digits
from kiosk_web.simulator.people import Person

_ATR = "3B888001000005E0B381A1007F"
_FOREIGN_ATR = "3B8F8001804F0CA000000306030001000000006A"
_PROFILE = re.compile(r"cards/([a-z0-9-]+)")
_VERSION = 1
Reader = Literal["terminal", "home"]
_READERS: dict[Reader, str] = {"terminal": "reader.json", "home": "reader-home.json"}


@dataclass(frozen=True, slots=True)
class Credential:
    """A key, its certificate and the CA certificate, as they lie on a card."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate
    authority: x509.Certificate


def build_card_description(person: Person, fault: CardFault | None, other: str | None) -> dict[str, object]:
    """Content of `card.json`. `other` is the profile that a swap fault brings. Pure."""
    switches = dict(fault.switches) if fault else {}
    if fault and fault.swap_command and other:
        switches["swap_on"] = {"command": fault.swap_command, "profile": other}
    if person.foreign:
        switches["foreign"] = True
    birth = era_digits(person.birth) if person.japanese else f"{person.birth:%y%m%d}"
    return {
        "version": _VERSION,
        "label": person.label,
        "atr": _FOREIGN_ATR if person.foreign else _ATR,
        "auth_pin": _secret(person.pin or "0000", 3, person.tries_left),
        "sign_pin": _secret(person.sign_pin, 5) if person.sign_pin else None,
        "text_pin": _secret(person.text_pin, 3),
        "code_b": _secret(f"{birth}{2036 + len(person.id)}{person.security_code}", 10),
        "birth_key": _secret(birth, 10),
        "exchange_ms": fault.exchange_ms if fault else 0,
        "sign_ms": fault.sign_ms if fault else 0,
        "switches": switches,
    }


def _secret(value: str, tries: int, left: int | None = None) -> dict[str, object]:
    return {"value": value, "tries": tries, "left": tries if left is None else left}


class CardFolder:
    """Writes below one folder. Not for two writers at once: the tray is the only one while it runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "cards").mkdir(parents=True, exist_ok=True)

    def write_description(self, person: Person, fault: CardFault | None, other: str | None) -> None:
        """`card.json` of one person, with the fault that holds now. It takes effect when the card is next put down."""
        self._write_json(self._profile(person.id) / "card.json", build_card_description(person, fault, other))

    def write_items(self, person: Person) -> None:
        """`text.json`: the basic 4 information of the text application."""
        items = {
            "version": _VERSION,
            "name": person.name,
            "address": person.address,
            "birth": f"{person.birth:%Y%m%d}",
            "sex": person.sex,
        }
        self._write_json(self._profile(person.id) / "text.json", items)

    def write_credentials(
        self,
        person: Person,
        authentication: Credential,
        signature: Credential | None,
        signature_authority: x509.Certificate,
    ) -> None:
        """Keys and certificates. The signature CA certificate is also on a card without a signature certificate."""
        profile = self._profile(person.id)
        self._write_credential(profile, "auth", authentication)
        _write(profile / "sign-ca.der", signature_authority.public_bytes(Encoding.DER))
        if signature is None:
            (profile / "sign-key.pem").unlink(missing_ok=True)
            (profile / "sign-cert.der").unlink(missing_ok=True)
        else:
            self._write_credential(profile, "sign", signature)

    def write_surface_key(self, person: Person, key: rsa.RSAPrivateKey) -> None:
        """The key of the surface application, new with each card body."""
        write_key(self._profile(person.id) / "surface-key.pem", key)

    def load_surface_key(self, person: Person) -> rsa.RSAPrivateKey:
        """Raises `OSError` or `ValueError`."""
        return load_key(self._profile(person.id) / "surface-key.pem")

    def write_surface_files(self, person: Person, record: bytes, certificate: bytes) -> None:
        """The age record and the certificate of its signer, as the surface application has them."""
        _write(self._profile(person.id) / "surface-record.bin", record)
        _write(self._profile(person.id) / "surface-issuer.bin", certificate)

    def is_complete(self, person: Person) -> bool:
        """Whether every key and certificate of the person's card is there."""
        names = ["auth-key.pem", "auth-cert.der", "auth-ca.der", "sign-ca.der", "surface-key.pem"]
        if person.sign_pin is not None:
            names += ["sign-key.pem", "sign-cert.der"]
        profile = self._folder / "cards" / person.id
        return all((profile / name).is_file() for name in names)

    def load_serial(self, person: str, stem: str) -> int | None:
        """Serial of `auth-cert.der` or `sign-cert.der` in a profile, None if it is missing or damaged."""
        try:
            data = (self._folder / "cards" / person / f"{stem}-cert.der").read_bytes()
            return x509.load_der_x509_certificate(data).serial_number
        except (OSError, ValueError):
            return None

    def load_tries_left(self, person: Person) -> int:
        """Tries left for the PIN: what the card wrote, else what it starts with."""
        try:
            counters = json.loads((self._profile(person.id) / "counters.json").read_bytes())
            return int(counters["auth_pin"])
        except (OSError, ValueError, KeyError, TypeError):
            return person.tries_left

    def restore_counters(self, person: Person) -> None:
        """Remove `counters.json`: the card starts again with the tries of `card.json`."""
        (self._profile(person.id) / "counters.json").unlink(missing_ok=True)

    def place(self, person: str, reader: Reader = "terminal") -> None:
        """Put a card on a reader. If the same one lies there already, it counts as lifted in between; on the other
        reader it lies no more.
        """
        for other in _READERS:
            if other != reader and self.load_placed(other) == person:
                self.lift(other)
        self._write_reader(f"cards/{person}", reader)

    def place_copy(self, name: str, person: str, other: str) -> None:
        """Put a counterfeit on the reader: all that can be read of `person`'s card, on a body with `other`'s keys."""
        source, keys, copy = (self._profile(one) for one in (person, other, name))
        for path in source.iterdir():
            if path.name != "counters.json" and not path.name.startswith("."):
                _write(copy / path.name, path.read_bytes())
        for key in ("auth-key.pem", "surface-key.pem"):
            _write(copy / key, (keys / key).read_bytes())
        (copy / "counters.json").unlink(missing_ok=True)
        self.place(name)

    def lift(self, reader: Reader = "terminal") -> None:
        """Take the card off a reader."""
        self._write_reader(None, reader)

    def load_placed(self, reader: Reader = "terminal") -> str | None:
        """Id of the person whose card lies on a reader."""
        profile = self._load_reader(reader)[1]
        match = _PROFILE.fullmatch(profile) if profile else None
        return match[1] if match else None

    def _profile(self, person: str) -> Path:
        profile = self._folder / "cards" / person
        profile.mkdir(exist_ok=True)
        return profile

    def _write_credential(self, profile: Path, stem: str, credential: Credential) -> None:
        write_key(profile / f"{stem}-key.pem", credential.key)
        _write(profile / f"{stem}-cert.der", credential.certificate.public_bytes(Encoding.DER))
        _write(profile / f"{stem}-ca.der", credential.authority.public_bytes(Encoding.DER))

    def _load_reader(self, reader: Reader) -> tuple[int, str | None]:
        try:
            content = json.loads((self._folder / _READERS[reader]).read_bytes())
            profile = content["profile"]
            return int(content["serial"]), profile if isinstance(profile, str) else None
        except (OSError, ValueError, KeyError, TypeError):
            return 0, None

    def _write_reader(self, profile: str | None, reader: Reader) -> None:
        content: dict[str, object] = {
            "version": _VERSION,
            "serial": self._load_reader(reader)[0] + 1,
            "profile": profile,
        }
        self._write_json(self._folder / _READERS[reader], content)

    @staticmethod
    def _write_json(path: Path, content: dict[str, object]) -> None:
        _write(path, json.dumps(content, ensure_ascii=False, indent=2).encode() + b"\n")


def write_key(path: Path, key: rsa.RSAPrivateKey) -> None:
    """A private key as PKCS #8 PEM, readable by the owner alone."""
    _write(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def load_key(path: Path) -> rsa.RSAPrivateKey:
    """A key that `write_key` wrote. Raises `OSError` or `ValueError`.

    The test of its primes is left out: it takes longer than the rest of a start, and the file is our own.
    """
    key = load_pem_private_key(path.read_bytes(), None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError(f"{path.name} is not an RSA key")
    return key


def write_bytes(path: Path, data: bytes) -> None:
    """A public file, written to a temporary name and renamed."""
    _write(path, data)


def _write(path: Path, data: bytes) -> None:
    try:
        if path.read_bytes() == data:
            return
    except OSError:
        pass  # missing or unreadable: written below
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    temporary.replace(path)
