"""A reading for which a municipal system sends its own browser page to the terminal's, and gets it back with a code.

The shape is that of OAuth 2.0: the request is pushed by the server (RFC 9126), the browser carries a handle here and a
code back (RFC 6749 4.1, RFC 7636, RFC 9207), and what was read goes to the server alone, for the code. Handle, browser
and code count once each, are known by their hash, and lead nowhere in anybody else's hands.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from urllib.parse import urlencode

import structlog

from kiosk_web.services.keys import encode_base64url
from kiosk_web.services.ports import Clock, Entropy, Store, Transaction
from kiosk_web.services.ports.clients import ClientRecord
from kiosk_web.services.ports.reading_redirects import RedirectRecord
from kiosk_web.services.ports.readings import ReadingRecord
from kiosk_web.services.ports.terminals import PageRecord
from kiosk_web.services.readings.requests import ReadingRefused, ReadingRequest, ReadingService, ToldResult
from kiosk_web.services.readings.results import forget_result
from kiosk_web.services.visit.sessions import Snapshot
from kiosk_web.session.facts import AskedReading

REQUEST_URI_PREFIX = "urn:ietf:params:oauth:request_uri:"
CODE_LIFETIME = timedelta(seconds=60)
SECRET_OCTETS = 32


@dataclass(frozen=True)
class WantedReturn:
    """Where the browser goes back to, and what binds it to the system's own session with it."""

    redirect_uri: str
    state: str
    code_challenge: str


@dataclass(frozen=True, repr=False)
class AwaitedBrowser:
    """The request waits for the browser, which is to be sent to `authorization_uri`."""

    record: ReadingRecord
    authorization_uri: str


@dataclass(frozen=True, repr=False)
class OpenedReading:
    """The terminal shows the request. `browser` is the secret that this browser alone gets."""

    snapshot: Snapshot
    browser: str


@dataclass(frozen=True)
class OpenRefused:
    """`why` is a name of `session/codes.py`."""

    why: Literal["reading_unusable", "reading_blocked"]


@dataclass(frozen=True, repr=False)
class RedeemedReading:
    """How it ended; `told` is the signed result of a reading that is `done`, None where it waited too long."""

    record: ReadingRecord
    told: ToldResult | None


class RedirectService:
    """`issuer` is the public address of the API."""

    def __init__(
        self,
        *,
        store: Store,
        readings: ReadingService,
        issuer: str,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._store = store
        self._readings = readings
        self._issuer = issuer
        self._clock = clock
        self._entropy = entropy
        self._log = structlog.get_logger()

    async def request(
        self, client: ClientRecord, asked: ReadingRequest, back: WantedReturn
    ) -> AwaitedBrowser | ReadingRefused:
        """Nothing is shown yet, and the terminal's page need not be open: the browser will be it."""
        if back.redirect_uri not in client.redirect_uris:
            return ReadingRefused("redirect_uri_not_permitted")
        handle = self._draw()
        async with self._store.write() as transaction:
            record = await self._readings.add_within(transaction, client, asked, redirected=True)
            if isinstance(record, ReadingRefused):
                return record
            await transaction.reading_redirects.add(
                RedirectRecord(
                    record.id,
                    back.redirect_uri,
                    back.state,
                    back.code_challenge,
                    _hash(handle),
                    asked.title_ja,
                    asked.title_en,
                    asked.basic_four,
                )
            )
            terminal = await transaction.terminals.find(record.terminal)
        origin = "" if terminal is None else terminal.origin
        query = urlencode({"request_uri": REQUEST_URI_PREFIX + handle})
        return AwaitedBrowser(record, f"{origin}/?{query}")

    async def open(self, page: PageRecord, handle: str) -> OpenedReading | OpenRefused:
        """The browser is there: show the request, if nobody else is and the bridge has told its reader."""
        now, browser = self._clock(), self._draw()
        async with self._store.write() as transaction:
            if not page.current:
                return OpenRefused("reading_unusable")
            if not await transaction.terminals.has_told(page.id):
                return OpenRefused("reading_blocked")
            redirect = await transaction.reading_redirects.open(_hash(handle), page.terminal, _hash(browser), now)
            if redirect is None:
                return OpenRefused("reading_unusable")
            record = await transaction.asked_readings.load(redirect.reading)
            if record is None or not await self._may_return(transaction, record, redirect):
                return OpenRefused("reading_unusable")
        asked = AskedReading(
            record.id, redirect.title_ja, redirect.title_en, returns=True, basic_four=redirect.basic_four
        )
        answer = await self._readings.show(record, asked)
        if not answer.refusal:
            return OpenedReading(answer.snapshot, browser)
        async with self._store.write() as transaction:
            await transaction.reading_redirects.reopen(redirect.reading)
        return OpenRefused("reading_blocked")

    async def leave(self, browser: str) -> str | None:
        """The address to which this browser goes back, once, with a new code; None before the end and ever after."""
        if not browser or not browser.isascii():
            return None
        now, code = self._clock(), self._draw()
        async with self._store.write() as transaction:
            redirect = await transaction.reading_redirects.leave(_hash(browser), _hash(code), now + CODE_LIFETIME, now)
            if redirect is None:
                return None
            record = await transaction.asked_readings.load(redirect.reading)
            if record is None or not await self._may_return(transaction, record, redirect):
                return None
        query = urlencode({"code": code, "state": redirect.state, "iss": self._issuer})
        return f"{redirect.redirect_uri}?{query}"

    async def redeem(
        self, client: ClientRecord, code: str, redirect_uri: str, code_verifier: str
    ) -> RedeemedReading | None:
        """The code is used up and the result taken in one transaction: whoever lost the answer asks for the reading.
        None for a code that is unknown, another client's, used or late, and where the proof does not fit: its result is
        then forgotten, and what was sealed with it.
        """
        now = self._clock()
        async with self._store.write() as transaction:
            redirect = await transaction.reading_redirects.redeem(_hash(code), client.name, now)
            if redirect is None:
                if await transaction.reading_redirects.is_used(_hash(code)):
                    self._log.warning("reading_code_again", client=client.name)
                return None
            record = await transaction.asked_readings.load(redirect.reading)
            proven = redirect_uri == redirect.redirect_uri and _judge_verifier(code_verifier, redirect.code_challenge)
            if record is None:
                return None
            if not proven or record.system not in client.systems:
                await forget_result(transaction, record.id)
                return None
            told = await self._readings.take_within(transaction, record, now) if record.state == "done" else None
            return RedeemedReading(record, told)

    async def _may_return(self, transaction: Transaction, record: ReadingRecord, redirect: RedirectRecord) -> bool:
        """Is the client in force, and the address its own? It may have been revoked since it asked."""
        client = await transaction.clients.find(record.client)
        return client is not None and client.revoked_at is None and redirect.redirect_uri in client.redirect_uris

    def _draw(self) -> str:
        return encode_base64url(self._entropy(SECRET_OCTETS))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _judge_verifier(code_verifier: str, code_challenge: str) -> bool:
    """RFC 7636 4.6, S256."""
    derived = encode_base64url(hashlib.sha256(code_verifier.encode("ascii")).digest())
    return hmac.compare_digest(derived, code_challenge)
