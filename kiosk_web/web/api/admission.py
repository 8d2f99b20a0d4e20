"""What all operations of a client begin with: whose token it is, the body within its limits, the work done once."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from kiosk_web.services.api.client_auth import ClientAuthService, TooMany
from kiosk_web.services.api.kept_replies import KeptReplies, Reply, ReplyRefused
from kiosk_web.services.ports.clients import ClientRecord
from kiosk_web.web.api import requests as r
from kiosk_web.web.api.answers import refuse_haste, send_reply
from kiosk_web.web.api.operations import JSON, Operation
from kiosk_web.web.api.problems import ProblemRaised

Handler = Callable[[Request], Awaitable[Response]]


class Handlers(Protocol):
    """The operations of one subject."""

    def handlers(self) -> Mapping[Operation, Handler]: ...


@dataclass(frozen=True)
class Admission:
    """`body_seconds`: how long a body may take."""

    auth: ClientAuthService
    replies: KeptReplies
    body_seconds: float = r.BODY_SECONDS

    async def admit(self, request: Request) -> ClientRecord:
        """Whose token it is, before anything else of the request is looked at. Raises `ProblemRaised`."""
        client = await self.auth.find_client(r.read_token(request))
        if client is None:
            raise r.refuse_token()
        if isinstance(client, TooMany):
            raise refuse_haste(client)
        return client

    async def read_json(self, request: Request) -> bytes:
        """The body of a request that has no query. Raises `ProblemRaised`."""
        r.require_media_type(request, JSON)
        r.refuse_query(request)
        return await r.read_body(request, self.body_seconds)

    async def answer_once(
        self,
        request: Request,
        client: ClientRecord,
        operation: Operation,
        body: bytes,
        work: Callable[[], Awaitable[Reply]],
    ) -> Response:
        """Do the work, once for each Idempotency-Key. Raises `ProblemRaised`."""
        key = r.read_idempotency_key(request)
        if key is None:
            return send_reply(await work())
        sha256 = hashlib.sha256(operation.id.encode() + b"\0" + body).digest()
        reply = await self.replies.answer(client.name, key, sha256, work)
        if isinstance(reply, ReplyRefused):
            raise ProblemRaised("request_running" if reply.why == "running" else "idempotency_key_reused")
        return send_reply(reply)
