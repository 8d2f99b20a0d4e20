"""Which keys the basic 4 information is sealed to."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from kiosk_web.pki.receiver_key import ReceiverKeyRefused, read_receiver_key
from tests.support.jpki import ec_key
from tests.support.receiver import KEYS, dump_jwk, dump_pem


@pytest.mark.parametrize(("kind", "management"), [("rsa", "RSA-OAEP-256"), ("ec", "ECDH-ES+A256KW")])
def test_pem_and_jwk_are_the_same_key_with_one_way_of_sealing(kind: str, management: str) -> None:
    pem, jwk = read_receiver_key(dump_pem(kind)), read_receiver_key(dump_jwk(kind))
    assert (pem.id, pem.management) == (jwk.id, jwk.management)
    assert pem.management == management


def test_private_and_unfit_keys_are_refused_by_name() -> None:
    private = KEYS["ec"].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(ReceiverKeyRefused, match="private key"):
        read_receiver_key(private)
    signing = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(ReceiverKeyRefused, match="cannot be sealed to"):
        read_receiver_key(signing.decode())
    other = ec_key("receiver", "secp384r1").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for text in (other.decode(), "nothing", json.dumps({"kty": "oct", "k": "AAAA"})):
        with pytest.raises(ReceiverKeyRefused):
            read_receiver_key(text)
