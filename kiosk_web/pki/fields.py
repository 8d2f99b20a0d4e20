"""Length-prefixed fields, the form of everything that is signed (docs/wire.md, conventions)."""

from __future__ import annotations

MAX_FIELD = 0xFFFF


def build_fields(*values: str | bytes) -> bytes:
    """Each value as a two-byte big-endian length and its bytes, text as UTF-8. Too long a one: `ValueError`."""
    parts: list[bytes] = []
    for value in values:
        data = value.encode() if isinstance(value, str) else value
        if len(data) > MAX_FIELD:
            raise ValueError("field is longer than 65535 bytes")
        parts += (len(data).to_bytes(2, "big"), data)
    return b"".join(parts)


def read_fields(data: bytes) -> list[bytes]:
    """The values that `build_fields` put together. Raises `ValueError` for bytes that end within one."""
    values = []
    position = 0
    while position < len(data):
        start = position + 2
        position = start + int.from_bytes(data[position:start], "big")
        if position > len(data) or start > len(data):
            raise ValueError("field is cut off")
        values.append(data[start:position])
    return values
