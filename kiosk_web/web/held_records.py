"""The one route of "what do you hold on me?" (`docs/privacy.md`): bound to the page's cookie and stored nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from kiosk_web.services.persons.held_records import HeldRecords, HeldRecordsService
from kiosk_web.services.terminals.pages import TerminalService
from kiosk_web.web.security import read_cookie


class RecordsRenderer(Protocol):
    """`web/render.py`, as far as it is needed here."""

    def render_records(self, records: HeldRecords) -> str: ...


@dataclass(frozen=True)
class HeldRecordsRoutes:
    records: HeldRecordsService
    terminals: TerminalService
    renderer: RecordsRenderer

    def build(self) -> list[Route]:
        return [Route("/k/records", self.show)]

    async def show(self, request: Request) -> Response:
        """204 for a page without a result by 暗証番号, and without its card."""
        page = await self.terminals.find_page(read_cookie(request))
        records = None if page is None else await self.records.load(page)
        return Response(status_code=204) if records is None else HTMLResponse(self.renderer.render_records(records))
