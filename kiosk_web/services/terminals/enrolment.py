"""Terminals are added with a one-time code, enrol with their own key, and are revoked (`docs/wire.md` 3)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta

from kiosk_web.errors import TerminalError
from kiosk_web.pki.fields import build_fields
from kiosk_web.services.keys import KeyRing, encode_base64url
from kiosk_web.services.ports import Clock, Entropy, Store
from kiosk_web.services.ports.staff import DEFAULT_FACILITY
from kiosk_web.services.ports.terminals import EnrolmentRecord, TerminalRecord

SECRET_LENGTH = 16
CODE_LIFETIME = timedelta(hours=24)
MAXIMUM_NAME = 64

_ID_PREFIX = b"kiosk-enrol-id/1\0"
_KEY_PREFIX = b"kiosk-enrol-key/1\0"
_PROOF_PREFIX = b"kiosk-enrol/1\0"


@dataclass(frozen=True, repr=False)
class Invitation:
    """A terminal that may enrol once. `code` is shown to whoever sets it up and is not stored.

    `replaces_code`: an earlier one that was still good ended. `replaces_key`: the terminal is enrolled, and its key
    ends when the code is used.
    """

    terminal: str
    name: str
    code: str
    replaces_code: bool = False
    replaces_key: bool = False


@dataclass(frozen=True)
class Enrolled:
    """What the terminal is told; `confirmation` is the identity key's signature."""

    terminal: str
    origin: str
    identity_key: bytes
    confirmation: bytes


def derive_enrolment(secret: bytes) -> tuple[bytes, bytes]:
    """(code_id, key) of a code's secret; these two are stored, the secret is not."""
    return hashlib.sha256(_ID_PREFIX + secret).digest()[:8], hashlib.sha256(_KEY_PREFIX + secret).digest()


def derive_proof(key: bytes, public_key: bytes) -> bytes:
    """What the holder of the code sends with its public key."""
    return hmac.digest(key, _PROOF_PREFIX + build_fields(public_key), "sha256")


def build_code(secret: bytes, identity_fingerprint: bytes) -> str:
    """Base32 in groups of four (RFC 4648, no padding)."""
    text = base64.b32encode(secret + identity_fingerprint).decode("ascii").rstrip("=")
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


class EnrolmentService:
    """Adds, enrols, lists and revokes terminals."""

    def __init__(self, *, store: Store, keys: KeyRing, clock: Clock, entropy: Entropy) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._entropy = entropy

    async def add_terminal(self, name: str, facility: str | None = None) -> Invitation:
        """A new terminal, or a new code for one that is there: an older code ends now, its old key when this one is
        used.

        `facility`: whose staff may attend a new one (None: `DEFAULT_FACILITY`); one that is there stays where it is.

        Raises `TerminalError`.
        """
        if not name or len(name) > MAXIMUM_NAME or not name.isprintable() or name != name.strip():
            raise TerminalError(f"A terminal's name has 1 to {MAXIMUM_NAME} printable characters.")
        now = self._clock()
        secret = self._entropy(SECRET_LENGTH)
        code_id, key = derive_enrolment(secret)
        async with self._store.write() as transaction:
            known = await transaction.terminals.find_by_name(name)
            if known is not None and known.revoked_at is not None:
                raise TerminalError(f"The terminal {name!r} was revoked. Choose another name.")
            if known is not None and facility not in (None, known.facility):
                raise TerminalError(f"The terminal {name!r} belongs to the facility {known.facility!r}.")
            terminal = encode_base64url(self._entropy(12)) if known is None else known.id
            replaced = False
            enrolment = EnrolmentRecord(code_id, key, terminal, now + CODE_LIFETIME)
            if known is None:
                await transaction.terminals.add(
                    TerminalRecord(terminal, name, "", None, now, None, None, facility or DEFAULT_FACILITY), enrolment
                )
            else:
                replaced = await transaction.terminals.renew_code(enrolment, now)
        code = build_code(secret, self._keys.identity_fingerprint)
        return Invitation(terminal, name, code, replaced, known is not None and known.public_key is not None)

    async def enrol(self, code_id: bytes, public_key: bytes, proof: bytes, origin: str) -> Enrolled | None:
        """Use a code up. None for every failure alike."""
        now = self._clock()
        async with self._store.write() as transaction:
            enrolment = await transaction.terminals.find_enrolment(code_id, now)
            key = enrolment.key if enrolment is not None else bytes(32)
            proven = hmac.compare_digest(proof, derive_proof(key, public_key))
            if enrolment is None or not proven:
                return None
            if not await transaction.terminals.enrol(code_id, public_key, origin, now):
                return None
            confirmation = self._keys.confirm_enrolment(public_key, enrolment.terminal, origin)
            return Enrolled(enrolment.terminal, origin, self._keys.identity_public, confirmation)

    async def list_terminals(self) -> tuple[TerminalRecord, ...]:
        async with self._store.read() as transaction:
            return await transaction.terminals.list_all()

    async def revoke_terminal(self, name: str) -> None:
        """Its cookie, its key and its open codes end now. Raises `TerminalError` for an unknown name."""
        async with self._store.write() as transaction:
            known = await transaction.terminals.find_by_name(name)
            if known is None:
                raise TerminalError(f"There is no terminal {name!r}.")
            await transaction.terminals.revoke(known.id, self._clock())
