"""The issuer of the card body: its card-verifiable certificate, and the age record that names the card's own key. PURE.

Surface application EF 0004 (certificate) and EF 0001 (age record), read off by one independent program that was run on
cards (`docs/card.md` 4): the certificate's signature covers the value of 5F4E, the record's every object before DF13,
both PKCS #1 v1.5 with SHA-256. The record holds a birth date, which the signature covers: it is judged and forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from kiosk_web.pki.algorithms import judge_key, judge_key_signature

KEY_ID_LENGTH: Final = 16
_CERTIFICATE, _BODY, _CERTIFICATE_SIGNATURE = 0x7F21, 0x5F4E, 0x5F37
_RECORD, _BIRTH, _KEY, _RECORD_SIGNATURE = 0xFF10, 0xDF11, 0xDF12, 0xDF13
_EXPONENT, _MODULUS = 0x90, 0x91
_BIRTH_LENGTH: Final = 8

CardIssuers = Mapping[bytes, RSAPublicKey]
"""The keys that certify card issuers, by their 16-byte identifier. Empty: no card is believed."""


class CardRecordMalformed(ValueError):
    """Not the certificate or the record that the sheet describes. The message quotes nothing."""


@dataclass(frozen=True, slots=True)
class IssuerCertificate:
    """EF 0004, unjudged: who signed it (16 bytes), whose key it certifies, and what is signed."""

    issuer_key_id: bytes
    subject_key_id: bytes
    public_key: RSAPublicKey
    signed: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, repr=False)
class AgeRecord:
    """EF 0001, unjudged. `signed` has the birth date in it: it is never stored or logged."""

    public_key: RSAPublicKey
    signed: bytes
    signature: bytes


def parse_issuer_certificate(data: bytes) -> IssuerCertificate:
    """Raises `CardRecordMalformed`."""
    outer = _take_only(data, _CERTIFICATE)
    body, rest = _take(outer, _BODY)
    signature = _take_only(rest, _CERTIFICATE_SIGNATURE)
    key = _parse_key(body[2 * KEY_ID_LENGTH :])
    return IssuerCertificate(body[:KEY_ID_LENGTH], body[KEY_ID_LENGTH : 2 * KEY_ID_LENGTH], key, body, signature)


def parse_age_record(data: bytes) -> AgeRecord:
    """Raises `CardRecordMalformed`."""
    outer = _take_only(data, _RECORD)
    birth, rest = _take(outer, _BIRTH)
    key, rest = _take(rest, _KEY)
    if len(birth) != _BIRTH_LENGTH or not birth.isdigit():
        raise CardRecordMalformed("no birth date")
    signed = outer[: len(outer) - len(rest)]
    return AgeRecord(_parse_key(key), signed, _take_only(rest, _RECORD_SIGNATURE))


def judge_surface_key(record: bytes, certificate: bytes, issuers: CardIssuers) -> RSAPublicKey | None:
    """The card's own key, if an issuer certified by one of `issuers` vouches for it; None for anything else."""
    try:
        issuer, age = parse_issuer_certificate(certificate), parse_age_record(record)
    except CardRecordMalformed:
        return None
    authority = issuers.get(issuer.issuer_key_id)
    if authority is None or not judge_key(authority):
        return None
    certified = judge_key(issuer.public_key) and judge_key_signature(authority, issuer.signature, issuer.signed)
    if not certified or not judge_key_signature(issuer.public_key, age.signature, age.signed):
        return None
    return age.public_key if judge_key(age.public_key) else None


def _parse_key(data: bytes) -> RSAPublicKey:
    exponent, rest = _take(data, _EXPONENT)
    modulus = _take_only(rest, _MODULUS)
    try:
        return RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big")).public_key()
    except ValueError:
        raise CardRecordMalformed("no RSA key") from None


def _take_only(data: bytes, tag: int) -> bytes:
    value, rest = _take(data, tag)
    if rest:
        raise CardRecordMalformed("something follows")
    return value


def _take(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """The value of the data object that `data` begins with, which must have this tag, and what follows."""
    name = tag.to_bytes(2 if tag > 0xFF else 1, "big")
    if not data.startswith(name) or len(data) == len(name):
        raise CardRecordMalformed("another tag")
    position = len(name) + 1
    length = data[position - 1]
    if length >= 0x80:
        count = length & 0x7F
        if count not in (1, 2) or position + count > len(data):
            raise CardRecordMalformed("malformed length")
        length = int.from_bytes(data[position : position + count], "big")
        position += count
    if position + length > len(data):
        raise CardRecordMalformed("cut off")
    return data[position : position + length], data[position + length :]
