"""The words between a web page and a resident's own bridge, read strictly (`docs/personal.md`, "Messages"). PURE.

One connection is one request. No message carries a PIN, an APDU, a digest or a number of tries: the PIN is typed in the
bridge's own window, and what the card signs is built here from named fields.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Any, Final

from bridge.messages import MalformedMessage, open_message
from bridge.strict_json import NotStrict, build_text, encode_base64url

VERSION: Final = 1
SUBPROTOCOL: Final = "kiosk-personal.v1"
MAXIMUM_BYTES: Final = 4096
LONGEST_SECONDS: Final = 180
"""How long a challenge of the API holds (`docs/api.md`)."""

_CLIENT = re.compile(r"[a-z][a-z0-9-]{1,31}")
_SYSTEM = re.compile(r"[a-z][a-z0-9-]{0,31}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{22}")
_FIXED = {"method": "pin", "purpose": "identify", "consent": "", "lease": ""}
_FIELDS = frozenset({*_FIXED, "origin", "terminal", "session", "service", "nonce"})
_NONCE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Identify:
    """The `fields` of a challenge of the API, as they came. `seconds`: how long it still holds, 0 when it is over."""

    origin: str
    client: str
    challenge: str
    system: str
    nonce: bytes = field(repr=False)
    seconds: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """The page does not wait any longer."""


PersonalMessage = Identify | Cancel


def parse_personal_message(text: str | bytes) -> PersonalMessage:
    """One message of the page. Raises `MalformedMessage` or `WrongVersion`; neither quotes the text."""
    try:
        value = open_message(text, version=VERSION, limit=MAXIMUM_BYTES)
        match value.get("type"):
            case "cancel":
                _require_keys(value, frozenset({"v", "type"}))
                return Cancel()
            case "identify":
                _require_keys(value, frozenset({"v", "type", "fields", "expires_in"}))
                return _read_identify(value["fields"], value["expires_in"])
            case _:
                raise NotStrict("unknown type")
    except NotStrict as trouble:
        raise MalformedMessage(str(trouble)) from None


def build_window_open() -> str:
    """The resident is being asked in the bridge's window."""
    return build_text({"v": VERSION, "type": "window_open"})


def build_signed(certificate: bytes, signature: bytes) -> str:
    """The end of a request that succeeded. Both as base64url, the certificate as DER."""
    return build_text(
        {
            "v": VERSION,
            "type": "signed",
            "certificate": encode_base64url(certificate),
            "signature": encode_base64url(signature),
        }
    )


def build_failed(code: str) -> str:
    """The end of any other; `code` is stable."""
    return build_text({"v": VERSION, "type": "failed", "code": code})


def _read_identify(fields: object, seconds: object) -> Identify:
    if not isinstance(fields, dict):
        raise NotStrict("no fields")
    _require_keys(fields, _FIELDS)
    if any(not isinstance(value, str) for value in fields.values()):
        raise NotStrict("a field is not text")
    if any(fields[name] != value for name, value in _FIXED.items()):
        raise NotStrict("not what this bridge signs")
    for name, pattern in (("terminal", _CLIENT), ("service", _SYSTEM), ("session", _CHALLENGE)):
        if not pattern.fullmatch(fields[name]):
            raise NotStrict(f"malformed {name}")
    if type(seconds) is not int or not 0 <= seconds <= LONGEST_SECONDS:
        raise NotStrict("malformed expires_in")
    return Identify(
        fields["origin"], fields["terminal"], fields["session"], fields["service"], _nonce(fields["nonce"]), seconds
    )


def _nonce(text: str) -> bytes:
    """Base64 with padding, as the API writes it."""
    try:
        nonce = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise NotStrict("malformed nonce") from None
    if len(nonce) != _NONCE_BYTES or base64.b64encode(nonce).decode() != text:
        raise NotStrict("malformed nonce")
    return nonce


def _require_keys(value: dict[str, Any], keys: frozenset[str]) -> None:
    if value.keys() != keys:
        raise NotStrict("missing or unknown field")
