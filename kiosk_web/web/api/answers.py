"""How answers are written: models as JSON, problems that can be kept and given again, and refusals by their name."""

from __future__ import annotations

import json

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from kiosk_web.services.api.answers import NotPermitted
from kiosk_web.services.api.client_auth import TooMany
from kiosk_web.services.api.kept_replies import Reply
from kiosk_web.web.api.operations import JSON
from kiosk_web.web.api.problems import MEDIA_TYPE, ProblemRaised, build_document


def name_problem(refused: NotPermitted) -> str:
    """A system that is not in use yet has a problem of its own."""
    return "system_not_in_use" if refused.what == "stage" else f"{refused.what}_not_permitted"


def refuse_haste(answer: TooMany) -> ProblemRaised:
    return ProblemRaised("too_many_requests", headers={"Retry-After": str(answer.retry_after)})


def build_refusal(request: Request, code: str) -> Reply:
    """A problem as an answer that can be kept and given again."""
    raised = ProblemRaised(code)
    document = build_document(raised.problem, request.scope["state"]["request_id"])
    return Reply(raised.problem.status, json.dumps(document))


def send_reply(reply: Reply) -> Response:
    response = Response(reply.body, reply.status, media_type=JSON if reply.status < 400 else MEDIA_TYPE)
    if reply.again:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def render(status: int, answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(), status, media_type=JSON)
