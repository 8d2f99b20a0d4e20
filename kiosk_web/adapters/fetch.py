"""HTTP to OCSP responders: one pooled client, hard limits, and failures as values.

The connection is kept between requests (a new client costs a hundred times more than a request). Nothing of the
environment is used: no proxy variables, no `.netrc`, no cookies, no redirects.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

import httpx2

from kiosk_web.pki.ocsp import MAX_RESPONSE
from kiosk_web.pki.plan import FetchFailure

REQUEST_TYPE = "application/ocsp-request"
RESPONSE_TYPE = "application/ocsp-response"

PHASE_SECONDS = 3.0
"""Connecting, and each silence while reading or writing."""

BUDGET_SECONDS = 5.0
"""One question in all, a second attempt included: a responder that drips bytes gains nothing."""

__all__ = ["FetchFailure", "HttpFetcher"]


class HttpFetcher:
    """An asynchronous context manager; it connects with the first question. `phase` and `budget` in seconds."""

    def __init__(
        self, *, phase: float = PHASE_SECONDS, budget: float = BUDGET_SECONDS, limit: int = MAX_RESPONSE
    ) -> None:
        self._budget = budget
        self._limit = limit
        self._client = httpx2.AsyncClient(
            timeout=httpx2.Timeout(phase),
            limits=httpx2.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=60),
            follow_redirects=False,
            trust_env=False,
            headers={
                "Content-Type": REQUEST_TYPE,
                "Accept": RESPONSE_TYPE,
                "Accept-Encoding": "identity",
                "User-Agent": "mynumber-kiosk",
            },
        )

    async def __aenter__(self) -> HttpFetcher:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the pooled connections."""
        await self._client.aclose()

    async def fetch_ocsp(self, url: str, request: bytes) -> bytes | FetchFailure:
        """Post `request` and bring back the body of a proper answer (RFC 6960 A.1), or why there is none. Never raises
        for trouble.

        A failed transport is tried once more within the same budget; an answer of any kind is not asked for twice.
        """
        if not is_address(url):
            return FetchFailure("address")
        failure = FetchFailure("timeout", "budget")
        try:
            async with asyncio.timeout(self._budget):
                for _attempt in range(2):
                    try:
                        return await self._post(url, request)
                    except httpx2.TransportError as error:
                        failure = _name_failure(error)
        except TimeoutError:
            return FetchFailure("timeout", "budget")
        return failure

    async def _post(self, url: str, request: bytes) -> bytes | FetchFailure:
        async with self._client.stream("POST", url, content=request) as response:
            refusal = self._refuse_head(response)
            if refusal is not None:
                return refusal
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > self._limit:
                    return FetchFailure("too_large")
            return bytes(body)

    def _refuse_head(self, response: httpx2.Response) -> FetchFailure | None:
        if response.is_redirect or 300 <= response.status_code < 400:
            return FetchFailure("redirect", str(response.status_code))
        if response.status_code != 200:
            return FetchFailure("http_status", str(response.status_code))
        kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
        if kind != RESPONSE_TYPE or response.headers.get("Content-Encoding", "identity").lower() != "identity":
            return FetchFailure("content_type")
        length = response.headers.get("Content-Length", "0")
        if length.isdecimal() and int(length[:20]) > self._limit:
            return FetchFailure("too_large")
        return None


def is_address(url: str) -> bool:
    """Only what can be dialled: a port out of range, for one, is found by the operating system alone."""
    try:
        address = httpx2.URL(url)
    except httpx2.InvalidURL:
        return False
    port = address.port
    return address.scheme in ("http", "https") and address.host != "" and (port is None or 0 < port < 65536)


def _name_failure(error: httpx2.TransportError) -> FetchFailure:
    detail = type(error).__name__
    if isinstance(error, httpx2.TimeoutException):
        return FetchFailure("timeout", detail)
    if isinstance(error, httpx2.ConnectError):
        return FetchFailure("refused", detail)
    return FetchFailure("reset", detail)
