"""The link desk (連携登録の窓口) on the staff listener: look one link up by an exact match, link, unlink, end kazashi.

Like the staff page it has no sign-in yet, so production serves it on the loopback address only (`staff_host`). What
changes something or looks up needs our own Origin and JSON, which no other site can send (`web/security.py`).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from kiosk_web.errors import IdentityError
from kiosk_web.identity.offer import Offer
from kiosk_web.identity.systems import CooperatingSystem
from kiosk_web.services.kazashi.ending import Holder, KazashiEndingService
from kiosk_web.services.links.linking import FoundLink, LinkingService
from kiosk_web.web import wire
from kiosk_web.web.security import build_problem

_LINE = re.compile(r"[^\x00-\x1f\x7f]{0,200}")
_FIELDS = ("system", "number", "reference", "by", "reason")
Fields = dict[str, str]


class DeskRenderer(Protocol):
    """`web/render.py`, as far as the link desk needs it."""

    def render_link_desk(self, systems: tuple[CooperatingSystem, ...], language: str) -> str: ...
    def render_link_answer(self, action: str, link: FoundLink | None, refusal: str, language: str) -> str: ...


@dataclass(frozen=True)
class LinkDeskRoutes:
    linking: LinkingService
    kazashi: KazashiEndingService
    offer: Offer
    renderer: DeskRenderer

    def build(self) -> list[Route]:
        return [
            Route("/links", self.show_page),
            Route("/links/find", self.find, methods=["POST"]),
            Route("/links/add", self.add, methods=["POST"]),
            Route("/links/end", self.end, methods=["POST"]),
            Route("/links/kazashi", self.end_kazashi, methods=["POST"]),
        ]

    async def show_page(self, request: Request) -> Response:
        systems = tuple(system for system in self.offer.systems if system.link_holder == "platform")
        return HTMLResponse(self.renderer.render_link_desk(systems, _read_language(request)))

    async def find(self, request: Request) -> Response:
        """By reference number where one is given, else by user number."""

        async def work(given: Fields) -> FoundLink:
            system, by, reason = given["system"], given["by"], given["reason"]
            if given["reference"]:
                return await self.linking.look_up_visit(given["reference"], system, by, reason)
            return await self.linking.look_up_number(system, given["number"], by, reason)

        return await self._answer(request, "find", work)

    async def add(self, request: Request) -> Response:
        async def work(given: Fields) -> FoundLink:
            return await self.linking.link_visit(
                given["reference"], given["system"], given["number"], given["by"], given["reason"], "desk"
            )

        return await self._answer(request, "add", work)

    async def end(self, request: Request) -> Response:
        async def work(given: Fields) -> FoundLink:
            return await self.linking.unlink(given["system"], given["number"], given["by"], given["reason"])

        return await self._answer(request, "end", work)

    async def end_kazashi(self, request: Request) -> Response:
        """The answer names no number: whose it was is what staff typed."""

        async def work(given: Fields) -> FoundLink:
            holder = Holder(given["number"], given["reference"])
            await self.kazashi.end(given["system"], holder, given["by"], given["reason"])
            return FoundLink(given["system"], None, None)

        return await self._answer(request, "kazashi", work)

    async def _answer(self, request: Request, action: str, work: Callable[[Fields], Awaitable[FoundLink]]) -> Response:
        try:
            body = wire.read_object(await request.body(), *_FIELDS)
            given = {name: wire.read_text(body[name], _LINE) for name in _FIELDS}
        except wire.NotStrict as error:
            return build_problem(400, str(error))
        language = _read_language(request)
        try:
            link = await work(given)
        except IdentityError as refusal:
            return HTMLResponse(self.renderer.render_link_answer(action, None, refusal.name, language))
        return HTMLResponse(self.renderer.render_link_answer(action, link, "", language))


def _read_language(request: Request) -> str:
    return request.query_params.get("lang", "ja")
