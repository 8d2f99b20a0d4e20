"""Who this terminal is and whom it trusts: what enrolment wrote down, and how it is read again (`docs/wire.md` 3)."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from bridge.counter import EvidenceCounter
from bridge.errors import SettingsError
from bridge.state_file import replace_file
from bridge.strict_json import NotStrict, build_text, decode_base64url, encode_base64url, parse_object
from bridge.ticket import Terminal

TERMINAL_FILE = "terminal.json"
KEY_FILE = "terminal.key"
_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_TERMINAL_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def judge_origin(origin: str) -> str:
    """`origin` itself when it is exactly one serialised origin (RFC 6454, 6.2). Raises `SettingsError`."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        raise SettingsError("the origin is not an address") from None
    host = parts.hostname or ""
    default = {"http": 80, "https": 443}.get(parts.scheme)
    if default is None or not (_HOST_NAME.fullmatch(host) or _is_address(host)):
        raise SettingsError("the origin must be one http or https address, without a pattern")
    shown = f"[{host}]" if ":" in host else host
    if origin != f"{parts.scheme}://{shown}" + ("" if port is None or port == default else f":{port}"):
        raise SettingsError("the origin must be written as a browser writes it: scheme://host:port, nothing else")
    return origin


def is_terminal_id(text: str) -> bool:
    """Letters, digits, `_`, `.` and `-`, at most 64."""
    return _TERMINAL_ID.fullmatch(text) is not None


def store_terminal(folder: Path, terminal: Terminal) -> None:
    """Write `terminal.key`, the evidence counter and, last, `terminal.json`, each with mode 0600. Raises OSError."""
    pem = terminal.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    identity_key = encode_base64url(terminal.identity_key.public_bytes_raw())
    value = {"v": 1, "terminal": terminal.id, "origin": terminal.origin, "identity_key": identity_key}
    replace_file(folder / KEY_FILE, pem)
    EvidenceCounter.issue(folder)
    replace_file(folder / TERMINAL_FILE, build_text(value).encode())


def load_terminal(folder: Path) -> Terminal:
    """The terminal that enrolment wrote into `folder`. Raises `SettingsError`."""
    advice = "enrol this terminal with: kiosk-bridge enrol"
    try:
        text, pem = (folder / TERMINAL_FILE).read_bytes(), (folder / KEY_FILE).read_bytes()
        shared = os.name == "posix" and (folder / KEY_FILE).stat().st_mode & 0o077
    except OSError as trouble:
        raise SettingsError(f"no enrolled terminal in {str(folder)!a} ({trouble.strerror}); {advice}") from None
    if shared:
        raise SettingsError(f"others may read {KEY_FILE}: chmod 600, or enrol anew if somebody may have done so")
    try:
        value = parse_object(text, limit=8192)
        key = load_pem_private_key(pem, password=None)
        return _terminal(value, key)
    except NotStrict as trouble:
        raise SettingsError(f"{TERMINAL_FILE} is broken ({trouble}); {advice}") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingsError(f"{KEY_FILE} is broken; {advice}") from None


def _terminal(value: dict[str, Any], key: object) -> Terminal:
    if value.keys() != {"v", "terminal", "origin", "identity_key"} or value["v"] != 1:
        raise NotStrict("unknown version or fields")
    terminal, origin, identity = value["terminal"], value["origin"], value["identity_key"]
    if not (isinstance(terminal, str) and isinstance(origin, str) and isinstance(identity, str)):
        raise NotStrict("a field is not text")
    if not is_terminal_id(terminal):
        raise NotStrict("not a terminal id")
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError("not an Ed25519 key")
    raw = decode_base64url(identity)
    if len(raw) != 32:
        raise NotStrict("not an identity key")
    return Terminal(terminal, judge_origin(origin), Ed25519PublicKey.from_public_bytes(raw), key)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
