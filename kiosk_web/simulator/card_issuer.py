"""The virtual issuer of card bodies: certifies nothing but virtual cards, with keys that production refuses.

card-issuers/<key id>.pem              the public key of the authority, for a demo kiosk's `kazashi.card_issuers`
simulator-state/keys/card-issuer*.pem  its private key and that of the issuer under it (mode 0600)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kiosk_web.simulator.cards import load_key, write_bytes, write_key
from kiosk_web.simulator.hierarchy import KeySupply, StateDamaged

FOLDER = "card-issuers"
# The form of a real identifier: seven digits, 08 05, three digits, four bytes (card.md 1.3). The real ones begin with 5
# and those of test cards with 6; one that begins with 0 is virtual.
AUTHORITY_KEY_ID = b"0000023\x08\x05001\0\0\0\0"
ISSUER_KEY_ID = b"0129019\x08\x05001\0\0\0\0"


@dataclass(frozen=True, slots=True)
class CardIssuer:
    """The key of the authority and the key of the issuer of all virtual cards."""

    authority: rsa.RSAPrivateKey
    issuer: rsa.RSAPrivateKey

    def build_certificate(self) -> bytes:
        """EF 0004 of the surface application: 568 bytes, the same on every card."""
        body = AUTHORITY_KEY_ID + ISSUER_KEY_ID + _build_key(self.issuer.public_key())
        signature = self.authority.sign(body, PKCS1v15(), SHA256())
        return _build_object(0x7F21, _build_object(0x5F4E, body) + _build_object(0x5F37, signature))

    def build_age_record(self, birth: date, key: rsa.RSAPublicKey) -> bytes:
        """EF 0001 of the surface application: 547 bytes."""
        signed = _build_object(0xDF11, f"{birth:%Y%m%d}".encode()) + _build_object(0xDF12, _build_key(key))
        signature = self.issuer.sign(signed, PKCS1v15(), SHA256())
        return _build_object(0xFF10, signed + _build_object(0xDF13, signature))


def load_card_issuer(folder: Path, keys: KeySupply) -> CardIssuer:
    """Load both keys, or make what is missing. Raises `StateDamaged` for files that cannot be read."""
    secrets_folder = folder / "simulator-state" / "keys"
    (folder / FOLDER).mkdir(exist_ok=True)
    issuer = CardIssuer(*(_load_or_make(secrets_folder / f"{name}.key.pem", keys) for name in ("card-ca", "card")))
    public = issuer.authority.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    write_bytes(folder / FOLDER / f"{AUTHORITY_KEY_ID.hex()}.pem", public)
    return issuer


def _load_or_make(path: Path, keys: KeySupply) -> rsa.RSAPrivateKey:
    if not path.exists():
        key = keys.take()
        write_key(path, key)
        return key
    try:
        return load_key(path)
    except (OSError, ValueError) as error:
        raise StateDamaged(f"{path.name} cannot be read: remove the simulator folder") from error


def _build_key(key: rsa.RSAPublicKey) -> bytes:
    numbers = key.public_numbers()
    return _build_object(0x90, numbers.e.to_bytes(3, "big")) + _build_object(0x91, numbers.n.to_bytes(256, "big"))


def _build_object(tag: int, value: bytes) -> bytes:
    length = bytes((len(value),)) if len(value) < 0x80 else b"\x82" + len(value).to_bytes(2, "big")
    return tag.to_bytes(2 if tag > 0xFF else 1, "big") + length + value
