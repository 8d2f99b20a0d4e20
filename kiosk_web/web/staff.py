"""The routes of the staff page: which terminals live, what state each is in, what is degraded; pushed as it changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from kiosk_web.services.ports import Feed
from kiosk_web.services.terminals.monitoring import MonitoringService, StaffBoard

HEARTBEAT_SECONDS = 15


class StaffRenderer(Protocol):
    """`web/render.py`, as far as staff see it."""

    def render_staff(self, board: StaffBoard, language: str) -> str: ...
    def render_staff_rows(self, board: StaffBoard, language: str) -> str: ...


def _read_language(request: Request) -> str:
    """`?lang=`, as the page's own links write it. The renderer takes an unknown one for Japanese."""
    return request.query_params.get("lang", "ja")


@dataclass(frozen=True)
class StaffRoutes:
    monitoring: MonitoringService
    feed: Feed
    renderer: StaffRenderer

    def build(self) -> list[Route]:
        return [Route("/", self.show_page), Route("/stream", self.stream)]

    async def show_page(self, request: Request) -> Response:
        return HTMLResponse(self.renderer.render_staff(await self.monitoring.load_board(), _read_language(request)))

    async def stream(self, request: Request) -> Response:
        """All rows at once, then again after each change of any terminal or of the fallback."""
        rows = self._watch(_read_language(request))
        return EventSourceResponse(rows, ping=HEARTBEAT_SECONDS, headers={"Cache-Control": "no-store"})

    async def _watch(self, language: str) -> AsyncIterator[ServerSentEvent]:
        shown: str | None = None
        with self.feed.subscribe(None) as changes:
            while True:
                rows = self.renderer.render_staff_rows(await self.monitoring.load_board(), language)
                if rows != shown:
                    shown = rows
                    yield ServerSentEvent(rows)
                if not await changes.wait():
                    return
