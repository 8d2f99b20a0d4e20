"""`/healthz`: the process answers.

`/readyz`: which parts work. The responder is not part of it: an outage there is not ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kiosk_web.log import describe_place
from kiosk_web.services.ports import Store


@dataclass(frozen=True)
class HealthRoutes:
    store: Store
    anchors: int

    def build(self) -> list[Route]:
        return [Route("/healthz", self.show_health), Route("/readyz", self.show_readiness)]

    async def show_health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def show_readiness(self, request: Request) -> Response:
        parts = {"database": await self._judge_database(), "anchors": "ok" if self.anchors else "missing"}
        ready = all(part == "ok" for part in parts.values())
        return JSONResponse(
            {"status": "ok" if ready else "not_ready", "parts": parts}, status_code=200 if ready else 503
        )

    async def _judge_database(self) -> str:
        try:
            async with self.store.read() as transaction:
                await transaction.terminals.list_all()
        except Exception as error:
            place = describe_place(error.__traceback__)
            structlog.get_logger().error("readiness", error=type(error).__name__, where=place)
            return "failed"
        return "ok"
