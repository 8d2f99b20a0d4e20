"""The routes of the user number on a result: hand it over, or link one (`docs/wire.md` 8).

All are bound to the page's cookie and stored nowhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from kiosk_web.services.links.handover import HandoverService, Panel, ShownNumber
from kiosk_web.services.links.invitations import LinkInvitation, LinkInvitations
from kiosk_web.services.ports.handovers import LibraryWord
from kiosk_web.services.ports.terminals import PageRecord
from kiosk_web.services.terminals.pages import TerminalService
from kiosk_web.web import wire
from kiosk_web.web.security import build_problem, read_cookie

_OUTPUT = re.compile(r"[A-Za-z0-9_-]{22}")
_CODE = re.compile(r"[a-z_]{0,40}")
MOST_SENT = 100


class HandoverRenderer(Protocol):
    """`web/render.py`, as far as the hand-over sees it."""

    def render_handover(self, panel: Panel) -> str: ...
    def render_link_invitation(self, invitation: LinkInvitation) -> str: ...
    def render_typed(self, number: str) -> str: ...
    def render_number(self, number: ShownNumber) -> str: ...
    def render_library(self, language: str, word: LibraryWord) -> str: ...


@dataclass(frozen=True)
class HandoverRoutes:
    handover: HandoverService
    invitations: LinkInvitations
    terminals: TerminalService
    renderer: HandoverRenderer

    def build(self) -> list[Route]:
        return [
            Route("/k/handover", self.show_panel),
            Route("/k/handover/number", self.show_number),
            Route("/k/linking/number", self.show_typed),
            Route("/k/handover/library", self.show_library),
            Route("/k/handover/ticket", self.issue_ticket, methods=["POST"]),
            Route("/k/handover/outcome", self.take_outcome, methods=["POST"]),
        ]

    async def show_panel(self, request: Request) -> Response:
        """The linked number, or how one can be linked; 204 where there is neither."""
        page = await self._find_page(request)
        if page is None:
            return _nothing()
        panel = await self.handover.load_panel(page)
        if panel is not None:
            return HTMLResponse(self.renderer.render_handover(panel))
        invitation = await self.invitations.load(page)
        return _nothing() if invitation is None else HTMLResponse(self.renderer.render_link_invitation(invitation))

    async def show_typed(self, request: Request) -> Response:
        """The number that staff compare with the old card."""
        page = await self._find_page(request)
        number = None if page is None else await self.invitations.load_typed(page)
        return _nothing() if number is None else HTMLResponse(self.renderer.render_typed(number))

    async def show_number(self, request: Request) -> Response:
        """The barcode, after a touch."""
        page = await self._find_page(request)
        number = None if page is None else await self.handover.load_number(page)
        return _nothing() if number is None else HTMLResponse(self.renderer.render_number(number))

    async def show_library(self, request: Request) -> Response:
        """What the library system says of the number; takes as long as it does."""
        page = await self._find_page(request)
        answer = None if page is None else await self.handover.ask_library(page)
        return _nothing() if answer is None else HTMLResponse(self.renderer.render_library(*answer))

    async def issue_ticket(self, request: Request) -> Response:
        try:
            wire.read_object(await request.body())
        except wire.NotStrict as error:
            return build_problem(400, str(error))
        page = await self._find_page(request)
        ticket = None if page is None else await self.handover.issue_output(page)
        return _nothing() if ticket is None else JSONResponse({"v": wire.VERSION, "ticket": ticket})

    async def take_outcome(self, request: Request) -> Response:
        """What the bridge said; answered with the panel as it then is."""
        try:
            body = wire.read_object(await request.body(), "output", "code", "sent")
            output = wire.read_text(body["output"], _OUTPUT)
            code = wire.read_text(body["code"], _CODE)
            sent = wire.read_number(body["sent"])
            if sent > MOST_SENT:
                raise wire.NotStrict("malformed number")
        except wire.NotStrict as error:
            return build_problem(400, str(error))
        page = await self._find_page(request)
        if page is None:
            return _nothing()
        await self.handover.record_outcome(page, output, code, sent)
        return await self.show_panel(request)

    async def _find_page(self, request: Request) -> PageRecord | None:
        return await self.terminals.find_page(read_cookie(request))


def _nothing() -> Response:
    """The same for a page without a session, without a number and without the card."""
    return Response(status_code=204)
