"""One sealed reading to the address in the settings of its system, and to no other: no redirect is followed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import aiohttp

from kiosk_web.adapters.http_session import open_session, read_address

BUDGET_SECONDS = 5.0
CONNECTIONS = 8
MOST_ANSWER = 16_384


class HttpWebhook:
    """Implements `services.reading_delivery.Webhook`. An asynchronous context manager. `budget` in seconds, for one
    attempt in all.
    """

    def __init__(self, *, budget: float = BUDGET_SECONDS) -> None:
        self._budget = budget
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> HttpWebhook:
        self._session = open_session(phase=self._budget, connections=CONNECTIONS, headers={}, most=MOST_ANSWER)
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> bool:
        """True when the receiver said 2xx. Its body is not read."""
        address = read_address(url)
        if address is None or self._session is None:
            return False
        try:
            async with asyncio.timeout(self._budget):
                response = await self._session.post(
                    address, data=aiohttp.BytesPayload(body), headers=dict(headers), allow_redirects=False
                )
                response.close()
        except (TimeoutError, aiohttp.ClientError):
            return False
        return 200 <= response.status < 300
