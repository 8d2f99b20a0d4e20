"""The extensions of a certificate (RFC 5280 4.2), read strictly from the bytes: those that a judge looks at.

`read_extensions` finds them; one reader for each kind takes its value (the content of extnValue) apart. All raise
`MalformedDer`. What is here is read as strictly as `cryptography` reads it, at a small part of its time; the kinds that
are not here are left to it (`certificates.py`).

All certificates of one municipality have most of these in common, byte for byte (`SHARED_EXTENSIONS`), so that they are
read once for all of them (`certificates.py`). What belongs to one person is not remembered anywhere: identifier of the
key, names of the holder, and whatever is not known here.
"""

from __future__ import annotations

from typing import NamedTuple

from kiosk_web.pki.der import (
    BIT_STRING,
    BOOLEAN,
    INTEGER,
    NULL,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    MalformedDer,
    check_unsigned,
    name_object_identifier,
    read_true,
    read_value,
    read_whole,
)
from kiosk_web.pki.general_names import URI, check_general_name, check_general_names

SUBJECT_KEY_IDENTIFIER = b"\x55\x1d\x0e"
KEY_USAGE = b"\x55\x1d\x0f"
SUBJECT_ALTERNATIVE_NAME = b"\x55\x1d\x11"
ISSUER_ALTERNATIVE_NAME = b"\x55\x1d\x12"
BASIC_CONSTRAINTS = b"\x55\x1d\x13"
CRL_DISTRIBUTION_POINTS = b"\x55\x1d\x1f"
CERTIFICATE_POLICIES = b"\x55\x1d\x20"
AUTHORITY_KEY_IDENTIFIER = b"\x55\x1d\x23"
EXTENDED_KEY_USAGE = b"\x55\x1d\x25"
AUTHORITY_INFORMATION_ACCESS = b"\x2b\x06\x01\x05\x05\x07\x01\x01"
OCSP_NO_CHECK = b"\x2b\x06\x01\x05\x05\x07\x30\x01\x05"

KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)
"""The bits of keyUsage by the names of RFC 5280 4.2.1.3 (content_commitment is nonRepudiation). The two that follow
only narrow key_agreement.
"""

_USAGES_BY_OCTET = tuple(
    frozenset(name for bit, name in enumerate(KEY_USAGES) if octet & 0x80 >> bit) for octet in range(256)
)
_ENCIPHER_ONLY, _DECIPHER_ONLY = 0x01, 0x80
_CPS = b"\x2b\x06\x01\x05\x05\x07\x02\x01"
_OCSP = b"\x2b\x06\x01\x05\x05\x07\x30\x01"
_IA5_STRING = 0x16
_KEY_ID, _AUTHORITY_ISSUER, _AUTHORITY_SERIAL = 0x80, 0xA1, 0x82

SHARED_EXTENSIONS = frozenset(
    {
        AUTHORITY_INFORMATION_ACCESS,
        AUTHORITY_KEY_IDENTIFIER,
        BASIC_CONSTRAINTS,
        CERTIFICATE_POLICIES,
        CRL_DISTRIBUTION_POINTS,
        EXTENDED_KEY_USAGE,
        ISSUER_ALTERNATIVE_NAME,
        KEY_USAGE,
        OCSP_NO_CHECK,
    }
)
"""Those that say something of the issuer and of the kind of certificate, and nothing of the holder."""


class Extension(NamedTuple):
    """One extension: is it critical, and its value in DER."""

    critical: bool
    value: bytes


def split_extensions(data: bytes, start: int, limit: int) -> tuple[bytes, dict[bytes, Extension]]:
    """The extensions between `start` and `limit`: the octets of the shared ones, unread (`read_extensions`), and the
    others by the octets of their identifier; none of these may come twice.
    """
    shared: list[bytes] = []
    others: dict[bytes, Extension] = {}
    while start < limit:
        begin = start
        likely = begin + 4 <= limit and data[begin] == SEQUENCE and data[begin + 2] == OBJECT_IDENTIFIER
        if likely and data[begin + 1] < 0x80:
            # The two lengths where they always are: calls would take most of the time of this loop.
            start, content = begin + 2 + data[begin + 1], begin + 4
            position = content + data[begin + 3]
            if position > start or start > limit:
                raise MalformedDer("value is cut off")
        else:
            position, start = read_value(data, begin, limit, SEQUENCE)
            content, position = read_value(data, position, start, OBJECT_IDENTIFIER)
        identifier = data[content:position]
        if identifier in SHARED_EXTENSIONS:
            shared.append(data[begin:start])
        elif identifier in others:
            raise MalformedDer("an extension comes twice")
        else:
            others[identifier] = _read_extension(data, position, start)
    return b"".join(shared), others


def read_extensions(data: bytes) -> dict[bytes, Extension]:
    """The extensions that `data` consists of, by the octets of their identifier; none may come twice."""
    start, limit = 0, len(data)
    found: dict[bytes, Extension] = {}
    while start < limit:
        position, start = read_value(data, start, limit, SEQUENCE)
        content, position = read_value(data, position, start, OBJECT_IDENTIFIER)
        identifier = data[content:position]
        if identifier in found:
            raise MalformedDer("an extension comes twice")
        found[identifier] = _read_extension(data, position, start)
    return found


def _read_extension(data: bytes, position: int, limit: int) -> Extension:
    """What follows the identifier."""
    critical = position < limit and data[position] == BOOLEAN
    if critical:
        position = read_true(data, position, limit)
    content = read_whole(data, position, limit, OCTET_STRING)
    return Extension(critical, data[content:limit])


def read_basic_constraints(value: bytes) -> bool:
    """basicConstraints (4.2.1.9): is it a CA? Only one of a CA may carry the length of a path."""
    limit = len(value)
    position = read_whole(value, 0, limit, SEQUENCE)
    if position == limit:
        return False
    position = read_true(value, position, limit)
    if position != limit:
        check_unsigned(value, read_whole(value, position, limit, INTEGER), limit)
    return True


def read_key_usage(value: bytes) -> frozenset[str]:
    """keyUsage (4.2.1.3) by the names of `KEY_USAGES`."""
    start = read_whole(value, 0, len(value), BIT_STRING)
    unused, bits = value[start : start + 1], value[start + 1 :]
    if not unused or len(bits) > 2 or unused[0] > (7 if bits else 0) or (bits and bits[-1] & (1 << unused[0]) - 1):
        raise MalformedDer("keyUsage is no list of bits")
    first, second = bits.ljust(2, b"\0")
    usages = _USAGES_BY_OCTET[first]
    if (first & _ENCIPHER_ONLY or second & _DECIPHER_ONLY) and "key_agreement" not in usages:
        raise MalformedDer("keyUsage narrows what it does not have")
    return usages


def read_extended_key_usage(value: bytes) -> frozenset[str]:
    """extendedKeyUsage (4.2.1.12): the identifiers in dotted form, at least one."""
    limit = len(value)
    position = read_whole(value, 0, limit, SEQUENCE)
    usages: set[str] = set()
    while position < limit or not usages:
        content, position = read_value(value, position, limit, OBJECT_IDENTIFIER)
        usages.add(name_object_identifier(value[content:position]))
    return frozenset(usages)


class Policies(NamedTuple):
    """certificatePolicies: the identifiers in dotted form. `plain`: no qualifier but addresses of statements (CPS)."""

    identifiers: tuple[str, ...] = ()
    plain: bool = True


def read_certificate_policies(value: bytes) -> Policies:
    """certificatePolicies (4.2.1.4), at least one. A qualifier that is no address of a statement is not looked into."""
    limit = len(value)
    position = read_whole(value, 0, limit, SEQUENCE)
    identifiers: list[str] = []
    plain = True
    while position < limit or not identifiers:
        content, position = read_value(value, position, limit, SEQUENCE)
        content, end = read_value(value, content, position, OBJECT_IDENTIFIER)
        identifiers.append(name_object_identifier(value[content:end]))
        if end != position:
            plain &= _read_qualifiers(value, end, position)
    return Policies(tuple(identifiers), plain)


def _read_qualifiers(value: bytes, start: int, limit: int) -> bool:
    """Are all of them addresses of statements? One that says so must be."""
    position = read_whole(value, start, limit, SEQUENCE)
    plain = True
    while position < limit:
        content, position = read_value(value, position, limit, SEQUENCE)
        content, end = read_value(value, content, position, OBJECT_IDENTIFIER)
        if value[content:end] != _CPS:
            plain = False
        elif not value[read_whole(value, end, position, _IA5_STRING) : position].isascii():
            raise MalformedDer("address of a statement is not ASCII")
    return plain


def read_authority_key_identifier(value: bytes) -> bytes | None:
    """authorityKeyIdentifier (4.2.1.1): its key identifier. Issuer and serial come together or not at all."""
    limit = len(value)
    position = read_whole(value, 0, limit, SEQUENCE)
    key_id: bytes | None = None
    if position < limit and value[position] == _KEY_ID:
        content, position = read_value(value, position, limit, _KEY_ID)
        key_id = value[content:position]
    if position < limit:
        content, position = read_value(value, position, limit, _AUTHORITY_ISSUER)
        check_general_names(value, content, position)
        content = read_whole(value, position, limit, _AUTHORITY_SERIAL)
        check_unsigned(value, content, limit)
        if value[content:] == b"\0":
            raise MalformedDer("serial number is zero")
    return key_id


def read_subject_key_identifier(value: bytes) -> bytes:
    """subjectKeyIdentifier (4.2.1.2)."""
    return value[read_whole(value, 0, len(value), OCTET_STRING) :]


def read_ocsp_addresses(value: bytes) -> tuple[str, ...]:
    """authorityInfoAccess (4.2.2.1): the addresses of OCSP responders, in their order."""
    limit = len(value)
    position = read_whole(value, 0, limit, SEQUENCE)
    addresses: list[str] = []
    while position < limit:
        content, position = read_value(value, position, limit, SEQUENCE)
        content, end = read_value(value, content, position, OBJECT_IDENTIFIER)
        if check_general_name(value, end, position) != position:
            raise MalformedDer("bytes follow a place of access")
        if value[content:end] != _OCSP:
            name_object_identifier(value[content:end])
        elif value[end] == URI:
            content, _ = read_value(value, end, position, URI)
            addresses.append(value[content:position].decode("ascii"))
    return tuple(addresses)


def check_alternative_name(value: bytes) -> None:
    """subjectAltName or issuerAltName (4.2.1.6 and 7), of which nothing is judged."""
    check_general_names(value, read_whole(value, 0, len(value), SEQUENCE), len(value))


def check_ocsp_no_check(value: bytes) -> None:
    """id-pkix-ocsp-nocheck (RFC 6960 4.2.2.2.1) is a NULL."""
    if value != bytes([NULL, 0]):
        raise MalformedDer("nocheck has a value")
