"""The boxes between page and bridge (`docs/wire.md` 5): X25519, HKDF-SHA256, AES-256-GCM. PURE.

In one the page sends the PIN, in the other the bridge the basic 4 information; each has its own key.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bridge.card.pin import Pin
from bridge.errors import PinUndecryptable
from bridge.evidence import build_items_data, build_pin_data, derive_hash

INFO = b"kiosk-pin/1"
ITEMS_INFO = b"kiosk-items/1"
PADDED_BYTES = 16


class PinBox:
    """The key that one page connection and this bridge share, and nobody else."""

    def __init__(self, bridge_key: X25519PrivateKey, page_key: bytes, welcome: bytes) -> None:
        """`welcome` are the bytes that the terminal key signed. Raises ValueError for a page key that gives no secret
        (RFC 7748, 6.1).
        """
        shared = bridge_key.exchange(X25519PublicKey.from_public_bytes(page_key))
        salt = derive_hash(welcome)
        self._cipher = AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=INFO).derive(shared))
        self._items = AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=ITEMS_INFO).derive(shared))

    def seal_items(self, items: bytes, *, challenge: str, counter: int) -> bytes:
        """For the page alone. The nonce is the counter, which no two messages of a terminal share."""
        return self._items.encrypt(
            counter.to_bytes(12, "big"), items, build_items_data(challenge=challenge, counter=counter)
        )

    def open_pin(self, iv: bytes, data: bytes, *, challenge: str, card: str, seq: int) -> Pin:
        """The PIN for this challenge, card and message. Raises `PinUndecryptable` or `PinMalformed`; neither costs a
        try.
        """
        padded, characters = bytearray(PADDED_BYTES), bytearray()
        try:
            if len(data) != PADDED_BYTES + 16:
                raise PinUndecryptable
            self._cipher.decrypt_into(iv, data, build_pin_data(challenge=challenge, card=card, seq=seq), padded)
            # from_ascii copies; a zero byte inside is refused there like any other character that no PIN has
            characters = padded.rstrip(b"\0")
            return Pin.from_ascii(characters)
        except InvalidTag:
            raise PinUndecryptable from None
        finally:
            padded[:] = bytes(PADDED_BYTES)
            characters[:] = bytes(len(characters))

    def __repr__(self) -> str:
        return "PinBox(…)"
