"""Distinguished names for matching: `canonicalise_name` gives names that RFC 5280 7.1 calls equal the same bytes.

A distribution point in a certificate and the one in a list may differ in string type, case and white space and still be
the same. The canonical form is for comparing and hashing only; it is never shown, stored with a person or logged.
"""

from __future__ import annotations

import functools
import unicodedata

from kiosk_web.pki.der import MalformedDer
from kiosk_web.pki.elements import OBJECT_IDENTIFIER, SEQUENCE, SET, read_element, read_elements
from kiosk_web.pki.fields import build_fields

MAX_NAME = 4 * 1024
"""Bytes of one name. A JPKI distribution point has about 200."""

_ENCODINGS = {
    0x0C: "utf-8",  # UTF8String
    0x12: "ascii",  # NumericString
    0x13: "ascii",  # PrintableString
    0x14: "latin-1",  # TeletexString, as everybody writes it
    0x16: "ascii",  # IA5String
    0x1A: "ascii",  # VisibleString
    0x1C: "utf-32-be",  # UniversalString
    0x1E: "utf-16-be",  # BMPString
}

_DIRECTORY_NAME = b"\x30"
"""First octet of every canonical name, so that none is equal to another kind of name (`distribution_points.py`)."""


@functools.lru_cache(maxsize=4096)
def canonicalise_name(der: bytes) -> bytes:
    """The bytes of a DER Name, made equal for equal names: string types forgotten, case folded, white space collapsed.

    The order of the parts counts; within a part of several attributes it does not. Values that are no strings are
    compared as they are. Raises `MalformedDer`. Pure, and remembered for the few names a CA uses.
    """
    if len(der) > MAX_NAME:
        raise MalformedDer("name is too long")
    whole = read_element(der, 0, len(der), SEQUENCE)
    if whole.end != len(der):
        raise MalformedDer("bytes follow the name")
    parts = []
    for part in read_elements(der, whole.content, whole.end):
        if part.tag != SET:
            raise MalformedDer("name is not a sequence of sets")
        parts.append(_canonicalise_part(der[part.content : part.end]))
    return _DIRECTORY_NAME + build_fields(*parts)


def match_names(one: bytes, other: bytes) -> bool:
    """Do two DER Names mean the same? Almost always they are the same bytes. A name too long to compare is no other."""
    try:
        return one == other or canonicalise_name(one) == canonicalise_name(other)
    except MalformedDer:
        return False


def canonicalise_relative_name(issuer: bytes, attributes: bytes) -> bytes:
    """The canonical name that lies one part below `issuer` (a DER Name): nameRelativeToCRLIssuer made whole.

    `attributes` is the content of that part. Raises `MalformedDer`.
    """
    return canonicalise_name(issuer) + build_fields(_canonicalise_part(attributes))


@functools.lru_cache(maxsize=4096)
def _canonicalise_part(data: bytes) -> bytes:
    """One RelativeDistinguishedName, from its content: its attributes as (type, value), sorted.

    Remembered: the names of all municipalities have the same parts but for one or two.
    """
    attributes = []
    for attribute in read_elements(data, 0, len(data)):
        kind = read_element(data, attribute.content, attribute.end, OBJECT_IDENTIFIER)
        value = read_element(data, kind.end, attribute.end)
        if attribute.tag != SEQUENCE or value.end != attribute.end:
            raise MalformedDer("attribute is not one type and one value")
        attributes.append(
            build_fields(
                data[kind.content : kind.end],
                _canonicalise_value(value.tag, data[value.content : value.end], data[value.start : value.end]),
            )
        )
    if not attributes:
        raise MalformedDer("name has an empty part")
    return build_fields(*sorted(attributes))


def _canonicalise_value(tag: int, content: bytes, whole: bytes) -> bytes:
    """The prepared string (RFC 4518 2, in short: compatibility forms, case, white space), or the element as it is."""
    encoding = _ENCODINGS.get(tag)
    if encoding is None:
        return b"\x00" + whole
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise MalformedDer("attribute is not the string it says") from None
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return b"\x01" + " ".join(text.split()).encode()
