"""Idempotency: a request that comes again under the same Idempotency-Key gets the same answer, and is done once.

Answers are kept for ten minutes, each for the client that asked. One that never came (the server was stopped, the work
failed) makes room after a minute.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from kiosk_web.services.ports import Clock, Store

KEPT = timedelta(minutes=10)
LONGEST_WORK = timedelta(minutes=1)


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
    """`answer` runs the work, or finds what it said."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def answer(
        self, client: str, key: str, request_sha256: bytes, work: Callable[[], Awaitable[Reply]]
    ) -> Reply | ReplyRefused:
        """`request_sha256` is the hash of all that makes the request what it is."""
        now = self._clock()
        async with self._store.write() as transaction:
            if not await transaction.remote.begin_reply(client, key, request_sha256, now, now + LONGEST_WORK):
                kept = await transaction.remote.find_reply(client, key)
                if kept is None or kept.request_sha256 != request_sha256:
                    return ReplyRefused("other_request")
                return Reply(kept.status, kept.body, again=True) if kept.status else ReplyRefused("running")
        try:
            reply = await work()
        except BaseException:
            async with self._store.write() as transaction:
                await transaction.remote.drop_reply(client, key)
            raise
        async with self._store.write() as transaction:
            await transaction.remote.keep_reply(client, key, reply.status, reply.body, self._clock() + KEPT)
        return reply
