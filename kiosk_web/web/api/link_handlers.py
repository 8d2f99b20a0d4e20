"""The operations on links: parse → one service call → render (`docs/api.md`, Links)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from kiosk_web.services.links.by_api import ApiLinkService, LinkRefused, Precondition, TaggedLink
from kiosk_web.web.api import models as m
from kiosk_web.web.api import requests as r
from kiosk_web.web.api.admission import Admission, Handler
from kiosk_web.web.api.link_operations import END_LINK, IF_MATCH, IF_NONE_MATCH, PUT_LINK, READ_LINK, REASON
from kiosk_web.web.api.operation import JSON, Operation
from kiosk_web.web.api.problems import ProblemRaised


@dataclass(frozen=True)
class LinkHandlers:
    admission: Admission
    links: ApiLinkService

    def handlers(self) -> Mapping[Operation, Handler]:
        return {READ_LINK: self.read_link, PUT_LINK: self.put_link, END_LINK: self.end_link}

    async def read_link(self, request: Request) -> Response:
        client = await self.admission.admit(request)
        r.refuse_query(request)
        system, identifier = _read_path(request, "link_unknown")
        answer = await self.links.read_link(client, system, identifier, read_reason(request))
        return _render(identifier, _require(answer))

    async def put_link(self, request: Request) -> Response:
        client = await self.admission.admit(request)
        asked = r.read_model(await self.admission.read_json(request), m.LinkRequest)
        system, identifier = _read_path(request, "identifier_unknown")
        only, reason = _read_precondition(request, or_absent=True), read_reason(request)
        answer = await self.links.put_link(client, system, identifier, asked.user_number, only, reason)
        return _render(identifier, _require(answer))

    async def end_link(self, request: Request) -> Response:
        client = await self.admission.admit(request)
        r.refuse_query(request)
        system, identifier = _read_path(request, "link_unknown")
        only, reason = _read_precondition(request, or_absent=False), read_reason(request)
        _require(await self.links.end_link(client, system, identifier, only, reason))
        return Response(status_code=END_LINK.status)


def read_reason(request: Request) -> str:
    """One line: signs that cannot stand in a line become U+FFFD. Raises `ProblemRaised`."""
    text = unquote(r.read_header(request, REASON) or "", encoding="utf-8", errors="replace")
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


def _read_path(request: Request, unknown: str) -> tuple[str, str]:
    """System and identifier."""
    system, identifier = READ_LINK.path_fields
    return r.read_path(request, system, "system_not_permitted"), r.read_path(request, identifier, unknown)


def _read_precondition(request: Request, *, or_absent: bool) -> Precondition:
    """Raises `ProblemRaised` where there is none. Where both are given both must hold, and never do (RFC 9110 13.2)."""
    tag = r.read_header(request, IF_MATCH)
    absent = or_absent and r.read_header(request, IF_NONE_MATCH) is not None
    if tag is None and not absent:
        raise ProblemRaised("precondition_required")
    return Precondition(None if tag is None else tag.strip('"'), absent)


def _require(answer: TaggedLink | LinkRefused) -> TaggedLink:
    if isinstance(answer, LinkRefused):
        raise ProblemRaised(answer.why)
    return answer


def _render(identifier: str, link: TaggedLink) -> Response:
    answer = m.LinkAnswer(
        system=link.record.system,
        identifier=identifier,
        user_number=link.record.user_number,
        linked_at=link.record.linked_at,
    )
    status = PUT_LINK.created if link.new and PUT_LINK.created is not None else PUT_LINK.status
    return Response(answer.model_dump_json(), status, {"ETag": f'"{link.tag}"'}, JSON)
