"""Sealed readings by signed webhook: sent after the commit, again until the receiver takes them or their life ends.

What is due stands in the database alone, so that a crash loses nothing. A crash between the receiver's answer and our
note of it sends the reading once more, under the same id: the receiver keeps the first.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from kiosk_web.services.keys import ISSUER, KeyRing
from kiosk_web.services.persons.standing import record_first_hand_over
from kiosk_web.services.ports import Clock, Entropy, Store
from kiosk_web.services.ports.sealed_readings import SealedReading
from kiosk_web.services.readings.basic_four import KEEP
from kiosk_web.services.readings.receipts import AGAIN
from kiosk_web.services.rounds import go_round

SIGNATURE_TYPE = "kiosk-webhook+jwt"
SIGNATURE_HEADER = "Kiosk-Signature"
STATEMENT_HEADER = "Kiosk-Key"
MEDIA_TYPE = "application/jose"
SIGNATURE_LIFETIME = timedelta(seconds=60)
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(seconds=60)
SWEEP_SECONDS = 0.5


class Webhook(Protocol):
    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> str:
        """ "" when the receiver took it, else why not, in a word."""
        ...


def derive_wait(attempts: int, drawn: int) -> timedelta:
    """After so many attempts that failed: 2, 4, 8 … 60 seconds, of which `drawn` (an octet) takes up to a half away, so
    that what failed together does not come again together.
    """
    longest = min(LONGEST_WAIT, FIRST_WAIT * (1 << min(attempts - 1, 10)))
    return longest - longest / 2 * drawn / 255


class ReadingDelivery:
    """`urls` by system. A receiver that does not answer delays no other."""

    def __init__(
        self,
        *,
        store: Store,
        webhook: Webhook,
        urls: Mapping[str, str],
        keys: KeyRing,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._store = store
        self._webhook = webhook
        self._urls = urls
        self._keys = keys
        self._clock = clock
        self._entropy = entropy
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """Until cancelled."""
        rounds: list[Callable[[], Awaitable[object]]] = [self._forget]
        rounds += (functools.partial(self._deliver, system) for system in self._urls)
        await asyncio.gather(*(go_round(work, "reading", SWEEP_SECONDS) for work in rounds))

    async def sweep(self) -> None:
        """One round of everything."""
        await self._forget()
        await asyncio.gather(*(self._deliver(system) for system in self._urls))

    async def _forget(self) -> None:
        """End what is past its life."""
        now = self._clock()
        async with self._store.read() as transaction:
            over = await transaction.readings.has_expired(now, now - KEEP, now - AGAIN)
        if over:
            async with self._store.write() as transaction:
                await transaction.readings.forget_expired(now, now - KEEP, now - AGAIN)

    async def _deliver(self, system: str) -> None:
        """Send what is due to one system, one after the other."""
        async with self._store.read() as transaction:
            due = await transaction.readings.list_due(system, self._clock())
        for reading in due:
            await self._send(reading.id)

    async def _send(self, reading_id: str) -> None:
        """What is still there, and still due, after those before it were sent."""
        now = self._clock()
        async with self._store.read() as transaction:
            reading = await transaction.readings.find(reading_id)
        if reading is None or not _is_due(reading, now):
            return
        refusal = await self._webhook.send(self._urls[reading.system], reading.jwe.encode(), self._sign(reading, now))
        attempts, now = reading.attempts + 1, self._clock()
        wait = derive_wait(attempts, self._entropy(1)[0])
        async with self._store.write() as transaction:
            if refusal:
                await transaction.readings.retry(reading.id, attempts, now + wait)
            else:
                await transaction.readings.finish(reading.id, now, attempts)
                await record_first_hand_over(transaction, reading, now)
        if refusal:
            self._log.info("reading_not_taken", system=reading.system, attempts=attempts, why=refusal)
        else:
            self._log.info("reading_sent", system=reading.system, attempts=attempts)

    def _sign(self, reading: SealedReading, now: datetime) -> dict[str, str]:
        """A JWT over the hash of the body, by the ticket key for which the identity key vouches (`docs/wire.md` 1)."""
        issued_at = int(now.timestamp())
        claims = {
            "iss": ISSUER,
            "aud": reading.system,
            "jti": reading.id,
            "iat": issued_at,
            "exp": issued_at + int(SIGNATURE_LIFETIME.total_seconds()),
            "body_sha256": hashlib.sha256(reading.jwe.encode()).hexdigest(),
        }
        return {
            "Content-Type": MEDIA_TYPE,
            SIGNATURE_HEADER: self._keys.sign_ticket(SIGNATURE_TYPE, claims),
            STATEMENT_HEADER: self._keys.statements[0],
        }


def _is_due(reading: SealedReading, now: datetime) -> bool:
    due_at = reading.next_attempt_at
    return reading.jwe != "" and due_at is not None and due_at <= now < reading.expires_at
