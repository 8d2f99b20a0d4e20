"""Which public keys a client of the API may have, in PEM and as JWK; another library makes the JWKs."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc.jwk import import_key

from kiosk_web.pki.client_keys import ClientKeyRefused, load_client_key, read_client_key
from tests.support.jpki import ec_key, rsa_key

KEYS = {"EdDSA": Ed25519PrivateKey.generate(), "ES256": ec_key("client", "secp256r1"), "PS256": rsa_key("client")}


def public_pem(key: object) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined,no-any-return]  # every private key has it


@pytest.mark.parametrize("algorithm", KEYS)
def test_each_kind_of_key_has_one_algorithm_in_pem_and_as_jwk(algorithm: str) -> None:
    pem = public_pem(KEYS[algorithm])
    kind = {"EdDSA": "OKP", "ES256": "EC", "PS256": "RSA"}[algorithm]
    jwk = import_key(pem, kind).as_dict(private=False)
    from_pem, from_jwk = read_client_key(pem), read_client_key(json.dumps(jwk | {"alg": "none", "use": "enc"}).encode())
    assert (from_pem.algorithm, from_pem.id) == (algorithm, from_jwk.id)
    assert load_client_key(from_pem.der) == from_pem or load_client_key(from_pem.der).id == from_pem.id


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 1024),
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP256K1()),
        ed448.Ed448PrivateKey.generate(),
    ],
    ids=["short RSA", "P-384", "secp256k1", "Ed448"],
)
def test_another_kind_of_key_is_refused(key: object) -> None:
    with pytest.raises(ClientKeyRefused, match="Ed25519, P-256, or RSA"):
        read_client_key(public_pem(key))


def test_a_private_key_is_refused_as_such() -> None:
    pem = KEYS["EdDSA"].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    jwk = import_key(pem, "OKP").as_dict(private=True)
    for given in (pem, json.dumps(jwk).encode(), b'{"kty": "oct", "k": "c2VjcmV0"}'):
        with pytest.raises(ClientKeyRefused, match="private key"):
            read_client_key(given)


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b"{",
        b"[]",
        b'{"kty": "OKP", "crv": "Ed25519"}',
        b'{"kty": "OKP", "crv": "Ed25519", "x": 7}',
        b'{"kty": "OKP", "crv": "Ed25519", "x": "AA"}',
        b'{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}',
        b'{"kty": "RSA", "e": "AQAB"}',
        b'{"kty": "what"}',
        b"{" * 16_000,
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        b" " * 17_000,
    ],
)
def test_what_is_no_key_is_refused(given: bytes) -> None:
    with pytest.raises(ClientKeyRefused):
        read_client_key(given)
