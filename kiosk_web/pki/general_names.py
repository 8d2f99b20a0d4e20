"""Names in certificates (RFC 5280 4.1.2.4 and 4.2.1.6), read over strictly: nothing is taken from them here.

Whoever compares names compares their bytes, or their canonical form.
"""

from __future__ import annotations

from kiosk_web.pki.der import (
    OBJECT_IDENTIFIER,
    SEQUENCE,
    SET,
    MalformedDer,
    name_object_identifier,
    read_any,
    read_value,
    read_whole,
)

OTHER_NAME = 0xA0
RFC822_NAME = 0x81
DNS_NAME = 0x82
DIRECTORY_NAME = 0xA4
URI = 0x86
IP_ADDRESS = 0x87
REGISTERED_ID = 0x88

_EXPLICIT_0 = 0xA0
_ADDRESS_SIZES = (4, 16)

UTF8_STRING = 0x0C
PRINTABLE_STRING = 0x13
_ENCODINGS = {
    UTF8_STRING: "utf-8",
    PRINTABLE_STRING: "ascii",
    0x12: "ascii",  # NumericString
    0x14: "utf-8",  # TeletexString, as it is used
    0x16: "ascii",  # IA5String
    0x1A: "ascii",  # VisibleString
    0x1C: "utf-32-be",  # UniversalString
    0x1E: "utf-16-be",  # BMPString
}
_PRINTABLE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?"
_USUAL_ATTRIBUTES = frozenset(bytes((0x55, 0x04, number)) for number in (3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 42))
"""X.520: identifiers that are known to be well-formed."""
_USUAL_TYPES = frozenset(bytes((OBJECT_IDENTIFIER, len(kind))) + kind for kind in _USUAL_ATTRIBUTES)


def check_name(name: bytes) -> None:
    """A whole Name, whose every value must be text of the kind it says. Raises `MalformedDer`."""
    end = len(name)
    position = read_whole(name, 0, end, SEQUENCE)
    while position < end:
        content = position + 11
        if content <= end and name[position] == SET and name[position + 4 : position + 9] in _USUAL_TYPES:
            # One attribute of a usual type, its four lengths short and in agreement: calls would take most of the time.
            length = name[position + 1]
            limit = position + 2 + length
            lengths = name[position + 3] == length - 2 and name[position + 10] == length - 9
            if length < 0x80 and lengths and limit <= end and name[position + 2] == SEQUENCE:
                _check_value(name[position + 9], name[content:limit])
                position = limit
                continue
        content, position = read_value(name, position, end, SET)
        check_relative_name(name, content, position)


def check_relative_name(data: bytes, start: int, limit: int) -> None:
    """The attributes of one RelativeDistinguishedName, `start` and `limit` being the span of its SET: at least one, of
    different types, in the order of DER (X.690 11.6).
    """
    types: list[bytes] = []
    previous = b""
    position = start
    while position < limit or not types:
        attribute = position
        content, position = read_value(data, attribute, limit, SEQUENCE)
        content, end = read_value(data, content, position, OBJECT_IDENTIFIER)
        kind = data[content:end]
        if kind not in _USUAL_ATTRIBUTES:
            name_object_identifier(kind)
        _check_text(data, end, position)
        if types and (kind in types or data[attribute:position] <= previous):
            raise MalformedDer("attributes of a name are not in order")
        types.append(kind)
        previous = data[attribute:position]


def check_general_names(data: bytes, start: int, limit: int) -> None:
    """The GeneralNames between `start` and `limit`: at least one, of a kind that is in use."""
    position = check_general_name(data, start, limit)
    while position < limit:
        position = check_general_name(data, position, limit)


def check_general_name(data: bytes, start: int, limit: int) -> int:
    """Read over one GeneralName: its end."""
    tag, content, end = read_any(data, start, limit)
    match tag:
        case 0xA4:  # directoryName
            check_name(data[content:end])
        case 0x81 | 0x82 | 0x86:  # rfc822Name, dNSName, uniformResourceIdentifier
            if not data[content:end].isascii():
                raise MalformedDer("name is not ASCII")
        case 0x87:  # iPAddress
            if end - content not in _ADDRESS_SIZES:
                raise MalformedDer("address has another size")
        case 0x88:  # registeredID
            name_object_identifier(data[content:end])
        case 0xA0:  # otherName
            content, position = read_value(data, content, end, OBJECT_IDENTIFIER)
            name_object_identifier(data[content:position])
            content = read_whole(data, position, end, _EXPLICIT_0)
            if read_any(data, content, end)[2] != end:
                raise MalformedDer("bytes follow a value")
        case _:
            raise MalformedDer("name is of a kind that nobody uses")
    return end


def _check_text(data: bytes, start: int, limit: int) -> None:
    tag, content, end = read_any(data, start, limit)
    if end != limit:
        raise MalformedDer("bytes follow a value")
    _check_value(tag, data[content:end])


def _check_value(tag: int, value: bytes) -> None:
    encoding = _ENCODINGS.get(tag)
    if encoding is None:
        raise MalformedDer("value in a name is no text")
    try:
        value.decode(encoding)
    except UnicodeDecodeError:
        raise MalformedDer("value in a name is not text of its kind") from None
    if tag == PRINTABLE_STRING and value.translate(None, _PRINTABLE):
        raise MalformedDer("value in a name is not text of its kind")
