"""Sealed readings by signed webhook: sent after the commit, again until the receiver takes them or their life ends.

What is due stands in the database alone, so that a crash loses nothing. A crash between the receiver's answer and our
note of it sends the reading once more, under the same id: the receiver keeps the first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from kiosk_web.services.basic_four import KEEP
from kiosk_web.services.keys import ISSUER, KeyRing
from kiosk_web.services.ports import Clock, Store
from kiosk_web.services.ports.sealed_readings import SealedReading
from kiosk_web.services.receipts import AGAIN
from kiosk_web.services.rounds import go_round
from kiosk_web.services.standing import record_first_hand_over

SIGNATURE_TYPE = "kiosk-webhook+jwt"
SIGNATURE_HEADER = "Kiosk-Signature"
STATEMENT_HEADER = "Kiosk-Key"
MEDIA_TYPE = "application/jose"
SIGNATURE_LIFETIME = timedelta(seconds=60)
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(seconds=60)
SWEEP_SECONDS = 0.5


class Webhook(Protocol):
    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> bool:
        """True when the receiver took it."""
        ...


def derive_wait(attempts: int) -> timedelta:
    """After so many attempts that failed: 2, 4, 8 … 60 seconds."""
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << min(attempts - 1, 10)))


class ReadingDelivery:
    """`urls` by system."""

    def __init__(self, *, store: Store, webhook: Webhook, urls: Mapping[str, str], keys: KeyRing, clock: Clock) -> None:
        self._store = store
        self._webhook = webhook
        self._urls = urls
        self._keys = keys
        self._clock = clock
        self._log = structlog.get_logger()

    async def run(self) -> None:
        """Until cancelled."""
        await go_round(self.sweep, "reading", SWEEP_SECONDS)

    async def sweep(self) -> None:
        """Send what is due, one after the other, and end what is past its life."""
        now = self._clock()
        async with self._store.read() as transaction:
            over = await transaction.readings.has_expired(now, now - KEEP, now - AGAIN)
            due = await transaction.readings.list_due(now) if self._urls else ()
        if over:
            async with self._store.write() as transaction:
                await transaction.readings.forget_expired(now, now - KEEP, now - AGAIN)
        for reading in due:
            await self._send(reading)

    async def _send(self, reading: SealedReading) -> None:
        url, now = self._urls.get(reading.system), self._clock()
        taken = url is not None and await self._webhook.send(url, reading.jwe.encode(), self._sign(reading, now))
        attempts, now = reading.attempts + 1, self._clock()
        async with self._store.write() as transaction:
            if taken:
                await transaction.readings.finish(reading.id, now, attempts)
                await record_first_hand_over(transaction, reading, now)
            else:
                await transaction.readings.retry(reading.id, attempts, now + derive_wait(attempts))
        self._log.info("reading_sent" if taken else "reading_not_taken", system=reading.system, attempts=attempts)

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
