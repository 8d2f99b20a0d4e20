"""A cooperating system that receives the basic 4 information, with its key, in tests."""

from __future__ import annotations

import json
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwe
from joserfc.jwk import ECKey, RSAKey

from kiosk_web.settings.services import DEMO_SYSTEMS, SystemSettings
from tests.support.jpki import ec_key, rsa_key

ALGORITHMS = ["RSA-OAEP-256", "ECDH-ES+A256KW", "A256GCM"]
KEYS: dict[str, Any] = {"rsa": rsa_key("receiver"), "ec": ec_key("receiver", "secp256r1")}


def dump_pem(kind: str) -> str:
    public = KEYS[kind].public_key()
    return str(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def dump_jwk(kind: str) -> str:
    key = RSAKey if kind == "rsa" else ECKey
    public = KEYS[kind].public_key()
    return json.dumps(key(public, public).as_dict(private=False))


def build_systems(kind: str = "ec", **changes: Any) -> tuple[SystemSettings, ...]:
    """The demo's, with a receiver for facility booking."""
    booking, *others = DEMO_SYSTEMS
    return (booking.model_copy(update={"receiver_key": dump_pem(kind), **changes}), *others)


def unseal(compact: str, kind: str = "ec") -> tuple[dict[str, Any], bytes]:
    """Header and statement, as a receiver with the private key reads them."""
    key = (RSAKey if kind == "rsa" else ECKey)(KEYS[kind], KEYS[kind])
    registry = jwe.JWERegistry(algorithms=ALGORITHMS, strict_check_header=False)
    opened = jwe.decrypt_compact(compact, key, registry=registry)
    assert opened.plaintext is not None
    return dict(opened.protected), opened.plaintext
