"""What the card signs: the bytes of the contract, and only the whole right signature."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from kiosk_web.pki.fields import build_fields
from kiosk_web.pki.signature import build_card_message, judge_pin_proof, judge_signature
from tests.support.jpki import build_root, ec_key, issue, rsa_key, trust

KEY = rsa_key("card")
MESSAGE = build_card_message(
    method="pin",
    purpose="identify",
    origin="http://127.0.0.1:8480",
    terminal="t",
    session="s",
    service="library",
    nonce=bytes(32),
    certificate_sha256=b"c" * 32,
)


def sign(message: bytes) -> bytes:
    return KEY.sign(message, padding.PKCS1v15(), hashes.SHA256())


def test_the_message_is_the_prefix_and_ten_fields() -> None:
    texts = (b"pin", b"identify", b"http://127.0.0.1:8480", b"t", b"s", b"library")
    fields = (*texts, bytes(32), b"c" * 32, b"", b"")
    expected = b"kiosk-card/1\0" + b"".join(len(field).to_bytes(2, "big") + field for field in fields)
    assert expected == MESSAGE


def test_fields_are_bounded_and_cannot_run_into_each_other() -> None:
    assert build_fields("ab", "c") != build_fields("a", "bc")
    assert build_fields("漢") == b"\0\x03\xe6\xbc\xa2"
    with pytest.raises(ValueError, match="65535"):
        build_fields(bytes(65536))


def test_the_cards_signature_over_the_digest_is_accepted() -> None:
    digest = hashlib.sha256(MESSAGE).digest()
    signature = KEY.sign(digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))
    assert judge_signature(KEY.public_key(), MESSAGE, signature)


def test_every_other_signature_is_refused() -> None:
    signature = sign(MESSAGE)
    key = KEY.public_key()
    assert not judge_signature(key, MESSAGE + b"\0", signature)
    assert not judge_signature(rsa_key("other card").public_key(), MESSAGE, signature)
    wrong = [b"", signature[:-1], signature + b"\0", b"\0" + signature, bytes(256), b"\xff" * 256]
    wrong.append(KEY.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA512()))
    wrong.append(KEY.sign(MESSAGE, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()))
    assert not any(judge_signature(key, MESSAGE, each) for each in wrong)


def test_a_forged_padding_with_the_digest_at_its_end_is_refused() -> None:
    """A verifier that looks for the digest in the block instead of comparing the whole of it falls for this."""
    info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(MESSAGE).digest()
    numbers = KEY.private_numbers()
    for block in (
        b"\x00\x01" + b"\xff" * 8 + b"\x00" + info + bytes(256 - 11 - len(info)),
        b"\x00\x01" + b"\x00" * (253 - len(info)) + b"\x00" + info,
        b"\x00\x02" + b"\xff" * (253 - len(info)) + b"\x00" + info,
    ):
        assert len(block) == 256
        forged = pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n).to_bytes(256, "big")
        assert not judge_signature(KEY.public_key(), MESSAGE, forged)


def test_the_next_card_signs_with_p384() -> None:
    key = ec_key("next card")
    assert judge_signature(key.public_key(), MESSAGE, key.sign(MESSAGE, ec.ECDSA(hashes.SHA384())))
    assert not judge_signature(key.public_key(), MESSAGE, key.sign(MESSAGE, ec.ECDSA(hashes.SHA256())))


def test_a_key_off_the_list_signs_nothing() -> None:
    weak, small = rsa_key("short", 1024), ec_key("small", "secp256r1")
    assert not judge_signature(weak.public_key(), MESSAGE, weak.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256()))
    assert not judge_signature(small.public_key(), MESSAGE, small.sign(MESSAGE, ec.ECDSA(hashes.SHA256())))
    assert not judge_signature(None, MESSAGE, sign(MESSAGE))


def test_a_proof_belongs_to_one_certificate() -> None:
    certificate = trust(issue(build_root()), build_root())
    assert judge_pin_proof(certificate, MESSAGE, sign(MESSAGE)).verified
    assert judge_pin_proof(certificate, MESSAGE, sign(MESSAGE)).certificate_sha256 == certificate.sha256
    assert not judge_pin_proof(certificate, b"other", sign(MESSAGE)).verified
