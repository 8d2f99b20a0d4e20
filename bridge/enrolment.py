"""Enrol this computer as a terminal: a key is made here, and the server is checked by the fingerprint in the code
(`docs/wire.md` 3).
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import http.client
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bridge.errors import EnrolmentError, SettingsError
from bridge.evidence import build_enrolment_confirmation, build_enrolment_proof_bytes
from bridge.strict_json import NotStrict, build_text, decode_base64url, encode_base64url, parse_object
from bridge.terminal import TERMINAL_FILE, is_terminal_id, judge_origin, store_terminal
from bridge.ticket import Terminal, derive_fingerprint

PATH = "/k/enrol"
CODE_ID = b"kiosk-enrol-id/1\0"
CODE_KEY = b"kiosk-enrol-key/1\0"
ANSWER_BYTES = 16_384
TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class EnrolmentCode:
    """What `kiosk terminal add` printed: a secret for one use, and the fingerprint of the server's identity key."""

    secret: bytes = field(repr=False)
    fingerprint: str

    @property
    def id(self) -> bytes:
        return hashlib.sha256(CODE_ID + self.secret).digest()[:8]

    def derive_proof(self, public_key: bytes) -> bytes:
        key = hashlib.sha256(CODE_KEY + self.secret).digest()
        return hmac.digest(key, build_enrolment_proof_bytes(public_key), "sha256")


def parse_code(text: str) -> EnrolmentCode:
    """A code as printed, with or without its dashes. Raises `EnrolmentError`; the message does not quote it."""
    plain = text.replace("-", "").replace(" ", "").upper()
    try:
        raw = base64.b32decode(plain + "=" * (-len(plain) % 8))
    except (binascii.Error, ValueError):
        raise EnrolmentError("this is not an enrolment code; copy it whole from: kiosk terminal add") from None
    if len(raw) != 32:
        raise EnrolmentError("the enrolment code is not complete; copy it whole from: kiosk terminal add")
    return EnrolmentCode(raw[:16], encode_base64url(raw[16:]))


def build_request(code: EnrolmentCode, public_key: bytes) -> str:
    """The body of the request. The secret itself is not in it."""
    return build_text(
        {
            "v": 1,
            "code_id": encode_base64url(code.id),
            "public_key": encode_base64url(public_key),
            "proof": encode_base64url(code.derive_proof(public_key)),
        }
    )


def judge_answer(answer: bytes, code: EnrolmentCode, key: Ed25519PrivateKey) -> Terminal:
    """The terminal that the server made, if it is the server of the code. Raises `EnrolmentError`."""
    try:
        value = parse_object(answer, limit=ANSWER_BYTES)
        if value.keys() != {"v", "terminal", "origin", "identity_key", "confirmation"} or value["v"] != 1:
            raise NotStrict("fields")
        if not all(isinstance(value[name], str) for name in value.keys() - {"v"}):
            raise NotStrict("not text")
        raw, confirmation = decode_base64url(value["identity_key"]), decode_base64url(value["confirmation"])
        if len(raw) != 32 or not is_terminal_id(value["terminal"]):
            raise NotStrict("not a key or a terminal")
        origin = judge_origin(value["origin"])
    except NotStrict:
        raise EnrolmentError("the server's answer is not one of this version; update the older side") from None
    except SettingsError as trouble:
        raise EnrolmentError(f"the server names an origin that no browser has: {trouble}") from None
    if not hmac.compare_digest(derive_fingerprint(raw), code.fingerprint):
        raise EnrolmentError("this is not the server that printed the code; nothing was stored. Tell the administrator")
    identity_key = Ed25519PublicKey.from_public_bytes(raw)
    public_key = key.public_key().public_bytes_raw()
    signed = build_enrolment_confirmation(public_key=public_key, terminal=value["terminal"], origin=origin)
    try:
        identity_key.verify(confirmation, signed)
    except InvalidSignature:
        raise EnrolmentError("the server could not prove itself; nothing was stored. Tell the administrator") from None
    return Terminal(value["terminal"], origin, identity_key, key)


def enrol(server: str, code_text: str, folder: Path, *, replace: bool = False) -> Terminal:
    """Ask the server and write the terminal into `folder`. Raises `EnrolmentError`; then nothing of an earlier
    terminal has changed.
    """
    code = parse_code(code_text)
    url = _url(server)
    if (folder / TERMINAL_FILE).exists() and not replace:
        raise EnrolmentError("this computer is a terminal already; to make it another one, add --replace")
    key = Ed25519PrivateKey.generate()
    _make_folder(folder)
    answer = _fetch_answer(url, build_request(code, key.public_key().public_bytes_raw()))
    terminal = judge_answer(answer, code, key)
    try:
        store_terminal(folder, terminal)
    except OSError as trouble:
        raise EnrolmentError(
            f"cannot write into {str(folder)!a} ({trouble.strerror}); get a new code and try again"
        ) from None
    return terminal


def _make_folder(folder: Path) -> None:
    """Before the code is used up."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as trouble:
        raise EnrolmentError(f"cannot make the folder {str(folder)!a} ({trouble.strerror})") from None


def _url(server: str) -> str:
    try:
        parts = urlsplit(server)
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and not parts.query
    except ValueError:
        valid = False
    if not valid:
        raise EnrolmentError("--server is the address of the kiosk server, for example http://127.0.0.1:8480")
    return server.rstrip("/") + PATH


def _fetch_answer(url: str, body: str) -> bytes:
    """The body of the server's 201. No redirect is followed, and no proxy of the environment is used."""
    try:
        parts = urlsplit(url)
        dial = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = dial(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
        with contextlib.closing(connection):
            connection.request("POST", parts.path, body, {"Content-Type": "application/json"})
            with connection.getresponse() as response:
                return _read_answer(response)
    except (OSError, ValueError, http.client.HTTPException):
        raise EnrolmentError("the server cannot be reached; is it running, and is the address right?") from None


def _read_answer(response: http.client.HTTPResponse) -> bytes:
    if response.status == 403:
        raise EnrolmentError("the server refused the code: it is used, older than 24 hours, or of another server")
    if response.status != 201:
        raise EnrolmentError(f"the server answered {response.status}; is this the address of the kiosk?")
    answer = response.read(ANSWER_BYTES + 1)
    if len(answer) > ANSWER_BYTES:
        raise EnrolmentError("the server's answer is too long; is this the address of the kiosk?")
    return answer
