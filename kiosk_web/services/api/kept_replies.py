"""Idempotency: a request that comes again under the same Idempotency-Key gets the same answer, and is done once.

Answers are kept for ten minutes, each for the client that asked. One that never came (the server was stopped, the work
failed) makes room after a minute; should it come after all, it is not taken for that of another request which has the
key by then. An answer may hold a PPID or the handle of a browser: it is sealed with a key that comes from the
Idempotency-Key, which is not kept, and the key of the data folder. Whoever has the database cannot open it, with the
data folder neither: only the client's own request can.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kiosk_web.services.ports import Clock, Entropy, Store

KEPT = timedelta(minutes=10)
LONGEST_WORK = timedelta(minutes=1)
NONCE_OCTETS = 12


@dataclass(frozen=True, repr=False)
class Reply:
    """An answer as it is sent: status and JSON. `again`: it was kept from the first time."""

    status: int
    body: str
    again: bool = False


@dataclass(frozen=True)
class ReplyRefused:
    """`other_request`: the key was used for another one. `running`: the first one has not been answered yet."""

    why: Literal["other_request", "running"]


class KeptReplies:
    """`answer` runs the work, or finds what it said. `database_key` has 32 bytes."""

    def __init__(self, *, store: Store, database_key: bytes, clock: Clock, entropy: Entropy) -> None:
        self._store = store
        self._database_key = database_key
        self._clock = clock
        self._entropy = entropy

    async def answer(
        self, client: str, key: str, request_sha256: bytes, work: Callable[[], Awaitable[Reply]]
    ) -> Reply | ReplyRefused:
        """`request_sha256` is the hash of all that makes the request what it is."""
        now = self._clock()
        row, seal = self._derive(b"row", client, key).hex(), _ReplySeal(self._derive(b"seal", client, key))
        async with self._store.write() as transaction:
            if not await transaction.remote.begin_reply(client, row, request_sha256, now, now + LONGEST_WORK):
                kept = await transaction.remote.find_reply(client, row)
                if kept is None or kept.request_sha256 != request_sha256:
                    return ReplyRefused("other_request")
                return Reply(kept.status, seal.open(kept.body), again=True) if kept.status else ReplyRefused("running")
        try:
            reply = await work()
        except BaseException:
            async with self._store.write() as transaction:
                await transaction.remote.drop_reply(client, row, request_sha256)
            raise
        body = seal.seal(reply.body, self._entropy(NONCE_OCTETS))
        async with self._store.write() as transaction:
            await transaction.remote.keep_reply(client, row, request_sha256, reply.status, body, self._clock() + KEPT)
        return reply

    def _derive(self, purpose: bytes, client: str, key: str) -> bytes:
        """What stands in the place of an Idempotency-Key; for each purpose another."""
        said = b"\0".join((b"kiosk-kept-reply/1", purpose, client.encode(), key.encode()))
        return hmac.new(self._database_key, said, hashlib.sha256).digest()


class _ReplySeal:
    """AES-256-GCM (NIST SP 800-38D) for the answer to one request: Base64 of nonce, ciphertext and tag."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, body: str, nonce: bytes) -> str:
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, body.encode(), None)).decode("ascii")

    def open(self, sealed: str) -> str:
        content = base64.b64decode(sealed)
        return self._cipher.decrypt(content[:NONCE_OCTETS], content[NONCE_OCTETS:], None).decode()
