"""HTTP to OCSP responders: kept connections, hard limits, and failures as values.

A connection is kept between questions (a new client costs a hundred times more than a question). What else is and is
not done with HTTP: `adapters/http_session.py`.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

import aiohttp
from yarl import URL

from kiosk_web.adapters.http_session import (
    ShortBody,
    is_longer,
    is_plain,
    name_trouble,
    open_session,
    read_address,
)
from kiosk_web.pki.ocsp import MAX_RESPONSE
from kiosk_web.pki.plan import FetchFailure

REQUEST_TYPE = "application/ocsp-request"
RESPONSE_TYPE = "application/ocsp-response"

PHASE_SECONDS = 3.0
"""Connecting, and each silence while reading."""

BUDGET_SECONDS = 5.0
"""One question in all, a second attempt included: a responder that drips bytes gains nothing."""

CONNECTIONS = 64
"""Questions under way at once; more wait for their turn."""

WIRE_FACTOR = 6
"""What is read for one answer is at most so many times the longest body: one that comes in chunks of one byte fits."""

__all__ = ["FetchFailure", "HttpFetcher"]


class HttpFetcher:
    """An asynchronous context manager; it connects with the first question. `phase` and `budget` in seconds."""

    def __init__(
        self, *, phase: float = PHASE_SECONDS, budget: float = BUDGET_SECONDS, limit: int = MAX_RESPONSE
    ) -> None:
        self._phase = phase
        self._budget = budget
        self._limit = limit
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> HttpFetcher:
        self._session = open_session(
            phase=self._phase,
            connections=CONNECTIONS,
            headers={"Content-Type": REQUEST_TYPE, "Accept": RESPONSE_TYPE},
            most=WIRE_FACTOR * self._limit,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def fetch_ocsp(self, url: str, request: bytes) -> bytes | FetchFailure:
        """Post `request` and bring back the body of a proper answer (RFC 6960 A.1), or why there is none. Never raises
        for trouble.

        A failed transport is tried once more within the same budget; an answer of any kind is not asked for twice.
        """
        address = read_address(url)
        if address is None:
            return FetchFailure("address")
        if self._session is None:
            raise RuntimeError("the fetcher is not open")
        failure = FetchFailure("timeout", "budget")
        try:
            async with asyncio.timeout(self._budget):
                for _attempt in range(2):
                    try:
                        return await self._post(self._session, address, request)
                    except aiohttp.ClientError as error:
                        failure = FetchFailure(*name_trouble(error))
        except TimeoutError:
            return FetchFailure("timeout", "budget")
        return failure

    async def _post(self, session: aiohttp.ClientSession, address: URL, request: bytes) -> bytes | FetchFailure:
        response = await session.post(address, data=ShortBody(request), allow_redirects=False, read_bufsize=self._limit)
        try:
            refusal = self._refuse_head(response)
            if refusal is not None:
                return refusal
            body, content = b"", response.content
            while not content.at_eof():
                body += await content.readany()
                if len(body) > self._limit:
                    return FetchFailure("too_large")
            return body
        finally:
            response.release()  # keeps the connection after a whole answer, closes it otherwise

    def _refuse_head(self, response: aiohttp.ClientResponse) -> FetchFailure | None:
        if 300 <= response.status < 400:
            return FetchFailure("redirect", str(response.status))
        if response.status != 200:
            return FetchFailure("http_status", str(response.status))
        if not is_plain(response, (RESPONSE_TYPE,)):
            return FetchFailure("content_type")
        return FetchFailure("too_large") if is_longer(response, self._limit) else None
