"""The HTTP side of the virtual JPKI: OCSP by GET and POST (RFC 6960 A.1), revocation lists, the J-LIS services."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import format_datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from kiosk_web.simulator.faults import FaultBoard
from kiosk_web.simulator.hierarchy import Hierarchy
from kiosk_web.simulator.lists import derive_list_names, issue_list
from kiosk_web.simulator.register import Entry, Register
from kiosk_web.simulator.requests import BadRequest, read_json_object
from kiosk_web.simulator.responder import OcspResponder, floor_to_grid

_MOST_REQUEST_BYTES = 4096
_REQUEST_TYPE = "application/ocsp-request"


class RevocationRoutes:
    """Handlers over one responder and one register."""

    def __init__(
        self,
        *,
        responder: OcspResponder,
        hierarchy: Hierarchy,
        register: Register,
        faults: FaultBoard,
        clock: Callable[[], datetime],
        grid: timedelta,
        slow_seconds: float,
    ) -> None:
        self._responder = responder
        self._hierarchy = hierarchy
        self._register = register
        self._faults = faults
        self._clock = clock
        self._grid = grid
        self._slow_seconds = slow_seconds
        self._lists = derive_list_names(hierarchy)
        self._by_key_id = {a.key_id: a for a in hierarchy.authorities.values()}

    def build(self) -> Starlette:
        """The application."""
        return Starlette(
            routes=[
                Route("/healthz", _health),
                Route("/crl", self._list_names),
                Route("/crl/{name}.crl", self._list),
                Route("/services/standing", self._standing, methods=["POST"]),
                Route("/services/predecessor", self._predecessor, methods=["POST"]),
                Route("/{encoded:path}", self._ocsp_get, methods=["GET"]),
                Route("/{ignored:path}", self._ocsp_post, methods=["POST"]),
            ]
        )

    async def _ocsp_get(self, request: Request) -> Response:
        encoded = str(request.path_params["encoded"])
        if not encoded:
            return PlainTextResponse("The OCSP responder of the virtual JPKI. Lists: /crl\n")
        if len(encoded) > _MOST_REQUEST_BYTES:
            return PlainTextResponse("request too long\n", 414)
        try:
            body = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            body = b""  # the responder answers malformedRequest
        return await self._ocsp(body)

    async def _ocsp_post(self, request: Request) -> Response:
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != _REQUEST_TYPE:
            return PlainTextResponse(f"send {_REQUEST_TYPE}\n", 415)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_REQUEST_BYTES:
                return PlainTextResponse("request too long\n", 413)
        return await self._ocsp(bytes(body))

    async def _ocsp(self, body: bytes) -> Response:
        fault = self._faults.ocsp.name if self._faults.ocsp else None
        if fault == "slow":
            await asyncio.sleep(self._slow_seconds)
        answer = self._responder.answer(body, fault)
        headers = {"cache-control": "no-store"}
        if answer.location:
            headers["location"] = answer.location
        return Response(answer.body, answer.status, headers, media_type=answer.content_type)

    async def _list_names(self, request: Request) -> Response:
        lists = [
            {
                "name": str(name),
                "url": f"/crl/{name}.crl",
                "authority_key_id": name.authority.key_id.hex(),
                "distribution_point": point.rfc4514_string() if (point := name.distribution_point) else None,
            }
            for name in self._lists.values()
        ]
        return JSONResponse({"lists": lists})

    async def _list(self, request: Request) -> Response:
        name = self._lists.get(str(request.path_params["name"]))
        if name is None:
            return PlainTextResponse("no such list: see /crl\n", 404)
        this_update = floor_to_grid(self._clock(), self._grid)
        der = issue_list(name, self._register, this_update)
        said = {
            "etag": f'"{hashlib.sha256(der).hexdigest()}"',
            "last-modified": format_datetime(this_update, usegmt=True),
            "cache-control": "no-cache",
        }
        if said["etag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=said)
        return Response(der, headers=said, media_type="application/pkix-crl")

    async def _standing(self, request: Request) -> Response:
        """`{"issuer_key_id": hex, "serial": n}` → renewal, signature certificate, change of items. 404: not ours."""
        entry = await self._read_question(request)
        if isinstance(entry, Response):
            return entry
        standing = self._register.judge_standing(entry, self._clock())
        renewed = None if standing.renewed_to is None else self._name(*standing.renewed_to)
        changed = standing.items_changed_at
        return JSONResponse(
            {
                "renewed_to": renewed,
                "signature_certificate": standing.signature_certificate.value,
                "items_changed_at": changed.isoformat() if changed else None,
            }
        )

    async def _predecessor(self, request: Request) -> Response:
        """The same question → the certificate that this one replaced by renewal, or null. 404: not ours."""
        entry = await self._read_question(request)
        if isinstance(entry, Response):
            return entry
        before = self._register.find_previous(entry)
        return JSONResponse({"predecessor": None if before is None else self._name(before.authority, before.serial)})

    async def _read_question(self, request: Request) -> Entry | Response:
        try:
            question = await read_json_object(request, {"issuer_key_id", "serial"})
            key_id, serial = question.get("issuer_key_id"), question.get("serial")
            if not isinstance(key_id, str) or isinstance(serial, bool) or not isinstance(serial, int):
                raise BadRequest("issuer_key_id is a hexadecimal text and serial a number")
            authority = self._by_key_id.get(bytes.fromhex(key_id))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        entry = self._register.find(authority.id, serial) if authority and 0 < serial < 1 << 63 else None
        return entry or JSONResponse({"error": "never issued"}, 404)

    def _name(self, authority: str, serial: int) -> dict[str, object]:
        return {"issuer_key_id": self._hierarchy.authorities[authority].key_id.hex(), "serial": serial}


async def _health(request: Request) -> Response:
    return PlainTextResponse("ok\n")
