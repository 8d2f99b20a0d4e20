"""The box of the PIN: what was opened leaves no second copy behind."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bridge.card.pin import Pin
from bridge.errors import PinMalformed
from bridge.evidence import build_pin_data, derive_hash
from bridge.pinbox import INFO, PADDED_BYTES, PinBox

WELCOME = b"what the terminal key signed"
IV = bytes(12)


def seal(page: X25519PrivateKey, bridge: X25519PrivateKey, pin: bytes) -> bytes:
    shared = page.exchange(bridge.public_key())
    key = HKDF(algorithm=SHA256(), length=32, salt=derive_hash(WELCOME), info=INFO).derive(shared)
    return AESGCM(key).encrypt(
        IV, pin.ljust(PADDED_BYTES, b"\0"), build_pin_data(challenge="challenge", card="card", seq=7)
    )


@pytest.mark.parametrize(("pin", "good"), [(b"1234", True), (b"12a4", False)])
def test_every_buffer_on_the_way_to_the_pin_is_overwritten(
    monkeypatch: pytest.MonkeyPatch, pin: bytes, good: bool
) -> None:
    handed: list[bytes | bytearray] = []
    build = Pin.from_ascii

    def keep(characters: bytes | bytearray) -> Pin:
        handed.append(characters)
        return build(characters)

    monkeypatch.setattr(Pin, "from_ascii", keep)
    page, bridge = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    box = PinBox(bridge, page.public_key().public_bytes_raw(), WELCOME)
    if good:
        opened = box.open_pin(IV, seal(page, bridge, pin), challenge="challenge", card="card", seq=7)
        assert opened.reveal() == pin
    else:
        with pytest.raises(PinMalformed):
            box.open_pin(IV, seal(page, bridge, pin), challenge="challenge", card="card", seq=7)
    assert [bytes(buffer) for buffer in handed] == [bytes(4)]
