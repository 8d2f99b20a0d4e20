"""The keys that certify card issuers, from files named by their identifier: `<32 hexadecimal digits>.pem`.

J-LIS does not publish them in a form that a program could check, so an operator names the SHA-256 of each that was
confirmed; production takes no other, and never one of a simulator.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from kiosk_web.adapters.anchor_files import AnchorFileRefused, read_fingerprints
from kiosk_web.pki.algorithms import judge_key
from kiosk_web.pki.card_issuer import CardIssuers

_NAME = re.compile(r"[0-9a-f]{32}")
_VIRTUAL = b"0"
"""The first digit of an identifier that the simulator made; real ones begin with 5, those of test cards with 6."""


def load_card_issuers(
    folder: Path | None, *, production: bool, confirmed_fingerprints: Iterable[str] = ()
) -> CardIssuers:
    """Every key of the folder; none without one. Raises `AnchorFileRefused`; none is skipped."""
    if folder is None:
        return {}
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".pem")
        keys = {_read_name(path): _read_key(path) for path in paths}
    except OSError as error:
        raise AnchorFileRefused(f"{folder}: {error.strerror or 'cannot be read'}") from None
    if production:
        confirmed = read_fingerprints(confirmed_fingerprints)
        for key_id, key in keys.items():
            if not key_id.startswith(b"5"):
                raise AnchorFileRefused(f"{key_id.hex()}: the key of a test card or of a simulator")
            if derive_key_fingerprint(key) not in confirmed:
                raise AnchorFileRefused(f"{key_id.hex()}: not among kazashi.confirmed_fingerprints")
    return keys


def derive_key_fingerprint(key: RSAPublicKey) -> bytes:
    """SHA-256 of the subjectPublicKeyInfo."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()


def is_virtual(key_id: bytes) -> bool:
    """Is it an identifier of the simulator?"""
    return key_id.startswith(_VIRTUAL)


def _read_name(path: Path) -> bytes:
    if _NAME.fullmatch(path.stem) is None:
        raise AnchorFileRefused(f"{path.name}: the file is named by the key's identifier, 32 hexadecimal digits")
    return bytes.fromhex(path.stem)


def _read_key(path: Path) -> RSAPublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except ValueError:
        raise AnchorFileRefused(f"{path.name}: not a public key") from None
    if not judge_key(key) or not isinstance(key, RSAPublicKey):
        raise AnchorFileRefused(f"{path.name}: not an RSA key that is accepted")
    return key
