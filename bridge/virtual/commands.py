"""Command APDUs as the card receives them (ISO/IEC 7816-3 clause 12.1.3): what `CommandApdu.encode` makes. PURE."""

from __future__ import annotations

from bridge.card.apdu import CommandApdu


class LengthWrong(ValueError):
    """The bytes are no command APDU: the card answers 6700."""


def parse_command(raw: bytes) -> CommandApdu:
    """Raises `LengthWrong`."""
    if len(raw) < 4:
        raise LengthWrong
    cla, instruction, p1, p2 = raw[:4]
    body = raw[4:]
    if len(body) > 1 and body[0] == 0:
        data, expected = _parse_extended(body)
        return CommandApdu(cla, instruction, p1, p2, data, expected, extended=True)
    data, expected = _parse_short(body)
    return CommandApdu(cla, instruction, p1, p2, data, expected)


def _parse_short(body: bytes) -> tuple[bytes, int | None]:
    if len(body) == 0:
        return b"", None
    if len(body) == 1:
        return b"", body[0] or 256
    length = body[0]
    data, rest = body[1 : 1 + length], body[1 + length :]
    if len(data) != length or len(rest) > 1:
        raise LengthWrong
    return data, (rest[0] or 256) if rest else None


def _parse_extended(body: bytes) -> tuple[bytes, int | None]:
    if len(body) < 3:
        raise LengthWrong
    number = int.from_bytes(body[1:3], "big")
    if len(body) == 3:
        return b"", number or 65536
    data, rest = body[3 : 3 + number], body[3 + number :]
    if number == 0 or len(data) != number or len(rest) not in (0, 2):
        raise LengthWrong
    return data, (int.from_bytes(rest, "big") or 65536) if rest else None
