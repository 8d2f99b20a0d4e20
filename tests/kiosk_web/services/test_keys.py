"""Ticket keys: vouched for by the identity key, followed by a successor that bridges have known before."""

from __future__ import annotations

import itertools
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk_web.pki.terminal import judge_ed25519
from kiosk_web.services.keys import KeyRing, build_ticket_key, derive_rotation
from tests.support.jpki import NOW
from tests.support.terminal import decode, read_claims

NUMBERS = itertools.count(1)


def entropy(length: int) -> bytes:
    return next(NUMBERS).to_bytes(length, "big")


def test_a_statement_is_signed_by_the_identity_key_and_says_exactly_what_the_wire_says() -> None:
    identity = Ed25519PrivateKey.from_private_bytes(entropy(32))
    ring = KeyRing(identity, *derive_rotation((), NOW, entropy))
    for statement, key in zip(ring.statements, (ring.current, ring.following), strict=True):
        signed, _, signature = statement.rpartition(".")
        assert judge_ed25519(ring.identity_public, signed.encode(), decode(signature))
        claims = read_claims(statement)
        assert claims.keys() == {"iss", "kid", "x", "nbf", "exp"}
        assert (claims["iss"], claims["kid"], decode(claims["x"])) == ("kiosk", key.kid, key.public)
        header = read_claims("." + statement.split(".")[0])
        assert header.keys() == {"alg", "typ", "kid"}
        assert (header["alg"], header["typ"]) == ("EdDSA", "kiosk-key+jwt")


def test_the_key_that_takes_over_is_the_one_that_was_announced() -> None:
    keys = derive_rotation((), NOW, entropy)
    now = NOW
    for _ in range(60):
        now += timedelta(hours=13)
        following = derive_rotation(keys, now, entropy)
        assert following[0] in keys
        assert following[0].not_before <= now < following[0].expires_at
        assert following[1].expires_at > following[0].expires_at
        keys = following


def test_after_a_long_time_off_both_keys_are_new() -> None:
    keys = derive_rotation((), NOW, entropy)
    later = derive_rotation(keys, NOW + timedelta(days=400), entropy)
    assert not {key.kid for key in keys} & {key.kid for key in later}


def test_a_key_shows_nothing_of_itself() -> None:
    key = build_ticket_key(bytes(range(32)), NOW)
    assert "0x" in repr(key)
    assert key.private.private_bytes_raw().hex() not in repr(key)
