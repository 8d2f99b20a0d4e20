"""Files for `kiosk verify`, PEM or DER, and what else people type: moments in ISO 8601.

What cannot be read at all is a mistake of whoever called (`UsageMistake`). What was read and is not what it should be
is handed on as it came: saying so is the judges' business.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from kiosk_web.errors import KioskError

FileKind = Literal["certificate", "crl", "ocsp_response", "signature", "message"]

_LABELS: dict[FileKind, str] = {
    "certificate": "(?:X509 |TRUSTED )?CERTIFICATE",
    "crl": "X509 CRL",
    "ocsp_response": "OCSP RESPONSE",
}
_LIMITS: dict[FileKind, int] = {
    "certificate": 256 * 1024,
    "crl": 1 << 30,
    "ocsp_response": 1 << 20,
    "signature": 64 * 1024,
    "message": 1 << 30,
}
"""Bytes of one file. Above that it is the wrong file; the judges have narrower limits of their own."""


class UsageMistake(KioskError):
    """The command cannot be carried out as it was given; the message says what to change."""


def read_file(path: Path, kind: FileKind) -> bytes:
    """The bytes of a file as they are. Raises `UsageMistake` where it cannot be read or is far too long."""
    try:
        with path.open("rb") as file:
            data = file.read(_LIMITS[kind] + 1)
    except OSError as error:
        raise UsageMistake(f"{path}: {error.strerror or 'cannot be read'}") from None
    if len(data) > _LIMITS[kind]:
        raise UsageMistake(f"{path}: longer than {_LIMITS[kind]} bytes")
    return data


def read_objects(path: Path, kind: FileKind) -> tuple[bytes, ...]:
    """The DER of each object in a file: itself, or the blocks of a PEM file of the fitting label, at least one.

    A PEM file with nothing that fits is returned as it is, so that it is judged as malformed.
    """
    data = read_file(path, kind)
    if not data.lstrip().startswith(b"-----BEGIN") and b"\n-----BEGIN " not in data:
        return (data,)
    label = _LABELS[kind].encode()
    block = re.compile(rb"-----BEGIN (" + label + rb")-----\s*?\n(.*?)\n\s*-----END \1-----", re.DOTALL)
    try:
        found = tuple(base64.b64decode(b"".join(body.split()), validate=True) for _, body in block.findall(data))
    except binascii.Error:
        return (data,)
    return found or (data,)


def read_single(path: Path, kind: FileKind) -> bytes:
    """The one object in a file. Raises `UsageMistake` for a PEM file with several: which one is meant?"""
    objects = read_objects(path, kind)
    if len(objects) > 1:
        raise UsageMistake(f"{path}: holds {len(objects)} objects, and only one is judged at a time")
    return objects[0]


def read_moment(text: str) -> datetime:
    """A moment in ISO 8601, aware. Without an offset it is UTC. Raises `UsageMistake`.

    From 1950 on, when the times of X.509 begin.
    """
    try:
        moment = datetime.fromisoformat(text)
        aware = (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageMistake(f"--at: {text!r} is no moment in ISO 8601, such as 2026-11-23T12:00:00+09:00") from None
    if not 1950 <= aware.year < 9999:
        raise UsageMistake(f"--at: {text!r} is before or after everything that can be judged")
    return aware
