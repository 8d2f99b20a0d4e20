"""Asks the running server over HTTP, as a page or a client of the API would; for the linkage test."""

from __future__ import annotations

from typing import Any

import aiohttp

from kiosk_web.adapters.http_session import name_trouble, open_session
from kiosk_web.pki.plan import FetchFailure

PHASE_SECONDS = 5.0
MOST_ANSWER = 64 * 1024


async def ask_server(method: str, url: str, **given: Any) -> tuple[int, dict[str, Any]] | FetchFailure:
    """Status and JSON object ({} where the answer is none). `given` as for aiohttp: `data`, `json`, `headers`."""
    try:
        async with (
            open_session(phase=PHASE_SECONDS, connections=1, headers={}, most=MOST_ANSWER) as session,
            session.request(method, url, allow_redirects=False, **given) as response,
        ):
            try:
                body = await response.json(content_type=None)
            except ValueError:
                body = {}
            return response.status, body if isinstance(body, dict) else {}
    except aiohttp.ClientError as error:
        return FetchFailure(*name_trouble(error))
    except TimeoutError:
        return FetchFailure("timeout")
