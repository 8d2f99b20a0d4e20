"""DER by hand, for what libraries rightly refuse to build."""

from __future__ import annotations

INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30
EXPLICIT_0 = 0xA0


def tlv(tag: int, value: bytes) -> bytes:
    """One element."""
    size = len(value)
    if size < 0x80:
        return bytes([tag, size]) + value
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + value


def content(element: bytes) -> bytes:
    """The value of one element."""
    return element[_header(element) :]


def split(data: bytes) -> list[bytes]:
    """The elements that lie one after the other in `data`."""
    parts = []
    while data:
        header = _header(data)
        end = header + (int.from_bytes(data[2:header], "big") if header > 2 else data[1])
        parts.append(data[:end])
        data = data[end:]
    return parts


def _header(element: bytes) -> int:
    return 2 + (element[1] & 0x7F if element[1] >= 0x80 else 0)
