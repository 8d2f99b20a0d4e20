"""Card profile folders for tests, as `docs/card-profile.md` says: fictional people, keys made once a run, a CA."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

CONTACTLESS_ATR = "3B888001000005E0B381A1007F"
OPENSC_ATR = "3BE000FF8131FE4514"
"""The one ATR that picks OpenSC's JPKI driver by itself (Debian 12)."""

PIN = "1234"
SIGN_PIN = "ABC123"
TEXT_PIN = "5678"
CODE_B = "55021720352285"
BIRTH_KEY = "550217"

_START = datetime(2026, 4, 1, tzinfo=UTC)
_END = datetime(2031, 4, 1, 14, 59, 59, tzinfo=UTC)
_FILLER = x509.ObjectIdentifier("1.2.392.200149.99.1")


@cache
def make_key(name: str) -> rsa.RSAPrivateKey:
    """The RSA-2048 key of that name; the same one all through a run."""
    return rsa.generate_private_key(65537, 2048)


@cache
def make_certificate(name: str, length: int = 1583) -> bytes:
    """DER of a certificate for the key `name` with exactly `length` bytes, signed by the key `authority`."""
    return _build_certificate(name, _find_filler(name, length))


@cache
def make_authority_certificate() -> bytes:
    return _build_certificate("authority", 0)


def _find_filler(name: str, length: int) -> int:
    filler = length - len(_build_certificate(name, 0))
    for _ in range(4):  # the lengths of what holds the filler grow a little with it
        filler -= len(_build_certificate(name, filler)) - length
    assert len(_build_certificate(name, filler)) == length
    return filler


def _build_certificate(name: str, filler: int) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Test {name}")]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")]))
        .public_key(make_key(name).public_key())
        .serial_number(0x1234)
        .not_valid_before(_START)
        .not_valid_after(_END)
    )
    if filler:
        builder = builder.add_extension(x509.UnrecognizedExtension(_FILLER, bytes(filler)), critical=False)
    return builder.sign(make_key("authority"), SHA256()).public_bytes(Encoding.DER)


def describe_card(**changes: Any) -> dict[str, Any]:
    """`card.json` of an ordinary card with the given keys changed."""
    return {
        "version": 1,
        "label": "JPKIAPICCTOKEN2",
        "atr": CONTACTLESS_ATR,
        "auth_pin": {"value": PIN, "tries": 3, "left": 3},
        "sign_pin": {"value": SIGN_PIN, "tries": 5, "left": 5},
        "text_pin": {"value": TEXT_PIN, "tries": 3, "left": 3},
        "code_b": {"value": CODE_B, "tries": 10, "left": 10},
        "birth_key": {"value": BIRTH_KEY, "tries": 10, "left": 10},
        "exchange_ms": 0,
        "sign_ms": 0,
        "switches": {},
    } | changes


def write_profile(
    root: Path,
    person: str = "taro",
    *,
    certificate_length: int = 1583,
    signature_certificate: bool = True,
    name: str = "見本\u3000花子",
    address: str = "東京都千代田区霞が関1丁目",
    birth: str = "19800217",
    **changes: Any,
) -> Path:
    """The folder `root/cards/person`; keyword arguments replace keys of `card.json`."""
    folder = root / "cards" / person
    folder.mkdir(parents=True, exist_ok=True)
    if not signature_certificate:
        changes.setdefault("sign_pin", None)
    write_json(folder / "card.json", describe_card(**changes))
    text = {"version": 1, "name": name, "address": address, "birth": birth, "sex": "2"}
    write_json(folder / "text.json", text)
    write_key(folder / "auth-key.pem", f"{person}-auth")
    (folder / "auth-cert.der").write_bytes(make_certificate(f"{person}-auth", certificate_length))
    (folder / "auth-ca.der").write_bytes(make_authority_certificate())
    (folder / "sign-ca.der").write_bytes(make_authority_certificate())
    write_key(folder / "surface-key.pem", "surface")
    if signature_certificate:
        write_key(folder / "sign-key.pem", f"{person}-sign")
        (folder / "sign-cert.der").write_bytes(make_certificate(f"{person}-sign", 1900))
    return folder


def press_keys(root: Path, serial: int, keys: str) -> None:
    """`keypad.json`: what is typed on the virtual reader, digits and the key that confirms them, or a word."""
    write_json(root / "keypad.json", {"version": 1, "serial": serial, "keys": keys})


def write_reader(root: Path, serial: int, profile: str | None) -> None:
    """`reader.json`: what lies on the virtual reader."""
    write_json(root / "reader.json", {"version": 1, "serial": serial, "profile": profile})


def write_key(path: Path, name: str) -> None:
    path.write_bytes(make_key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """In one piece, as the tray does."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    temporary.replace(path)
