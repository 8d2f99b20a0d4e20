"""The proof that a page talks to the bridge of an enrolled terminal, and the cookie it earns (`docs/wire.md` 2
and 4).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from kiosk_web.pki.terminal import build_welcome_bytes, judge_ed25519
from kiosk_web.services.keys import AUDIENCE, ISSUER, KeyRing, encode_base64url
from kiosk_web.services.ports import Clock, Entropy, Store
from kiosk_web.services.ports.terminals import HelloRecord, PageRecord

HELLO_TYPE = "kiosk-hello+jwt"
HELLO_LIFETIME = timedelta(seconds=60)


@dataclass(frozen=True)
class HelloTicket:
    """What the page hands to the bridge, and the key with which the page itself checks the answer."""

    ticket: str
    statements: tuple[str, ...]
    terminal_key: bytes


@dataclass(frozen=True)
class Admission:
    """A verified page. `cookie` is told to the browser once; only its hash is stored.

    `follows`: it was asked for with the cookie of the page that was the newest until now.
    """

    page: PageRecord
    cookie: str
    follows: bool


class TerminalService:
    """Hello tickets, welcomes and cookies."""

    def __init__(self, *, store: Store, keys: KeyRing, clock: Clock, entropy: Entropy) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._entropy = entropy

    async def issue_hello(
        self, terminal: str, bridge_nonce: bytes, page_key: bytes, address: str
    ) -> HelloTicket | None:
        """None for a terminal that is unknown, revoked or not enrolled."""
        now = self._clock()
        async with self._store.write() as transaction:
            record = await transaction.terminals.find(terminal)
            if record is None or record.revoked_at is not None or record.public_key is None:
                return None
            issued_at = int(now.timestamp())
            claims = {
                "iss": ISSUER,
                "aud": AUDIENCE,
                "jti": encode_base64url(self._entropy(16)),
                "iat": issued_at,
                "exp": issued_at + int(HELLO_LIFETIME.total_seconds()),
                "terminal": terminal,
                "origin": record.origin,
                "address": address,
                "bridge_nonce": encode_base64url(bridge_nonce),
                "page_key": encode_base64url(page_key),
            }
            ticket = self._keys.sign_ticket(HELLO_TYPE, claims)
            await transaction.terminals.add_hello(
                HelloRecord(
                    _hash(ticket), terminal, record.origin, address, bridge_nonce, page_key, now + HELLO_LIFETIME
                )
            )
        return HelloTicket(ticket, self._keys.statements, record.public_key)

    async def admit_page(
        self, ticket: str, bridge_key: bytes, signature: bytes, cookie_before: str = ""
    ) -> Admission | None:
        """Verify the bridge's welcome. None for anything wrong; the ticket is used up in every case."""
        now = self._clock()
        async with self._store.write() as transaction:
            hello = await transaction.terminals.take_hello(_hash(ticket), now)
            record = None if hello is None else await transaction.terminals.find(hello.terminal)
            if hello is None or record is None or record.revoked_at is not None or record.public_key is None:
                return None
            message = build_welcome_bytes(
                ticket=ticket,
                terminal=hello.terminal,
                origin=hello.origin,
                address=hello.address,
                bridge_nonce=hello.bridge_nonce,
                page_key=hello.page_key,
                bridge_key=bridge_key,
            )
            if record.origin != hello.origin or not judge_ed25519(record.public_key, message, signature):
                return None
            before = await transaction.terminals.find_page(_hash(cookie_before)) if cookie_before.isascii() else None
            page = PageRecord(encode_base64url(self._entropy(12)), hello.terminal, True)
            cookie = encode_base64url(self._entropy(32))
            await transaction.terminals.open_page(page, _hash(cookie), now)
        return Admission(page, cookie, before is not None and before.current and before.terminal == page.terminal)

    async def find_page(self, cookie: str) -> PageRecord | None:
        """The page a cookie belongs to; None for an unknown one and for one of a revoked terminal."""
        if not cookie or not cookie.isascii():
            return None
        async with self._store.read() as transaction:
            return await transaction.terminals.find_page(_hash(cookie))

    async def is_revoked(self, cookie: str) -> bool:
        """Whether the cookie is a real one whose terminal was revoked."""
        if not cookie or not cookie.isascii():
            return False
        async with self._store.read() as transaction:
            return await transaction.terminals.is_revoked(_hash(cookie))


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
