"""Secrets of staff in the database, sealed with a key that lies beside it as a file (`docs/kazashi.md`).

AES-256-GCM (NIST SP 800-38D). A sealed secret is text: `1.` and base64url of an identifier of the key (4 bytes), the
nonce (12 bytes), ciphertext and tag. The staff number is bound to it as additional data, so that it opens in no other
row.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kiosk_web.services.ports import Entropy

KEY_LENGTH = 32
_NONCE, _KEY_ID = 12, 4
_PREFIX = "1."
_PURPOSE = b"kiosk-staff-secret/1\0"


class SealBroken(Exception):
    """Sealed with another key, for another number, or changed. It says nothing of the secret."""


class SecretSeal:
    """`key` has 32 bytes."""

    def __init__(self, key: bytes, entropy: Entropy) -> None:
        self._cipher = AESGCM(key)
        self._key_id = hashlib.sha256(b"kiosk-database-key/1\0" + key).digest()[:_KEY_ID]
        self._entropy = entropy

    def seal(self, secret: str, number: str) -> str:
        """For the row of this staff number."""
        nonce = self._entropy(_NONCE)
        sealed = self._cipher.encrypt(nonce, secret.encode(), _PURPOSE + number.encode())
        return _PREFIX + base64.urlsafe_b64encode(self._key_id + nonce + sealed).decode("ascii")

    def open(self, sealed: str, number: str) -> str:
        """Raises `SealBroken`."""
        try:
            content = base64.b64decode(sealed.removeprefix(_PREFIX), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise SealBroken from None
        key_id, nonce, rest = content[:_KEY_ID], content[_KEY_ID : _KEY_ID + _NONCE], content[_KEY_ID + _NONCE :]
        if not sealed.startswith(_PREFIX) or key_id != self._key_id or len(nonce) != _NONCE:
            raise SealBroken
        try:
            return self._cipher.decrypt(nonce, rest, _PURPOSE + number.encode()).decode()
        except (InvalidTag, ValueError):
            raise SealBroken from None
