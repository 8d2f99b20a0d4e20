"""An answer that begins before the request has ended: lines go out while lines come in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from kiosk_web.web.api.operations import NDJSON
from kiosk_web.web.api.problems import ProblemRaised


class LineStream(Response):
    """`source` reads the request as it goes, so that nothing else may: Starlette's own stream would look for a
    disconnect there. Whoever does not read for `seconds` is left alone, with an answer that breaks off.
    """

    media_type = NDJSON

    def __init__(self, source: AsyncGenerator[bytes], seconds: float) -> None:
        super().__init__()
        self._source = source
        self._seconds = seconds
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        rows = 0
        try:
            async with aclosing(self._source) as source:
                async for lines in source:
                    async with asyncio.timeout(self._seconds):
                        await send({"type": "http.response.body", "body": lines, "more_body": True})
                    rows += lines.count(b"\n")
        except ProblemRaised as raised:
            last = json.dumps({"end": raised.problem.code, "rows": rows}).encode() + b"\n"
            await send({"type": "http.response.body", "body": last, "more_body": True})
        except TimeoutError:
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})
