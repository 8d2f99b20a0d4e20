"""One sealed reading to the address in the settings of its system, and to no other: no redirect is followed, and no
name to where no receiver can be.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from kiosk_web.adapters.http_session import name_trouble, open_session, read_address
from kiosk_web.identity.receivers import is_receiver_address, judge_receiver_host

BUDGET_SECONDS = 5.0
CONNECTIONS = 8
MOST_ANSWER = 16_384


class ReceiverResolver(AbstractResolver):
    """The addresses of a name that may be connected to: those that are looked at here are those that are dialled."""

    def __init__(self, system: AbstractResolver | None = None) -> None:
        self._system = system or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises `OSError` where there is none."""
        found = await self._system.resolve(host, port, family)
        receivers = [one for one in found if is_receiver_address(one["host"], host=host)]
        if not receivers:
            raise OSError("no receiver can be there")
        return receivers

    async def close(self) -> None:
        await self._system.close()


class HttpWebhook:
    """Implements `services.readings.delivery.Webhook`. An asynchronous context manager. `budget` in seconds, for one
    attempt in all.
    """

    def __init__(self, *, budget: float = BUDGET_SECONDS, resolver: AbstractResolver | None = None) -> None:
        self._budget = budget
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> HttpWebhook:
        self._session = open_session(
            phase=self._budget,
            connections=CONNECTIONS,
            headers={},
            most=MOST_ANSWER,
            resolver=ReceiverResolver(self._resolver),
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(self, url: str, body: bytes, headers: Mapping[str, str]) -> str:
        """ "" when the receiver said 2xx, else why not, in a word. Its body is not read."""
        address = read_address(url)
        if address is None or self._session is None or not judge_receiver_host(address.raw_host or ""):
            return "address"
        try:
            async with asyncio.timeout(self._budget):
                response = await self._session.post(
                    address, data=aiohttp.BytesPayload(body), headers=dict(headers), allow_redirects=False
                )
                response.close()
        except TimeoutError:
            return "timeout"
        except aiohttp.ClientError as error:
            return name_trouble(error)[0]
        except OSError:
            return "reset"
        return "" if 200 <= response.status < 300 else f"status_{response.status}"
