"""A reading on request: a municipal system (Type 1) asks a named terminal for a visit and hears once how it ended.

What is told is signed and bound to request, client, its nonce, system, terminal and time. It leads to no name.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from kiosk_web.identity.offer import Offer
from kiosk_web.services.introductions import SystemsInUse
from kiosk_web.services.keys import KeyRing, TicketKey, encode_base64url
from kiosk_web.services.ports import Clock, Entropy, Feed, Store, Transaction
from kiosk_web.services.ports.clients import ClientRecord
from kiosk_web.services.ports.readings import ReadingRecord
from kiosk_web.services.readings.basic_four import take_sealed
from kiosk_web.services.readings.receipts import AGAIN, draw_receipt, is_given_again
from kiosk_web.services.readings.results import end_held, forget_result
from kiosk_web.services.terminals.monitoring import MonitoringService
from kiosk_web.services.visit.sessions import Answer, SessionService
from kiosk_web.session import events as e
from kiosk_web.session.facts import AskedReading
from kiosk_web.session.states import derive_visit

RESULT_TYPE = "kiosk-reading+jwt"
RESULT_LIFETIME = timedelta(minutes=5)
RESULT_KEPT = timedelta(minutes=5)
"""For so long a result waits to be fetched."""

RefusedReading = Literal[
    "system_not_permitted",
    "system_not_in_use",
    "service_not_permitted",
    "basic_four_not_permitted",
    "terminal_not_permitted",
    "terminal_busy",
    "terminal_offline",
    "redirect_uri_not_permitted",
]


@dataclass(frozen=True)
class ReadingRefused:
    """Nothing was shown at any terminal."""

    why: RefusedReading


@dataclass(frozen=True)
class ReadingRequest:
    """What a client asks for. `nonce` comes back in the signed result; the titles are shown to the resident.
    `basic_four`: with the basic 4 information, if the resident agrees.
    """

    system: str
    service: str
    terminal: str
    nonce: str
    title_ja: str = ""
    title_en: str = ""
    basic_four: bool = False


@dataclass(frozen=True, repr=False)
class ToldResult:
    """The signed result, and what its client sends back when it arrived."""

    result: str
    receipt: str


class ReadingService:
    """`issuer` is the public address of the API, `lifetime` how long a system waits for a resident."""

    def __init__(
        self,
        *,
        store: Store,
        sessions: SessionService,
        monitoring: MonitoringService,
        offer: Offer,
        in_use: SystemsInUse,
        keys: KeyRing,
        feed: Feed,
        issuer: str,
        lifetime: timedelta,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._monitoring = monitoring
        self._offer = offer
        self._in_use = in_use
        self._keys = keys
        self._feed = feed
        self._issuer = issuer
        self._lifetime = lifetime
        self._clock = clock
        self._entropy = entropy

    async def request(self, client: ClientRecord, asked: ReadingRequest) -> ReadingRecord | ReadingRefused:
        """Wake the terminal, if nobody is there."""
        async with self._store.write() as transaction:
            record = await self.add_within(transaction, client, asked)
            if isinstance(record, ReadingRefused):
                return record
            if not self._monitoring.is_live(record.terminal):
                await transaction.asked_readings.drop(record.id)
                return ReadingRefused("terminal_offline")
        shown = AskedReading(record.id, asked.title_ja, asked.title_en, basic_four=asked.basic_four)
        if not (await self.show(record, shown)).refusal:
            return record
        async with self._store.write() as transaction:
            await transaction.asked_readings.drop(record.id)
        return ReadingRefused("terminal_busy")

    async def show(self, record: ReadingRecord, asked: AskedReading) -> Answer:
        """Have the terminal show it, if nobody is there. A request that ended meanwhile, before there was a screen to
        tell, does not stay on it.
        """
        event = e.ReadingRequested(asked, record.service, record.expires_at)
        answer = await self._sessions.apply(record.terminal, event)
        if answer.refusal:
            return answer
        async with self._store.read() as transaction:
            ended = await transaction.asked_readings.find_refusal(record.id, self._clock())
        return await self._sessions.apply(record.terminal, e.ReadingCancelled(record.id, ended)) if ended else answer

    async def add_within(
        self, transaction: Transaction, client: ClientRecord, asked: ReadingRequest, *, redirected: bool = False
    ) -> ReadingRecord | ReadingRefused:
        """A request that waits at its terminal, inside the caller's transaction; nothing is shown yet."""
        refusal = self._judge(client, asked)
        if refusal is not None:
            return ReadingRefused(refusal)
        now = self._clock()
        terminal = await transaction.terminals.find_by_name(asked.terminal)
        if terminal is None:
            return ReadingRefused("terminal_not_permitted")
        if terminal.revoked_at is not None:
            return ReadingRefused("terminal_offline")
        record = ReadingRecord(
            id=encode_base64url(self._entropy(16)),
            client=client.name,
            system=asked.system,
            service=asked.service,
            terminal=terminal.id,
            terminal_name=terminal.name,
            nonce=asked.nonce,
            state="waiting",
            created_at=now,
            expires_at=now + self._lifetime,
            redirected=redirected,
        )
        added = await transaction.asked_readings.add(record)
        return record if added else ReadingRefused("terminal_busy")

    def _judge(self, client: ClientRecord, asked: ReadingRequest) -> RefusedReading | None:
        if asked.system not in client.systems:
            return "system_not_permitted"
        if not self._in_use.serves(asked.system):
            return "system_not_in_use"
        service = self._offer.find(asked.service)
        if service is None or service.system != asked.system:
            return "service_not_permitted"
        if not (service.terms.reading_screen and service.terms.usable_online):  # rows 6 and 2 of the profiles' table
            return "service_not_permitted"
        if asked.basic_four and service.basic_four is None:
            return "basic_four_not_permitted"
        return None if asked.terminal in client.terminals else "terminal_not_permitted"

    async def find(self, client: ClientRecord, reading: str, wait: float = 0) -> ReadingRecord | None:
        """How far it is; with `wait`, after its end or so many seconds. None for an unknown one and for another
        client's.
        """
        record = await self._load(client, reading)
        if record is None or record.state != "waiting" or not wait:
            return record
        with self._feed.subscribe(record.terminal) as changes:
            try:
                async with asyncio.timeout(wait):
                    while record is not None and record.state == "waiting":
                        record = await self._load(client, reading)
                        if record is not None and record.state == "waiting" and not await changes.wait():
                            break
            except TimeoutError:
                pass
        return await self._load(client, reading)

    async def _load(self, client: ClientRecord, reading: str) -> ReadingRecord | None:
        async with self._store.read() as transaction:
            record = await transaction.asked_readings.find(reading, client.name)
        return record if record is not None and record.system in client.systems else None

    async def take_result(self, record: ReadingRecord) -> ToldResult | None:
        """The signed result of a reading that is `done`, again and again the same until its client says that it
        arrived; None after that, and where it waited too long. That of a redirected one was told for its code before.
        """
        async with self._store.write() as transaction:
            fresh = await transaction.asked_readings.load(record.id)
            if fresh is None or (fresh.redirected and fresh.taken_at is None):
                return None
            return await self.take_within(transaction, fresh, self._clock())

    async def take_within(self, transaction: Transaction, record: ReadingRecord, now: datetime) -> ToldResult | None:
        """`take_result` in the caller's transaction, in which the record was loaded."""
        if record.result is None or record.ended_at is None:
            return None
        told = json.loads(record.result)
        receipt, taken_at = record.receipt, record.taken_at
        if receipt is None or taken_at is None:
            if now >= record.ended_at + RESULT_KEPT:
                return None
            receipt, taken_at = draw_receipt(self._entropy), now
        elif not is_given_again(taken_at, now):
            return None
        if told["basic_four"] is not None:
            told["basic_four"], receipt = await _take_sealed(transaction, record, told, receipt, now)
        await transaction.asked_readings.note_taken(record.id, receipt, taken_at)
        return ToldResult(self._sign(record, told, taken_at), receipt)

    def _sign(self, record: ReadingRecord, told: Mapping[str, Any], taken_at: datetime) -> str:
        """The same again for the same `taken_at`."""
        issued_at = int(taken_at.timestamp())
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": record.client,
            "jti": record.id,
            "iat": issued_at,
            "exp": issued_at + int(RESULT_LIFETIME.total_seconds()),
            "nonce": record.nonce,
            "system": record.system,
            "service": record.service,
            "terminal": record.terminal_name,
            **told,
        }
        return self._keys.sign_ticket(RESULT_TYPE, claims)

    async def cancel(self, client: ClientRecord, reading: str) -> ReadingRecord | None:
        """The system does not want it any more. A result that it did not acknowledge is forgotten, with the JWE."""
        record = await self._load(client, reading)
        if record is None:
            return None
        now = self._clock()
        async with self._store.write() as transaction:
            ended = await transaction.asked_readings.end(record.id, "cancelled", None, now)
            if not ended:
                await forget_result(transaction, record.id)
        if not ended:
            return await self._load(client, reading)
        await self._sessions.apply(record.terminal, e.ReadingCancelled(record.id, "reading_withdrawn"))
        return replace(record, state="cancelled", ended_at=now)

    async def recover(self) -> None:
        """At the start: the server stopped after a request was stored and before its terminal showed it. It ends, and
        the terminal is free; its client never had an answer, or is told by the id it knows.
        """
        async with self._store.read() as transaction:
            waiting = await transaction.asked_readings.list_at_terminals()
        for record in waiting:
            visit = derive_visit((await self._sessions.load(record.terminal)).state)
            if visit is None or visit.reading is None or visit.reading.id != record.id:
                async with self._store.write() as transaction:
                    await end_held(transaction, record.id, "failed", "failed", self._clock())

    async def sweep(self) -> None:
        """End what has waited too long or for a client that was revoked, and forget results that nobody will have."""
        now = self._clock()
        async with self._store.read() as transaction:
            revoked = await transaction.asked_readings.list_revoked()
            overdue = await transaction.asked_readings.list_overdue(now)
            stale = await transaction.asked_readings.has_old_results(now - RESULT_KEPT, now - AGAIN)
        for record in revoked:
            async with self._store.write() as transaction:
                ended = await transaction.asked_readings.end(record.id, "failed", None, now)
            if ended:
                await self._sessions.apply(record.terminal, e.ReadingCancelled(record.id, "reading_client_revoked"))
        for record in overdue:
            async with self._store.write() as transaction:
                ended = await end_held(transaction, record.id, "failed", "expired", now)
            if ended:
                await self._sessions.apply(record.terminal, e.ReadingCancelled(record.id, "reading_expired"))
        if stale:
            async with self._store.write() as transaction:
                await transaction.asked_readings.drop_old_results(now - RESULT_KEPT, now - AGAIN)

    def build_key_set(self) -> dict[str, list[dict[str, str]]]:
        """The keys that sign results (RFC 7517): the one in use, and its successor."""
        return {"keys": [_describe(key) for key in (self._keys.current, self._keys.following)]}


async def _take_sealed(
    transaction: Transaction, record: ReadingRecord, told: Mapping[str, str], receipt: str, now: datetime
) -> tuple[dict[str, str | None], str]:
    """What became of the basic 4 information, and the one receipt for it and the result. `gone`: another client picked
    it up, or its life has ended.
    """
    outcome = told["basic_four"]
    if outcome != "sent":
        return {"outcome": outcome, "sealed": None}, receipt
    sealed = await take_sealed(transaction, record.client, record.system, told["reference"], receipt, now)
    if sealed is None:
        return {"outcome": "gone", "sealed": None}, receipt
    return {"outcome": "sent", "sealed": sealed.jwe}, sealed.receipt or receipt


def _describe(key: TicketKey) -> dict[str, str]:
    """RFC 8037 2."""
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "alg": "EdDSA",
        "use": "sig",
        "kid": key.kid,
        "x": encode_base64url(key.public),
    }
